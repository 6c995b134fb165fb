import { canonicalJson, type JsonValue, parseCanonicalJson, toHex, utf8 } from '@conclave/core'
import { openedPolicyHash, openPolicy, type Policy, type PolicyOpening } from '@conclave/policy'
import { openedPolicy, type ReceiptPolicy, shownPolicy } from '@conclave/receipt'
import type { Store } from '../store/store.ts'

interface Stored {
  readonly sequence: number
  readonly policy: ReceiptPolicy
}

/** A policy that was in force at this node. */
export interface KnownPolicy {
  readonly sequence: number
  /** 32 bytes. */
  readonly hash: Uint8Array
  readonly opening: PolicyOpening
}

/** What a receipt shows of policies, kept for as long as receipts are asked for: a policy file goes with the next one. */
export class OpeningShelf {
  readonly #store: Store
  readonly #kept = new WeakSet<Policy>()

  constructor(store: Store) {
    this.#store = store
  }

  /** Durable when it resolves. @throws {StoreError}. */
  async keep(policy: Policy): Promise<void> {
    if (this.#kept.has(policy)) return
    const opening = openPolicy(policy)
    const stored: Stored = { sequence: policy.sequence, policy: shownPolicy(opening) }
    const value = utf8(canonicalJson(stored as unknown as JsonValue))
    await this.#store.apply([{ put: 'opening', key: toHex(openedPolicyHash(opening)), value }])
    this.#kept.add(policy)
  }

  /** The newest first. @throws {StoreError}. */
  async all(): Promise<readonly KnownPolicy[]> {
    const known = (await this.#store.list('opening')).map(({ value }) => {
      const { sequence, policy } = parseCanonicalJson(value) as unknown as Stored
      const opening = openedPolicy(policy, sequence)
      return { sequence, opening, hash: openedPolicyHash(opening) }
    })
    return known.sort((a, b) => b.sequence - a.sequence)
  }
}
