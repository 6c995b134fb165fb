import { type Clock, ConclaveError, equalBytes, toHex } from '@conclave/core'
import { APPROVALS_MAX, type Approval, decode, encode, msOf, StoredApprovals, timeBytes } from '@conclave/wire'
import type { Store } from '../store/store.ts'
import { NamedTurns } from '../store/turns.ts'

/** Requests that may wait for people at once. */
export const WAITING_MAX = 10_000

type Sheet = Pick<StoredApprovals, 'requestId' | 'approvals'> & { readonly expiresAtMs: number }

/** Requests that wait for people, and what people said of them: durable, and at hand until the request expires. */
export class ApprovalBook {
  readonly #store: Store
  readonly #clock: Clock
  readonly #sheets = new Map<string, Sheet>()
  readonly #turns = new NamedTurns()

  private constructor(store: Store, clock: Clock) {
    this.#store = store
    this.#clock = clock
  }

  /** @throws {StoreError}. */
  static async open(store: Store, clock: Clock): Promise<ApprovalBook> {
    const book = new ApprovalBook(store, clock)
    for (const { key, value } of await store.list('approval')) {
      const { requestId, approvals, expiresAt } = decode(StoredApprovals, value)
      book.#sheets.set(key, { requestId, approvals, expiresAtMs: msOf(expiresAt) })
    }
    book.#forgetExpired()
    return book
  }

  /** Ids of requests that have not expired, the oldest first. */
  waiting(): readonly Uint8Array[] {
    this.#forgetExpired()
    return [...this.#sheets.values()].map((s) => s.requestId)
  }

  of(requestId: Uint8Array): readonly Approval[] {
    return this.#sheets.get(toHex(requestId))?.approvals ?? []
  }

  /** Also of requests that have expired. @throws {StoreError}. */
  async recorded(requestId: Uint8Array): Promise<readonly Approval[]> {
    const name = toHex(requestId)
    const known = this.#sheets.get(name)?.approvals
    if (known !== undefined) return known
    const value = await this.#store.get('approval', name)
    return value === undefined ? [] : decode(StoredApprovals, value).approvals
  }

  /** Approvers who said yes to exactly this statement. */
  approvedBy(requestId: Uint8Array, statement: Uint8Array): ReadonlySet<string> {
    return new Set(this.#said(requestId, statement, true))
  }

  /** Everybody who ever said yes to the request, under whichever policy, also when it has expired. @throws {StoreError}. */
  async everApprovedBy(requestId: Uint8Array): Promise<ReadonlySet<string>> {
    const value = await this.#store.get('approval', toHex(requestId))
    const approvals = value === undefined ? [] : decode(StoredApprovals, value).approvals
    return new Set(approvals.flatMap((a) => (a.approves ? [a.approver] : [])))
  }

  rejectedBy(requestId: Uint8Array, statement: Uint8Array): readonly string[] {
    return this.#said(requestId, statement, false)
  }

  /** Whether this approver has said this of this statement already. */
  has(a: Approval): boolean {
    return this.#said(a.requestId, a.statement, a.approves).includes(a.approver)
  }

  /** A request waits from now on. @throws {ConclaveError} INBOX_FULL; {StoreError}. */
  async open(requestId: Uint8Array, expiresAtMs: number): Promise<void> {
    const name = toHex(requestId)
    await this.#turns.take(name, async () => {
      if (!this.#sheets.has(name)) await this.#put(name, { requestId, approvals: [], expiresAtMs })
    })
  }

  /** Notes what was checked; durable when it resolves. @throws {ConclaveError} INBOX_FULL, TOO_MANY_APPROVALS; {StoreError}. */
  async add(approval: Approval, expiresAtMs: number): Promise<void> {
    const { requestId } = approval
    const name = toHex(requestId)
    await this.#turns.take(name, async () => {
      if (this.has(approval)) return
      const approvals = [...this.of(requestId), approval]
      if (approvals.length > APPROVALS_MAX)
        throw new ConclaveError('TOO_MANY_APPROVALS', `a node keeps ${APPROVALS_MAX} approvals of a request`)
      await this.#put(name, { requestId, approvals, expiresAtMs })
    })
  }

  #said(requestId: Uint8Array, statement: Uint8Array, approves: boolean): readonly string[] {
    return this.of(requestId).flatMap((a) => (a.approves === approves && equalBytes(a.statement, statement) ? [a.approver] : []))
  }

  async #put(name: string, sheet: Sheet): Promise<void> {
    if (!this.#sheets.has(name) && this.#sheets.size >= WAITING_MAX) {
      this.#forgetExpired()
      if (this.#sheets.size >= WAITING_MAX)
        throw new ConclaveError('INBOX_FULL', `${WAITING_MAX} requests wait for approvals`, { retriable: true })
    }
    const { expiresAtMs, ...rest } = sheet
    await this.#store.apply([
      { put: 'approval', key: name, value: encode(StoredApprovals, { ...rest, expiresAt: timeBytes(expiresAtMs) }) },
    ])
    this.#sheets.set(name, sheet)
  }

  #forgetExpired(): void {
    const nowMs = this.#clock.nowMs()
    for (const [name, { expiresAtMs }] of this.#sheets) if (expiresAtMs <= nowMs) this.#sheets.delete(name)
  }
}
