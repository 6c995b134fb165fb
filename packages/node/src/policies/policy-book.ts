import { assert, messageOf, type PolicyAuthors } from '@conclave/core'
import { type Policy, parsePolicy, policyText, type Rule, type SignedPolicy } from '@conclave/policy'
import { decode, encode, msOf, StoredPolicy, timeBytes } from '@conclave/wire'
import { type Change, type Store, StoreError } from '../store/store.ts'
import { inForce, NO_POLICY, type Policies, type PolicyInForce } from './in-force.ts'

/** Signed policies that a node keeps, the newest. */
export const POLICIES_KEPT = 16

/** Two policies of one sequence, both signed by enough authors: this is the one that is not in force here. */
const FORK = 'fork'

export interface PolicyBookOptions {
  readonly store: Store
  /** In force where the lock names no authors. */
  readonly local: Policy
  readonly authors: PolicyAuthors | undefined
  readonly overlay: Policy | undefined
}

interface Kept {
  readonly signed: SignedPolicy
  readonly atMs: number
}

/** By which they are sorted as their sequences are. */
const nameOf = (sequence: number) => sequence.toString(16).padStart(8, '0')

function readKept(name: string, value: Uint8Array): Kept {
  const { policy, at } = decode(StoredPolicy, value)
  if (name !== FORK && name !== nameOf(policy.sequence)) throw new StoreError('STORE_CORRUPT', `the policy ${name} is another one`)
  return { signed: policy, atMs: msOf(at) }
}

/** Which policy is in force at this node, and the signed ones that were: only ever a higher sequence than any before. */
export class PolicyBook implements Policies {
  readonly #store: Store
  readonly #overlay: Policy | undefined
  readonly #hasAuthors: boolean
  /** The oldest first. */
  readonly #kept: Kept[]
  #present: PolicyInForce
  #rules: readonly Rule[]
  #fork: SignedPolicy | undefined

  private constructor({ store, overlay, authors }: PolicyBookOptions, kept: Kept[], present: PolicyInForce) {
    this.#store = store
    this.#overlay = overlay
    this.#hasAuthors = authors !== undefined
    this.#kept = kept
    this.#present = present
    this.#rules = rulesOf(present)
  }

  /** @throws {StoreError} STORE_CORRUPT, STORE_IO. */
  static async open(options: PolicyBookOptions): Promise<PolicyBook> {
    const { store, local, authors, overlay } = options
    const records = (await store.list('policy')).map(({ key, value }) => [key, readKept(key, value)] as const)
    const kept = records.flatMap(([key, record]) => (key === FORK ? [] : [record]))
    const newest = kept.at(-1)
    // Who had signed it was checked when it was taken up; the lock may name other authors by now.
    const signed = newest === undefined ? NO_POLICY : readText(newest.signed)
    const book = new PolicyBook(options, kept, inForce(authors === undefined ? local : signed, overlay))
    book.#fork = records.find(([key]) => key === FORK)?.[1].signed
    return book
  }

  get present(): PolicyInForce {
    return this.#present
  }

  /** Every rule that this node asks, its own and those of the cluster. */
  get rules(): readonly Rule[] {
    return this.#rules
  }

  /** Whether policies come from authors. */
  get hasAuthors(): boolean {
    return this.#hasAuthors
  }

  /** The newest that was ever signed and taken up; undefined before the first. */
  get newest(): SignedPolicy | undefined {
    return this.#kept.at(-1)?.signed
  }

  /** When that was. */
  get sinceMs(): number | undefined {
    return this.#kept.at(-1)?.atMs
  }

  get fork(): SignedPolicy | undefined {
    return this.#fork
  }

  /** In force when it resolves, and on the disk before. @throws {StoreError} STORE_IO: then the one before stays. */
  async adopt(signed: SignedPolicy, policy: Policy, atMs: number): Promise<void> {
    assert(this.#hasAuthors && signed.sequence > (this.newest?.sequence ?? 0), 'a policy follows one of a lower sequence')
    const old = this.#kept.slice(0, Math.max(0, this.#kept.length + 1 - POLICIES_KEPT))
    const drop = old.map((k): Change => ({ del: 'policy', key: nameOf(k.signed.sequence) }))
    const value = encode(StoredPolicy, { policy: signed, at: timeBytes(atMs) })
    await this.#store.apply([{ put: 'policy', key: nameOf(signed.sequence), value }, ...drop])
    this.#kept.splice(0, old.length)
    this.#kept.push({ signed, atMs })
    this.#present = inForce(policy, this.#overlay)
    this.#rules = rulesOf(this.#present)
  }

  /** Keeps what shows that the authors signed two policies of one sequence. @throws {StoreError} STORE_IO. */
  async keepFork(signed: SignedPolicy, atMs: number): Promise<void> {
    this.#fork = signed
    await this.#store.apply([{ put: 'policy', key: FORK, value: encode(StoredPolicy, { policy: signed, at: timeBytes(atMs) }) }])
  }
}

const rulesOf = ({ policy, overlay }: PolicyInForce): readonly Rule[] => [...policy.rules, ...(overlay?.rules ?? [])]

function readText({ sequence, text }: SignedPolicy): Policy {
  try {
    return parsePolicy(policyText(text))
  } catch (cause) {
    throw new StoreError('STORE_CORRUPT', `the policy of sequence ${sequence} cannot be read: ${messageOf(cause)}`, { cause })
  }
}
