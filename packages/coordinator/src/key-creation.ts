import { type Clock, ConclaveError, type ExtendedKey, fromHex, type PartyId, type Random, toHex } from '@conclave/core'
import type { KeyCreated } from '@conclave/wire'
import { askAll } from './ask-all.ts'
import type { ClusterView } from './cluster-view.ts'
import { type NodeCalls, safeCode } from './node-calls.ts'
import { ApiError, type NodeVerdict } from './problem.ts'
import type { KeyRecord, OperationRecord } from './records.ts'
import { isPoint } from './signature.ts'

/** After the first node has failed, how long the others may still say why. */
export const FAILURE_GRACE_MS = 5000

export interface KeyCreationContext {
  readonly view: ClusterView
  readonly calls: NodeCalls
  readonly clock: Clock
  readonly random: Random
  readonly timeoutMs: number
  readonly stopping: AbortSignal
}

type Wanted = Pick<OperationRecord, 'keyId' | 'threshold' | 'parties'>
export type KeyAnswers = ReadonlyMap<PartyId, KeyCreated | ConclaveError>

/** Who of the parties did not make or renew the key, and why. Retriable when everybody who failed says so. */
export function keyFailure(
  view: ClusterView,
  wanted: Wanted,
  answers: KeyAnswers,
  { code, what }: { code: 'KEY_CREATION_FAILED' | 'KEY_RENEWAL_FAILED'; what: string },
): ApiError {
  const silent = new ConclaveError('NODE_TIMEOUT', 'no answer in time', { retriable: true })
  const failed = wanted.parties.flatMap((party) => {
    const answer = answers.get(party) ?? silent
    return answer instanceof ConclaveError ? [{ party, answer }] : []
  })
  const nodeVerdicts = failed.map(
    ({ party, answer }): NodeVerdict => ({ node: party, allowed: false, code: safeCode(answer.code), reason: answer.message, rule: '' }),
  )
  const detail = failed.map(({ party, answer }) => `${view.nameOf(party)}: ${safeCode(answer.code)} (${answer.message})`).join('; ')
  const retriable = failed.every(({ answer }) => answer.retriable)
  return new ApiError(code, `the nodes did not ${what} key ${wanted.keyId}: ${detail}`, { retriable, nodeVerdicts })
}

/** An answer, for messages. */
export function keyLine({ publicKey, chainCode, epoch }: KeyCreated): string {
  return `${toHex(publicKey)} with chain code ${toHex(chainCode)} at epoch ${epoch}`
}

/** What every party answered, when they all answered the same; otherwise the line that tells who said what. */
export function agreedKey(view: ClusterView, wanted: Wanted, created: readonly KeyCreated[]): KeyCreated | string {
  const [first] = created as [KeyCreated]
  const identity = (k: KeyCreated) => [k.keyId, toHex(k.publicKey), toHex(k.chainCode), k.epoch].join()
  const same = created.filter((k) => identity(k) === identity(first)).length
  if (same === created.length && first.keyId === wanted.keyId && isPoint(first.publicKey)) return first
  return wanted.parties.map((p, i) => `${view.nameOf(p)}: ${keyLine(created[i] as KeyCreated)}`).join('; ')
}

export function isCreated(answer: KeyCreated | ConclaveError | undefined): answer is KeyCreated {
  return answer !== undefined && !(answer instanceof ConclaveError)
}

/**
 * The key that every party answered, or why there is none.
 *
 * Public key, chain code, key id and epoch must be the same at all of them: a party that ended with another key could not sign.
 */
export function judgeKeyCreation(view: ClusterView, wanted: Wanted, answers: KeyAnswers): KeyRecord | ApiError {
  const created = wanted.parties.map((p) => answers.get(p)).filter(isCreated)
  if (created.length < wanted.parties.length) {
    return keyFailure(view, wanted, answers, { code: 'KEY_CREATION_FAILED', what: 'create' })
  }
  const agreed = agreedKey(view, wanted, created)
  if (typeof agreed === 'string') return new ApiError('KEY_MISMATCH', `the nodes answered different keys, so none is used: ${agreed}`)
  const { keyId, threshold, parties } = wanted
  return {
    keyId,
    threshold,
    parties,
    publicKey: toHex(agreed.publicKey),
    chainCode: toHex(agreed.chainCode),
    epoch: agreed.epoch,
    state: 'active',
  }
}

/** Sends CreateKey under a fresh nonce to every party and judges the answers. Never rejects. */
export async function createKeyOnce(ctx: KeyCreationContext, wanted: Wanted): Promise<KeyRecord | ApiError> {
  const { view, calls, clock, stopping, timeoutMs } = ctx
  const { keyId, threshold, parties } = wanted
  const createKey = { keyId, threshold, parties, nonce: ctx.random.bytes(32) }
  const answers = await askAll<KeyCreated>({
    nodes: parties.map((p) => view.node(p)),
    ask: (node, signal) => calls.call(node, { createKey }, 'keyCreated', { timeoutMs, signal }),
    hurries: (answer) => answer instanceof ConclaveError,
    graceMs: FAILURE_GRACE_MS,
    clock,
    signal: stopping,
  })
  return judgeKeyCreation(view, wanted, answers)
}

/** 16 random bytes, hex. */
export function freshOperationId(random: Random): string {
  return toHex(random.bytes(16))
}

/** The public half of a stored key, from which its children are derived. */
export function extendedKeyOf(key: KeyRecord): ExtendedKey {
  return { publicKey: fromHex(key.publicKey, 33), chainCode: fromHex(key.chainCode, 32) }
}
