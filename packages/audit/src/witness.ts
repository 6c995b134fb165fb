import { equalBytes } from '@conclave/core'
import { type TreeHead, verifyConsistency } from './merkle.ts'

/** Hashes of a consistency proof: twice the height of the highest tree. */
export const PROOF_HASHES_MAX = 80

/**
 * What a witness makes of a checkpoint, knowing the last one of that log that it has cosigned. Of these only `consistent` may be
 * cosigned. The signature of the log has been checked before.
 *
 * - `consistent`: the log goes on from what is known, or is the same.
 * - `other-base`: the proof is not from what is known; nothing is wrong with that.
 * - `rolled-back`: it is shorter than what this log has signed before.
 * - `forked`: it has another history than what this log has signed before.
 */
export type WitnessVerdict = 'consistent' | 'other-base' | 'rolled-back' | 'forked'

export interface Submission {
  readonly head: TreeHead
  /** Size of the tree that the proof goes on from; 0 and no proof for a log that the witness has never seen. */
  readonly oldSize: number
  readonly proof: readonly Uint8Array[]
}

export function judgeCheckpoint(known: TreeHead | undefined, { head, oldSize, proof }: Submission): WitnessVerdict {
  if (known === undefined) return oldSize === 0 && proof.length === 0 ? 'consistent' : 'other-base'
  if (head.size < known.size) return 'rolled-back'
  if (head.size === known.size) return equalBytes(head.root, known.root) ? 'consistent' : 'forked'
  if (oldSize !== known.size) return 'other-base'
  return verifyConsistency(known, head, proof) ? 'consistent' : 'forked'
}
