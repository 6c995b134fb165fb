import { type AuditLog, entryText } from '@conclave/audit'
import { u64 } from '@conclave/core'
import { decode, encode, msOf, RECEIPT_ENTRIES_MAX, StoredReceipt } from '@conclave/wire'
import type { Change, Store } from '../store/store.ts'
import { Turns } from '../store/turns.ts'

/** Entries of the log that are looked through at once. */
const STEP_ENTRIES = 1024
/** No request has this id: it is no hexadecimal. */
const MARK = 'indexed'

const KINDS = ['request.allowed', 'approval.given', 'session.started', 'session.signed'] as const
export type LoggedKind = (typeof KINDS)[number]

/** An entry of a request in this node's log. */
export interface LoggedEntry {
  readonly index: number
  readonly kind: LoggedKind
}

// In JSON as entries have it neither can stand inside a text, where quotes are escaped.
const KIND = /"kind":"(request\.allowed|approval\.given|session\.started|session\.signed)"/
const REQUEST = /"requestId":"([0-9a-f]{64})"/

/** Too many attempts push out the oldest attempts, and never a verdict or an approval before those. */
function bounded(entries: readonly LoggedEntry[]): readonly LoggedEntry[] {
  const surplus = entries.length - RECEIPT_ENTRIES_MAX
  if (surplus <= 0) return entries
  const attempts = entries.filter((e) => e.kind.startsWith('session.'))
  const dropped = new Set([...attempts, ...entries].slice(0, surplus))
  return entries.filter((e) => !dropped.has(e))
}

/**
 * Where in its log a node finds what it recorded of a request. Follows from the log alone: it is made behind it, off the way of
 * signatures, and made up for after a crash.
 */
export class ReceiptIndex {
  readonly #store: Store
  readonly #tree: AuditLog
  readonly #turns = new Turns()
  /** Entries that have been looked through. */
  #size: number | undefined

  constructor(store: Store, tree: AuditLog) {
    this.#store = store
    this.#tree = tree
  }

  /** Looks through everything that is in the log when this is called. @throws {StoreError}; {AuditError}. */
  async catchUp(): Promise<void> {
    const end = this.#tree.size
    while ((await this.#known()) < end) await this.#turns.take(() => this.#step(end))
  }

  /** Entries of a request, in their order. @throws {StoreError}. */
  async of(request: string): Promise<readonly LoggedEntry[]> {
    const value = await this.#store.get('receipt', request)
    if (value === undefined) return []
    return decode(StoredReceipt, value).entries.map(({ index, kind }) => ({ index: msOf(index), kind: KINDS[kind] as LoggedKind }))
  }

  async #known(): Promise<number> {
    const mark = this.#size === undefined ? await this.#store.get('receipt', MARK) : undefined
    this.#size ??= mark === undefined ? 0 : msOf(mark)
    return this.#size
  }

  async #step(end: number): Promise<void> {
    const from = await this.#known()
    const to = Math.min(end, from + STEP_ENTRIES)
    const found = new Map<string, LoggedEntry[]>()
    for (let bundle = Math.floor(from / 256); bundle * 256 < to; bundle++) {
      for (const [i, bytes] of (await this.#tree.bundle(bundle)).entries()) {
        const index = bundle * 256 + i
        if (index >= from && index < to) note(found, index, entryText(bytes))
      }
    }
    const changes: Change[] = [{ put: 'receipt', key: MARK, value: u64(to) }]
    for (const [request, entries] of found) {
      const all = bounded([...(await this.of(request)), ...entries])
      const stored = all.map(({ index, kind }) => ({ index: u64(index), kind: KINDS.indexOf(kind) }))
      changes.push({ put: 'receipt', key: request, value: encode(StoredReceipt, { entries: stored }) })
    }
    await this.#store.apply(changes)
    this.#size = to
  }
}

function note(found: Map<string, LoggedEntry[]>, index: number, text: string): void {
  const kind = KIND.exec(text)?.[1] as LoggedKind | undefined
  const request = REQUEST.exec(text)?.[1]
  if (kind === undefined || request === undefined) return
  const known = found.get(request)
  if (known === undefined) found.set(request, [{ index, kind }])
  else known.push({ index, kind })
}
