import { ConclaveError, type PartyId, Timeout, toHex } from '@conclave/core'
import type { Signed, SignedItem } from '@conclave/wire'
import { NodeFailure } from './node-calls.ts'
import { isValidSignature } from './signature.ts'
import { hasMovedOn } from './signing-quorum.ts'

/** What came of one attempt, so far: no entry means no answer yet. */
export type Answers = ReadonlyMap<PartyId, Signed | ConclaveError>

export interface ExpectedItem {
  readonly digest: Uint8Array
  /** Of the child key at the item's path. */
  readonly publicKey: Uint8Array
}

/** What this coordinator itself knows of the request: nothing here comes from a node's answer. */
export interface Expected {
  readonly requestId: Uint8Array
  readonly items: readonly ExpectedItem[]
  readonly signers: readonly PartyId[]
}

export interface Judging {
  /** Whether who has not answered will not any more. */
  readonly isOver?: boolean
  /** An answer of this attempt that has been verified before. */
  readonly known?: Signed | undefined
}

export interface AttemptOutcome {
  readonly signed: Signed | undefined
  /** Null when every signer answered the same valid signatures. */
  readonly code: string | null
  /** Signers that answered something that is provably wrong, or whom a failing node names. */
  readonly culprits: readonly PartyId[]
  readonly waitingFor: readonly PartyId[]
  /** Signers that answered a failure and named nobody for it. */
  readonly refusedBy: readonly PartyId[]
  readonly bytesOnWire: number
}

const ascending = (parties: Iterable<PartyId>) => [...new Set(parties)].sort((a, b) => a - b)

/** @param known - signatures that have been verified, so that their copies need not be. */
function flaw(answer: Signed, expected: Expected, known: Signed | undefined): string | undefined {
  if (toHex(answer.requestId) !== toHex(expected.requestId)) return 'WRONG_REQUEST'
  const { items } = expected
  const isOf = ({ digest }: SignedItem, i: number) => toHex(digest) === toHex(items[i]?.digest ?? new Uint8Array(0))
  if (answer.items.length !== items.length || !answer.items.every(isOf)) return 'WRONG_DIGEST'
  if (known !== undefined && sameSignatures(known, answer)) return undefined
  const isValid = (signed: SignedItem, i: number) => isValidSignature({ ...signed, publicKey: (items[i] as ExpectedItem).publicKey })
  return answer.items.every(isValid) ? undefined : 'WRONG_SIGNATURE'
}

/**
 * Judges the answers of one attempt.
 *
 * An answer whose signatures all verify, each under its item's child key, settles the request even when a signer answers something else: they
 * exist, and no further attempt would unmake them. Whoever answered differently is recorded.
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
        flaw(answer, expected, signed ?? known) ?? (signed !== undefined && !sameSignatures(signed, answer) ? 'OTHER_SIGNATURE' : undefined)
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

function sameSignatures(a: Signed, b: Signed): boolean {
  const text = ({ items }: Signed) => items.map(({ signature, recovery }) => `${toHex(signature)} ${recovery}`).join()
  return text(a) === text(b)
}
