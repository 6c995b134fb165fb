import { type Clock, codeOf } from '@conclave/core'
import { sql } from 'kysely'
import type { Logger } from 'pino'
import { AvailabilityReport } from '../availability.ts'
import type { ClusterView } from '../cluster-view.ts'
import { type Database, sqlOf } from '../database/database.ts'
import { TENANT } from '../database/schema.ts'
import type { KeyDirectory } from '../key-directory.ts'
import { KeyLives } from '../key-lives.ts'
import type { Replica } from '../replica.ts'
import { waitForAny } from '../wait.ts'
import type { EventType } from './event-types.ts'

const LOOK_MS = 5_000
/** What has not lasted so long is no event: links come up after a start, and go for a moment. */
export const LASTS_MS = 15_000

/** Something that this coordinator sees of what it does not drive. */
interface Sight {
  readonly name: string
  readonly value: string
  readonly type: EventType
  readonly subject: string
  readonly keyId: string | null
  readonly data: object
}

export interface ObserverOptions {
  readonly database: Database
  readonly view: ClusterView
  readonly directory: KeyDirectory
  /** Of several coordinators one tells what it sees. */
  readonly replica: Pick<Replica, 'isKeeper'>
  readonly clock: Clock
  readonly logger: Logger
  readonly stopping: AbortSignal
}

/** Tells, once, when a node becomes able or unable to sign, and when its operator lets a node sign with a key or no more. */
export class Observer {
  readonly #o: ObserverOptions
  readonly #lives: KeyLives
  /** What was last seen, and since when it has been so. */
  readonly #seen = new Map<string, { readonly value: string; readonly sinceMs: number; isTold: boolean }>()

  constructor(options: ObserverOptions) {
    this.#o = options
    this.#lives = new KeyLives(options.view.lock, options.view)
  }

  /** Until the coordinator stops. Never rejects. */
  async run(): Promise<void> {
    const { clock, stopping, logger, replica } = this.#o
    while (!stopping.aborted) {
      await waitForAny({ clock, ms: LOOK_MS, signal: stopping, pulses: [] })
      if (stopping.aborted) return
      if (!replica.isKeeper) this.#seen.clear()
      else await this.#look().catch((error) => logger.warn({ code: codeOf(error) }, 'cannot write what was observed'))
    }
  }

  async #look(): Promise<void> {
    const nowMs = this.#o.clock.nowMs()
    for (const sight of [...this.#nodes(), ...this.#keys()]) {
      const seen = this.#seen.get(sight.name)
      if (seen === undefined || seen.value !== sight.value) {
        this.#seen.set(sight.name, { value: sight.value, sinceMs: nowMs, isTold: false })
      } else if (!seen.isTold && nowMs - seen.sinceMs >= LASTS_MS) {
        await this.#tell(sight)
        seen.isTold = true
      }
    }
  }

  *#nodes(): Generator<Sight> {
    const { view, directory } = this.#o
    const report = new AvailabilityReport(view, directory.list())
    for (const { index, name } of view.lock.nodes) {
      const { able, reasons } = report.of(index)
      const codes = [...new Set(reasons.map(({ code }) => code))]
      const data = { index, name, able, reasons: codes }
      yield { name: `node ${name}`, value: `${able}`, type: able ? 'node.able' : 'node.unable', subject: name, keyId: null, data }
    }
  }

  *#keys(): Generator<Sight> {
    for (const key of this.#o.directory.list()) {
      const { keyId } = key
      const { phases, erasure } = this.#lives.of(key)
      const data = { keyId, phases, erasure }
      yield { name: `key ${keyId}`, value: JSON.stringify(data), type: 'key.phase_changed', subject: keyId, keyId, data }
    }
  }

  /** An event, unless this is what was seen before, by whichever coordinator; the first sight is none. */
  async #tell({ name, value, type, subject, keyId, data }: Sight): Promise<void> {
    const query = sql`with told as (
        insert into observed (name, value) values (${name}, ${value})
        on conflict (name) do update set value = excluded.value where observed.value <> excluded.value
        returning xmax = 0 as is_new)
      insert into event (tenant, type, subject, key_id, data)
      select coalesce((select tenant from key_note where key_note.key_id = ${keyId}), ${TENANT}), ${type}, ${subject}, ${keyId},
        ${JSON.stringify(data)}::json
      from told where not is_new`
    await this.#o.database.run([query.compile(sqlOf)])
  }
}
