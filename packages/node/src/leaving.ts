import { type Clock, ConclaveError } from '@conclave/core'
import type { Logger, Transport } from '@conclave/transport'
import { encode, Frame } from '@conclave/wire'

/** After a node has said that it leaves, how long it still takes what was on its way to it. */
const GRACE_MS = 1_000
/** How long nothing may have run before it leaves. */
const QUIET_MS = 250
const LOOK_MS = 25

export interface LeavingOptions {
  readonly clock: Clock
  readonly transport: Transport
  readonly log: Logger
  /** Something runs here that others wait for. */
  isBusy(): boolean
}

/** The way out: everybody is told, what is in hand is finished, and nothing new is begun. */
export class Leaving {
  readonly #o: LeavingOptions
  #sinceMs: number | undefined

  constructor(options: LeavingOptions) {
    this.#o = options
  }

  get hasBegun(): boolean {
    return this.#sinceMs !== undefined
  }

  /** Why a new request comes too late; undefined while it does not. */
  refusal(): ConclaveError | undefined {
    if (this.#sinceMs === undefined || this.#o.clock.nowMs() - this.#sinceMs < GRACE_MS) return undefined
    return new ConclaveError('DRAINING', 'this node is stopping', { retriable: true })
  }

  /** Tells every member; resolves when nothing has run for a moment, or after `withinMs`. */
  async run(withinMs: number): Promise<void> {
    const { clock, log, isBusy } = this.#o
    if (this.#sinceMs !== undefined || withinMs === 0) return
    const beganMs = clock.nowMs()
    this.#sinceMs = beganMs
    this.#tell()
    let busyMs = beganMs
    let nowMs = beganMs
    while (nowMs - busyMs < QUIET_MS && nowMs - beganMs < withinMs) {
      await new Promise<void>((resolve) => void clock.after(LOOK_MS, resolve))
      nowMs = clock.nowMs()
      if (isBusy()) busyMs = nowMs
    }
    log.info({ ms: nowMs - beganMs, isBusy: isBusy() }, 'drained')
  }

  #tell(): void {
    const { transport, log } = this.#o
    const frame = encode(Frame, { body: { leaving: {} } })
    const told = transport.links().filter((link) => link.up)
    for (const { member } of told) {
      try {
        transport.send(member, frame)
      } catch {
        // It sees the link go down instead.
      }
    }
    log.info({ told: told.map(({ member }) => member.name) }, 'leaving: what is in hand is finished first')
  }
}
