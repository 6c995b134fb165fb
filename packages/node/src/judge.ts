import {
  ConclaveError,
  checkPath,
  type DerivationPath,
  type ExtendedKey,
  fromHex,
  InvalidArgument,
  messageOf,
  payloadHash,
  toHex,
} from '@conclave/core'
import {
  type DecodedPayload,
  type Decoding,
  decodePayload,
  digestsAt,
  evaluateLayered,
  type PolicyVerdict,
  plusSpends,
  type Spend,
  type SpendHistory,
  type Statement,
  type StatementDigest,
  type SummaryLine,
  spendOf,
  statementHash,
  statementOf,
  summaryHash,
} from '@conclave/policy'
import { DIGESTS_MAX, PAYLOAD_BYTES_MAX, type Propose, type ProposedItem } from '@conclave/wire'

import type { Policies, PolicyInForce } from './policies/in-force.ts'
import { termsOf } from './request-terms.ts'

export type Proposal = Pick<Propose, 'requestId' | 'keyId' | 'payloadType' | 'items' | 'terms'>

export interface Judged {
  /** Of several items, that of the first which is not allowed. */
  readonly verdict: Pick<PolicyVerdict, 'allowed' | 'reason' | 'rule'> & { readonly code: PolicyVerdict['code'] | 'REJECTED' | 'FROZEN' }
  /** Of each item one or more, with the path of the child that signs it, in their order. */
  readonly digests: readonly StatementDigest[]
  readonly statement: Statement
  /** Of it: 32 bytes. */
  readonly hash: Uint8Array
  /** Of each item, what a person reads. */
  readonly summaries: readonly (readonly SummaryLine[])[]
  /** Of each item, what it spends under the rule that allows it; empty unless all are allowed. */
  readonly spends: readonly Spend[]
}

/** What a statement says of the policy. */
export interface PolicyName {
  readonly sequence: number
  /** 32 bytes. */
  readonly hash: Uint8Array
}

/** What this node knows beside a proposal. */
interface Knowledge {
  readonly approvedBy: ReadonlySet<string>
  readonly nowMs: number | undefined
  readonly history: SpendHistory | undefined
  readonly requester: string | undefined
  readonly present: PolicyInForce
}

interface ReadItem {
  readonly payload: DecodedPayload
  readonly path: DerivationPath
  readonly digests: readonly StatementDigest[]
}

export interface JudgeOptions {
  /** Hex. */
  readonly clusterId: string
  readonly policies: Policies
  readonly decoding?: Decoding
  /** Who has approved a statement: ids of approvers that count. */
  approvedBy?(statement: Uint8Array, requestId: Uint8Array): ReadonlySet<string>
  /** What was spent by all requests but this one. */
  history?(requestId: Uint8Array): SpendHistory
  /** Undefined when this node is not sure of the time. */
  nowMs?(): number | undefined
}

interface Known {
  readonly type: string
  /** Of the root, hex. */
  readonly publicKey: string
  readonly payload: DecodedPayload
}

/**
 * What this node itself makes of a proposal: it decodes every payload and asks its own policy for each item, as if it stood alone but for
 * what the items before it spend.
 */
export class Judge {
  readonly #o: JudgeOptions
  readonly #clusterId: Uint8Array
  /** By the bytes that were decoded, as long as somebody holds them: nothing changes them. */
  readonly #decoded = new WeakMap<Uint8Array, Known>()

  constructor(options: JudgeOptions) {
    this.#o = options
    this.#clusterId = fromHex(options.clusterId)
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
    const read = items.map((item, i) => {
      try {
        return this.#read(proposal.payloadType, item, key)
      } catch (cause) {
        if (items.length === 1 || !(cause instanceof ConclaveError)) throw cause
        throw new InvalidArgument(cause.code, ofItem(i, items.length, messageOf(cause)), {}, cause)
      }
    })
    const digests = read.flatMap((r) => r.digests)
    if (digests.length > DIGESTS_MAX) throw new InvalidArgument('TOO_MANY_SIGNATURES', `a request has at most ${DIGESTS_MAX} signatures`)
    const { present } = this.#o.policies
    const statement = this.#statement(proposal, read, { sequence: present.policy.sequence, hash: present.hash })
    const hash = statementHash(statement)
    const { requestId, terms } = proposal
    const approvedBy = this.#o.approvedBy?.(hash, requestId) ?? new Set()
    // Where the policy names requesters, the request gate has verified who signed; else it is anybody's word.
    const requester = present.policy.requesters === undefined ? undefined : terms.requester
    const known = { approvedBy, nowMs: this.#o.nowMs?.(), history: this.#o.history?.(requestId), requester, present }
    return { ...this.#verdict(proposal.keyId, read, known), digests, statement, hash, summaries: read.map((r) => r.payload.summary) }
  }

  /** The statement that this node makes of a proposal under a policy that has been in force. @throws {InvalidArgument} as {@link judge}. */
  stated(proposal: Proposal, key: ExtendedKey, policy: PolicyName): Pick<Judged, 'statement' | 'summaries'> {
    const read = proposal.items.map((item) => this.#read(proposal.payloadType, item, key))
    return { statement: this.#statement(proposal, read, policy), summaries: read.map((r) => r.payload.summary) }
  }

  #read(payloadType: string, { payload: bytes, path }: ProposedItem, key: ExtendedKey): ReadItem {
    // A path that leads nowhere is refused here, where it is a verdict, and not in the middle of a session.
    checkPath(path)
    const payload = this.#decode(payloadType, bytes, key)
    return { payload, path, digests: digestsAt(payload, path) }
  }

  #statement({ requestId, keyId, payloadType, items, terms }: Proposal, read: readonly ReadItem[], policy: PolicyName): Statement {
    const facts = { clusterId: this.#clusterId, requestId, keyId, keyEpoch: terms.keyEpoch, payloadType }
    const stated = read.map(({ payload, digests }, i) => ({
      payloadHash: payloadHash((items[i] as ProposedItem).payload),
      summaryHash: summaryHash(payloadType, payload.summary),
      digests,
    }))
    return statementOf({ ...facts, items: stated, policySequence: policy.sequence, policyHash: policy.hash }, termsOf(terms))
  }

  /** What waits for approvals is worth asking for only when nothing else is denied. */
  #verdict(keyId: string, read: readonly ReadItem[], known: Knowledge): Pick<Judged, 'verdict' | 'spends'> {
    const spends: Spend[] = []
    const verdicts = read.map(({ payload, path }) => {
      const history = known.history && plusSpends(known.history, spends)
      const verdict = evaluateLayered(known.present, { ...known, keyId, path, payload, history })
      if (verdict.allowed || verdict.code === 'PENDING_APPROVAL') spends.push(spendOf(keyId, verdict.rule, payload))
      return verdict
    })
    const denied = verdicts.findIndex((v) => !v.allowed && v.code !== 'PENDING_APPROVAL')
    const first = denied >= 0 ? denied : verdicts.findIndex((v) => !v.allowed)
    const verdict = verdicts[Math.max(0, first)] as PolicyVerdict
    if (first >= 0) return { verdict: { ...verdict, reason: ofItem(first, read.length, verdict.reason) }, spends: [] }
    const rules = [...new Set(verdicts.map((v) => v.rule))]
    const reason = rules.length === 1 ? verdict.reason : `rules ${rules.map((rule) => `"${rule}"`).join(', ')} allow this`
    return { verdict: { ...verdict, reason, rule: rules.join(', ') }, spends }
  }

  #decode(type: string, bytes: Uint8Array, key: ExtendedKey): DecodedPayload {
    const publicKey = toHex(key.publicKey)
    const known = this.#decoded.get(bytes)
    if (known?.type === type && known.publicKey === publicKey) return known.payload
    const payload = decodePayload(type, bytes, { ...this.#o.decoding, key })
    this.#decoded.set(bytes, { type, publicKey, payload })
    return payload
  }
}

const ofItem = (i: number, count: number, text: string) => (count === 1 ? text : `item ${i + 1} of ${count}: ${text}`)
