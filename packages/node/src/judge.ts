import { ConclaveError, checkPath, type ExtendedKey, InvalidArgument, messageOf, toHex } from '@conclave/core'
import {
  type DecodedPayload,
  type Decoding,
  decodePayload,
  digestsAt,
  evaluate,
  type Policy,
  type PolicyVerdict,
  type StatementDigest,
} from '@conclave/policy'
import { DIGESTS_MAX, PAYLOAD_BYTES_MAX, type Propose, type ProposedItem } from '@conclave/wire'

export type Proposal = Pick<Propose, 'keyId' | 'payloadType' | 'items'>

export interface Judged {
  /** Of several items, that of the first which is not allowed. */
  readonly verdict: Pick<PolicyVerdict, 'allowed' | 'code' | 'reason' | 'rule'>
  /** Of each item one or more, with the path of the child that signs it, in their order. */
  readonly digests: readonly StatementDigest[]
}

interface JudgedItem {
  readonly verdict: PolicyVerdict
  readonly digests: readonly StatementDigest[]
}

interface Known {
  readonly type: string
  /** Of the root, hex. */
  readonly publicKey: string
  readonly payload: DecodedPayload
}

/** What this node itself makes of a proposal: it decodes every payload and asks its own policy for each item as if it stood alone. */
export class Judge {
  readonly #policy: Policy
  readonly #decoding: Decoding
  /** By the bytes that were decoded, as long as somebody holds them: nothing changes them. */
  readonly #decoded = new WeakMap<Uint8Array, Known>()

  constructor(policy: Policy, decoding: Decoding = {}) {
    this.#policy = policy
    this.#decoding = decoding
  }

  /**
   * All items are allowed, or the proposal is not. Of several, what is said of one says of which.
   *
   * @param key - the root key that is asked for.
   * @throws {InvalidArgument} BAD_PATH, UNKNOWN_PAYLOAD_TYPE, PAYLOAD_UNDECODABLE, PAYLOAD_TOO_LARGE, TOO_MANY_SIGNATURES.
   */
  judge(proposal: Proposal, key: ExtendedKey): Judged {
    const { items } = proposal
    const bytes = items.reduce((sum, { payload }) => sum + payload.length, 0)
    if (bytes > PAYLOAD_BYTES_MAX)
      throw new InvalidArgument('PAYLOAD_TOO_LARGE', `the payloads of a request have at most ${PAYLOAD_BYTES_MAX} bytes together`)
    const of = (i: number, text: string) => (items.length === 1 ? text : `item ${i + 1} of ${items.length}: ${text}`)
    const judged = items.map((item, i) => {
      try {
        return this.#judgeItem(proposal, item, key)
      } catch (cause) {
        if (items.length === 1 || !(cause instanceof ConclaveError)) throw cause
        throw new InvalidArgument(cause.code, of(i, messageOf(cause)), {}, cause)
      }
    })
    const digests = judged.flatMap((j) => j.digests)
    if (digests.length > DIGESTS_MAX) throw new InvalidArgument('TOO_MANY_SIGNATURES', `a request has at most ${DIGESTS_MAX} signatures`)
    const denied = judged.findIndex((j) => !j.verdict.allowed)
    const { verdict } = judged[Math.max(0, denied)] as JudgedItem
    if (denied >= 0) return { verdict: { ...verdict, reason: of(denied, verdict.reason) }, digests }
    const rules = [...new Set(judged.map((j) => j.verdict.rule))]
    const reason = rules.length === 1 ? verdict.reason : `rules ${rules.map((rule) => `"${rule}"`).join(', ')} allow this`
    return { verdict: { ...verdict, reason, rule: rules.join(', ') }, digests }
  }

  #judgeItem({ keyId, payloadType }: Proposal, { payload: bytes, path }: ProposedItem, key: ExtendedKey): JudgedItem {
    // A path that leads nowhere is refused here, where it is a verdict, and not in the middle of a session.
    checkPath(path)
    const payload = this.#decode(payloadType, bytes, key)
    const digests = digestsAt(payload, path)
    return { verdict: evaluate(this.#policy, { keyId, path, payload }), digests }
  }

  #decode(type: string, bytes: Uint8Array, key: ExtendedKey): DecodedPayload {
    const publicKey = toHex(key.publicKey)
    const known = this.#decoded.get(bytes)
    if (known?.type === type && known.publicKey === publicKey) return known.payload
    const payload = decodePayload(type, bytes, { ...this.#decoding, key })
    this.#decoded.set(bytes, { type, publicKey, payload })
    return payload
  }
}
