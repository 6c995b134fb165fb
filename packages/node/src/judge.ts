import { ConclaveError, checkPath, InvalidArgument, messageOf } from '@conclave/core'
import { type DecodedPayload, decodePayload, evaluate, type Policy, type PolicyVerdict } from '@conclave/policy'
import { PAYLOAD_BYTES_MAX, type Propose, type ProposedItem } from '@conclave/wire'

export type Proposal = Pick<Propose, 'keyId' | 'payloadType' | 'items'>

export interface Judged {
  /** Of several items, that of the first which is not allowed. */
  readonly verdict: Pick<PolicyVerdict, 'allowed' | 'code' | 'reason' | 'rule'>
  /** One for each item, in their order. */
  readonly digests: readonly Uint8Array[]
}

interface JudgedItem {
  readonly verdict: PolicyVerdict
  readonly digest: Uint8Array
}

/** What this node itself makes of a proposal: it decodes every payload and asks its own policy for each item as if it stood alone. */
export class Judge {
  readonly #policy: Policy
  /** By the bytes that were decoded, as long as somebody holds them: nothing changes them. */
  readonly #decoded = new WeakMap<Uint8Array, DecodedPayload>()

  constructor(policy: Policy) {
    this.#policy = policy
  }

  /**
   * All items are allowed, or the proposal is not. Of several, what is said of one says of which.
   *
   * @throws {InvalidArgument} BAD_PATH, UNKNOWN_PAYLOAD_TYPE, PAYLOAD_UNDECODABLE, PAYLOAD_TOO_LARGE.
   */
  judge(proposal: Proposal): Judged {
    const { items } = proposal
    const bytes = items.reduce((sum, { payload }) => sum + payload.length, 0)
    if (bytes > PAYLOAD_BYTES_MAX)
      throw new InvalidArgument('PAYLOAD_TOO_LARGE', `the payloads of a request have at most ${PAYLOAD_BYTES_MAX} bytes together`)
    const of = (i: number, text: string) => (items.length === 1 ? text : `item ${i + 1} of ${items.length}: ${text}`)
    const judged = items.map((item, i) => {
      try {
        return this.#judgeItem(proposal, item)
      } catch (cause) {
        if (items.length === 1 || !(cause instanceof ConclaveError)) throw cause
        throw new InvalidArgument(cause.code, of(i, messageOf(cause)), {}, cause)
      }
    })
    const digests = judged.map((j) => j.digest)
    const denied = judged.findIndex((j) => !j.verdict.allowed)
    const { verdict } = judged[Math.max(0, denied)] as JudgedItem
    if (denied >= 0) return { verdict: { ...verdict, reason: of(denied, verdict.reason) }, digests }
    const rules = [...new Set(judged.map((j) => j.verdict.rule))]
    const reason = rules.length === 1 ? verdict.reason : `rules ${rules.map((rule) => `"${rule}"`).join(', ')} allow this`
    return { verdict: { ...verdict, reason, rule: rules.join(', ') }, digests }
  }

  #judgeItem({ keyId, payloadType }: Proposal, { payload: bytes, path }: ProposedItem): JudgedItem {
    // A path that leads nowhere is refused here, where it is a verdict, and not in the middle of a session.
    checkPath(path)
    const known = this.#decoded.get(bytes)
    const payload = known?.type === payloadType ? known : decodePayload(payloadType, bytes)
    this.#decoded.set(bytes, payload)
    return { verdict: evaluate(this.#policy, { keyId, path, payload }), digest: payload.digest }
  }
}
