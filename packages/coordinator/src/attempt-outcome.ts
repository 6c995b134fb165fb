import { ConclaveError, type PartyId, Timeout, toHex } from '@conclave/core'
import type { Signed } from '@conclave/wire'
import { NodeFailure } from './node-calls.ts'
import { isValidSignature } from './signature.ts'
import { hasMovedOn } from './signing-quorum.ts'

/** What came of one attempt, so far: no entry means no answer yet. */
export type Answers = ReadonlyMap<PartyId, Signed | ConclaveError>

/** What this coordinator itself knows of the request: nothing here comes from a node's answer. */
export interface Expected {
  readonly requestId: Uint8Array
  readonly digest: Uint8Array
  /** Of the child key at the request's path. */
  readonly publicKey: Uint8Array
  readonly signers: readonly PartyId[]
}

export interface Judging {
  /** Whether who has not answered will not any more. */
  readonly isOver?: boolean
  /** A signature of this attempt that has been verified before. */
  readonly known?: Signed | undefined
}

export interface AttemptOutcome {
  readonly signed: Signed | undefined
  /** Null when every signer answered the same valid signature. */
  readonly code: string | null
  /** Signers that answered something that is provably wrong, or whom a failing node names. */
  readonly culprits: readonly PartyId[]
  readonly waitingFor: readonly PartyId[]
  /** Signers that answered a failure and named nobody for it. */
  readonly refusedBy: readonly PartyId[]
  readonly bytesOnWire: number
}

const ascending = (parties: Iterable<PartyId>) => [...new Set(parties)].sort((a, b) => a - b)

/** @param known - a signature that has been verified, so that its copies need not be. */
function flaw(answer: Signed, expected: Expected, known: Signed | undefined): string | undefined {
  if (toHex(answer.requestId) !== toHex(expected.requestId)) return 'WRONG_REQUEST'
  if (toHex(answer.digest) !== toHex(expected.digest)) return 'WRONG_DIGEST'
  if (known !== undefined && sameSignature(known, answer)) return undefined
  return isValidSignature({ ...answer, publicKey: expected.publicKey }) ? undefined : 'WRONG_SIGNATURE'
}

/**
 * Judges the answers of one attempt.
 *
 * A signature that verifies under the request's child key settles the request even when a signer answers something else: it exists, and no
 * further attempt would unmake it. Whoever answered differently is recorded.
 */
export function judgeAttempt(answers: Answers, expected: Expected, { isOver = true, known }: Judging = {}): AttemptOutcome {
  const codes: string[] = []
  const culprits: PartyId[] = []
  const waitingFor: PartyId[] = []
  const refusedBy: PartyId[] = []
  let bytesOnWire = 0
  let signed: Signed | undefined
  let isProved = false
  for (const signer of expected.signers) {
    const answer = answers.get(signer)
    if (answer === undefined && !isOver) continue
    if (answer === undefined || answer instanceof Timeout) {
      waitingFor.push(signer)
      codes.push('NODE_TIMEOUT')
    } else if (answer instanceof ConclaveError) {
      codes.push(answer.code)
      // Only a signer of this attempt can be what it failed for.
      const named = (list: readonly PartyId[]) => list.filter((p) => p !== signer && expected.signers.includes(p))
      const [blamed, missed] = answer instanceof NodeFailure ? [named(answer.culprits), named(answer.waitingFor)] : [[], [signer]]
      culprits.push(...blamed)
      waitingFor.push(...missed)
      if (blamed.length + missed.length === 0) refusedBy.push(signer)
    } else {
      const wrong =
        flaw(answer, expected, signed ?? known) ?? (signed !== undefined && !sameSignature(signed, answer) ? 'OTHER_SIGNATURE' : undefined)
      if (wrong !== undefined) {
        isProved = true
        culprits.push(signer)
        codes.unshift(wrong)
      } else {
        signed ??= answer
        bytesOnWire += answer.bytesSent
      }
    }
  }
  // What is proved comes first, then what a node said, then silence.
  const said = codes.find((c) => c !== 'NODE_TIMEOUT') ?? codes[0] ?? null
  // What one signer's move to another epoch makes the others say is only its consequence.
  const code = isProved ? said : (codes.find(hasMovedOn) ?? said)
  return { signed, code, culprits: ascending(culprits), waitingFor: ascending(waitingFor), refusedBy, bytesOnWire }
}

function sameSignature(a: Signed, b: Signed): boolean {
  return toHex(a.signature) === toHex(b.signature) && a.recovery === b.recovery
}
