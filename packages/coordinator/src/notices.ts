import type { Clock } from '@conclave/core'
import { sql } from 'kysely'
import { CHANNEL, type Database, sqlOf } from './database/database.ts'
import { Pulse, waitForAny } from './wait.ts'

/**
 * What coordinators on one database tell each other, about a request, an operation, or nothing in particular (`-`):
 * it has changed; cancel it; an approval of it was given; an operation is to be begun; somebody has let go of what it drove;
 * keys or schedules have changed; there are new events, or somebody is to be told of old ones.
 */
export const NOTICE_KINDS = ['changed', 'cancel', 'approved', 'begun', 'released', 'keys', 'schedules', 'event'] as const
export type NoticeKind = (typeof NOTICE_KINDS)[number]

/** How often something is looked at that others should have told of. */
export const LOOK_MS = 5000

/** Undefined: any of them, because some may have been missed. */
type Hearer = (id: string | undefined) => void

export function noticeText(kind: NoticeKind, id: string): string {
  return `${kind} ${id}`
}

/** As part of a statement: told when it is committed, and only then. */
export function noticeOf(kind: NoticeKind, id: string) {
  return sql<string>`pg_notify(${CHANNEL}, ${noticeText(kind, id)})::text`
}

/** Notices of one database. They may be lost, so nobody relies on one. */
export class Notices {
  readonly #database: Database
  readonly #hearers = new Map<NoticeKind, Set<Hearer>>()
  readonly #waiters = new Map<string, Set<Pulse>>()
  readonly #end: () => void

  constructor(database: Database) {
    this.#database = database
    this.#end = database.listen((payload) => this.#hear(payload))
    this.on('changed', (id) => this.#wake(id))
  }

  on(kind: NoticeKind, heard: Hearer): void {
    const hearers = this.#hearers.get(kind) ?? new Set()
    this.#hearers.set(kind, hearers.add(heard))
  }

  /** @throws {StoreError}. */
  async tell(kind: NoticeKind, id = '-'): Promise<void> {
    await this.#database.run([sqlOf.selectNoFrom(noticeOf(kind, id).as('told')).compile()])
  }

  /** Resolves when `id` may have changed, after `ms` or LOOK_MS, or when the signal aborts. */
  async changed(id: string, { clock, ms, signal }: { clock: Clock; ms: number; signal: AbortSignal }): Promise<void> {
    const pulse = new Pulse()
    const waiters = this.#waiters.get(id) ?? new Set()
    this.#waiters.set(id, waiters.add(pulse))
    await waitForAny({ clock, signal, ms: Math.min(ms, LOOK_MS), pulses: [pulse] })
    waiters.delete(pulse)
    if (waiters.size === 0 && this.#waiters.get(id) === waiters) this.#waiters.delete(id)
  }

  close(): void {
    this.#end()
  }

  #wake(id: string | undefined): void {
    const woken = id === undefined ? [...this.#waiters.values()] : [this.#waiters.get(id) ?? new Set<Pulse>()]
    for (const pulse of woken.flatMap((set) => [...set])) pulse.fire()
  }

  #hear(payload: string | undefined): void {
    const [kind, id] = payload?.split(' ') ?? []
    const heard = payload === undefined ? [...this.#hearers.values()] : [this.#hearers.get(kind as NoticeKind) ?? new Set<Hearer>()]
    for (const hearer of heard.flatMap((set) => [...set])) hearer(id)
  }
}
