import { type Clock, codeOf, messageOf } from '@conclave/core'
import type { Logger } from 'pino'
import type { KeyDriver } from './key-driver.ts'
import type { Notices } from './notices.ts'
import type { Records } from './record-store.ts'
import { CLAIM_MAX, type Replica } from './replica.ts'
import type { SigningDriver } from './signing-driver.ts'
import { Pulse, waitForAny } from './wait.ts'

/** Renewals in the time of a lease. */
const BEATS = 3

export interface TakeoverOptions {
  readonly replica: Replica
  readonly records: Records
  readonly notices: Notices
  readonly signingDriver: SigningDriver
  readonly keyDriver: KeyDriver
  readonly leaseMs: number
  readonly clock: Clock
  readonly logger: Logger
  readonly stopping: AbortSignal
}

/** Renews the lease of a coordinator, and takes over what others, or its earlier run, have left. */
export class Takeover {
  readonly #o: TakeoverOptions
  readonly #wanted = new Pulse()

  constructor(options: TakeoverOptions) {
    this.#o = options
    const { notices, signingDriver } = options
    for (const kind of ['released', 'begun'] as const) notices.on(kind, () => this.#wanted.fire())
    notices.on('cancel', (id) => (id === undefined ? this.#wanted.fire() : signingDriver.cancelHere(id)))
  }

  /** Until the coordinator stops. Never rejects. */
  async run(): Promise<void> {
    const { clock, stopping, leaseMs, logger } = this.#o
    while (!stopping.aborted) {
      await waitForAny({ clock, signal: stopping, ms: leaseMs / BEATS, pulses: [this.#wanted] })
      if (stopping.aborted) return
      try {
        await this.beat()
      } catch (error) {
        logger.warn({ code: codeOf(error), reason: messageOf(error) }, 'cannot renew the lease')
      }
    }
  }

  /** @throws {StoreError}. */
  async beat(): Promise<void> {
    const { replica, records, signingDriver, keyDriver, logger, stopping } = this.#o
    if (!(await replica.renew())) {
      logger.error('another process runs under the name of this coordinator: this one drives nothing any more')
      return
    }
    let claimed = CLAIM_MAX
    while (claimed === CLAIM_MAX && !stopping.aborted) {
      const records = await replica.claimSignings()
      claimed = records.length
      for (const record of records) await signingDriver.takeOver(record)
      if (claimed > 0) logger.info({ requests: claimed }, 'took over open requests')
    }
    if (records.takeDoubt()) for (const record of await replica.ownSignings()) await signingDriver.takeOver(record)
    for (const id of await replica.cancelled()) signingDriver.cancelHere(id)
    if (await replica.keepKeys()) for (const record of await replica.claimOperations()) keyDriver.takeOver(record)
    keyDriver.kept.fire()
  }
}
