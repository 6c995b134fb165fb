/** What nodes say of their audit logs to each other, and what they store of it; part of control.proto and store.proto. */
import { bytes, bytesBetween, list, message, number, text, type ValueOf } from './schema.ts'

/** A checkpoint with the signatures of its own log: of up to four keys, and one by ML-DSA. */
export const CHECKPOINT_BYTES_MAX = 8 * 1024
const PROOF_HASHES_MAX = 80

export const Cosign = message('Cosign', {
  checkpoint: bytesBetween(1, CHECKPOINT_BYTES_MAX),
  oldSize: number(),
  proof: list(bytes(32), PROOF_HASHES_MAX),
})
export const Cosigned = message('Cosigned', { signature: text(512), code: text(64), known: bytesBetween(0, CHECKPOINT_BYTES_MAX) })

export const StoredWitness = message('StoredWitness', {
  checkpoint: bytesBetween(1, CHECKPOINT_BYTES_MAX),
  conflict: bytesBetween(0, CHECKPOINT_BYTES_MAX),
  at: bytes(8),
})

export type Cosign = ValueOf<typeof Cosign>
export type Cosigned = ValueOf<typeof Cosigned>
export type StoredWitness = ValueOf<typeof StoredWitness>
