import { assert, toHex } from '@conclave/core'
import { type Policy, type Spend, type SpendHistory, type SpendQuery, WINDOW_MS_MAX } from '@conclave/policy'
import type { Logger } from '@conclave/transport'
import type { Store } from '../store/store.ts'
import { SpendIndex } from './spend-index.ts'
import { decodeSpend, encodeSpend, type RequestSpend } from './stored-spend.ts'

/** Longer than any window, so that a clock that is set back a little finds what it needs. */
export const KEEP_MS = WINDOW_MS_MAX + 3_600_000
/** Old spends that one reservation clears away, so that none waits for long. */
export const PRUNE_MAX = 16

interface Entry extends RequestSpend {
  /** Attempts that have reserved it and not ended. */
  holds: number
  /** A signature may have come of it, or may come: it is never released again. */
  begun: boolean
  /** A write of it was asked for. */
  stored: boolean
}

/** What an attempt has reserved; see {@link SpendingLedger.reserve}. */
export interface Reservation {
  /** Resolves when it is on the disk. Not before that does this node take part. @throws {StoreError}. */
  write(): Promise<void>
  /** From here on a signature may come of it. */
  begin(): void
  /** The attempt is over. What no attempt has begun with counts no more. */
  end(): void
}

export interface LedgerOptions {
  readonly store: Store
  /** Its rules as they are now. */
  readonly policy: Pick<Policy, 'rules'>
  readonly log: Logger
}

/**
 * What this node may have helped to spend, by its own account: nobody else's word adds to it or takes from it.
 *
 * A request counts once, at its latest attempt, from the moment that it is reserved; in memory at once, so that two requests never get
 * the same room, and on the disk before any session begins, so that no crash loses it. An attempt that failed stays counted.
 */
export class SpendingLedger {
  readonly #store: Store
  readonly #log: Logger
  readonly #policy: LedgerOptions['policy']
  #index: SpendIndex
  /** By request id; the longest untouched first. */
  readonly #entries = new Map<string, Entry>()

  private constructor({ store, policy, log }: LedgerOptions) {
    this.#store = store
    this.#log = log
    this.#policy = policy
    this.#index = new SpendIndex(policy)
  }

  /** @throws {StoreError} STORE_CORRUPT, STORE_IO. */
  static async open(options: LedgerOptions): Promise<SpendingLedger> {
    const ledger = new SpendingLedger(options)
    const known = (await options.store.list('spend')).map(({ key, value }) => [key, decodeSpend(key, value)] as const)
    for (const [name, spend] of known.sort(([, a], [, b]) => a.atMs - b.atMs)) {
      ledger.#entries.set(name, { ...spend, holds: 0, begun: true, stored: true })
      ledger.#index.add(spend.spends, spend.atMs)
    }
    return ledger
  }

  /** The rules are others: what they ask for is added up anew, from everything that was ever counted and is not too old. */
  recount(): void {
    this.#index = new SpendIndex(this.#policy)
    for (const { spends, atMs } of this.#entries.values()) this.#index.add(spends, atMs)
  }

  /** Requests that count. */
  get size(): number {
    return this.#entries.size
  }

  /** What was spent by all requests but this one. */
  history(requestId: Uint8Array): SpendHistory {
    const own = this.#entries.get(toHex(requestId))
    if (own === undefined) return { total: (query) => this.#index.total(query) }
    return { total: (query) => this.#index.total(query) - totalOf(own, query) }
  }

  /** When a request was last counted; undefined when it never was, or so long ago that it does not matter any more. */
  spentAtMs(requestId: Uint8Array): number | undefined {
    return this.#entries.get(toHex(requestId))?.atMs
  }

  /** Since when everything that was spent is known; undefined when nothing was. */
  get sinceMs(): number | undefined {
    let since: number | undefined
    for (const { atMs } of this.#entries.values()) since = Math.min(since ?? atMs, atMs)
    return since
  }

  /** Sums as they were, of everything that `rules` ask for: what was spent up to a time by all requests but one. */
  past(rules: Policy['rules']): (requestId: Uint8Array, atMs: number) => SpendHistory {
    const index = new SpendIndex({ rules })
    for (const { spends, atMs } of this.#entries.values()) index.add(spends, atMs)
    return (requestId, atMs) => {
      const own = this.#entries.get(toHex(requestId))
      const counted = own !== undefined && own.atMs <= atMs ? own : undefined
      const total = (query: SpendQuery) =>
        index.total(query) -
        index.total({ ...query, afterMs: Math.max(query.afterMs, atMs) }) -
        (counted === undefined ? 0n : totalOf(counted, query))
      return { total }
    }
  }

  /**
   * Counts what a request will spend, from this moment. To be called in the same turn of the event loop as the verdict that allowed it.
   *
   * @param nowMs - of this node's clock.
   * @param sureMs - the same when a quorum agrees with it: only then is it known what is too old to matter.
   */
  reserve(requestId: Uint8Array, spends: readonly Spend[], { nowMs, sureMs }: { nowMs: number; sureMs: number | undefined }): Reservation {
    assert(spends.length > 0, 'a request has an item')
    const name = toHex(requestId)
    const entry = this.#count(name, spends, nowMs)
    entry.holds++
    let [isOver, isBegun] = [false, false]
    return {
      write: () => {
        entry.stored = true
        const { atMs } = entry
        const value = encodeSpend(requestId, { atMs, spends: entry.spends })
        const old = this.#takeOld(sureMs)
        return this.#store.apply([{ put: 'spend', key: name, value }, ...old.map((key) => ({ del: 'spend', key }) as const)])
      },
      begin: () => {
        isBegun = true
        entry.begun = true
      },
      end: () => {
        if (isOver) return
        isOver = true
        entry.holds--
        if (!isBegun && !entry.begun && entry.holds === 0) this.#release(name, entry)
      },
    }
  }

  #count(name: string, spends: readonly Spend[], nowMs: number): Entry {
    const known = this.#entries.get(name)
    if (known !== undefined) this.#index.remove(known.spends, known.atMs)
    // A clock that went back does not make a spend older than it was.
    const latest = { spends, atMs: Math.max(nowMs, known?.atMs ?? 0) }
    const entry: Entry = known === undefined ? { ...latest, holds: 0, begun: false, stored: false } : Object.assign(known, latest)
    this.#index.add(entry.spends, entry.atMs)
    this.#entries.delete(name)
    this.#entries.set(name, entry)
    return entry
  }

  #release(name: string, { spends, atMs, stored }: Entry): void {
    this.#index.remove(spends, atMs)
    this.#entries.delete(name)
    if (!stored) return
    this.#store.apply([{ del: 'spend', key: name }]).catch((error: unknown) => {
      // After the next start it counts again: too much is counted, never too little.
      this.#log.warn({ err: error }, 'a spend that came to nothing stays on the disk')
    })
  }

  #takeOld(sureMs: number | undefined): readonly string[] {
    if (sureMs === undefined) return []
    const old: string[] = []
    for (const [name, { atMs, holds }] of this.#entries) {
      if (old.length === PRUNE_MAX || atMs > sureMs - KEEP_MS || holds > 0) break
      old.push(name)
    }
    for (const name of old) this.#entries.delete(name)
    if (old.length > 0) this.#index.forget(sureMs - KEEP_MS)
    return old
  }
}

function totalOf({ atMs, spends }: RequestSpend, { per, name, measure, afterMs, isOn }: SpendQuery): bigint {
  if (atMs <= afterMs) return 0n
  const mine = spends.filter((s) => (per === 'key' ? s.keyId : s.rule) === name && isOn(s.chainId))
  return mine.reduce((sum, s) => sum + (s.measures.get(measure) ?? 0n), 0n)
}
