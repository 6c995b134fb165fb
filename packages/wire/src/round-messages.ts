/** What the rounds of a protocol carry: deal.proto, pair.proto, sign.proto. */
import { PARTIES_MAX } from '@conclave/core'
import { DIGESTS_MAX } from './request-messages.ts'
import { bytes, bytesBetween, bytesOrEmpty, list, message, type ValueOf } from './schema.ts'
import { OT_COLUMN_BYTES, OT_COLUMNS, VOLE_ROW_SCALARS, VOLE_ROWS } from './sizes.ts'

const HASH = bytes(32)
const SCALAR = bytes(32)
const POINT = bytes(33)
const SALT = bytes(32)

// deal.proto
export const SchnorrProof = message('SchnorrProof', { nonce: POINT, response: SCALAR })
export const DealCommit = message('DealCommit', { sidPart: HASH, commitment: HASH })
export const DealOpen = message('DealOpen', {
  coefficients: list(POINT, PARTIES_MAX),
  chainCodePart: bytesOrEmpty(32),
  salt: SALT,
  proofs: list(SchnorrProof, PARTIES_MAX),
  echo: HASH,
})
export const DealSubshare = message('DealSubshare', { subshare: bytesOrEmpty(32), echo: HASH })
export const DealAttest = message('DealAttest', { signature: bytesBetween(1, 72) })

// pair.proto: one base OT a direction for each column
export const PairStart = message('PairStart', { base: POINT, proof: SchnorrProof, zeroCommitment: HASH })
export const PairChoose = message('PairChoose', { points: bytes(OT_COLUMNS * 33), zeroPart: HASH, zeroSalt: SALT })
export const PairChallenge = message('PairChallenge', { challenges: bytes(OT_COLUMNS * 32) })
export const PairAnswer = message('PairAnswer', { answers: bytes(OT_COLUMNS * 32) })
export const PairReveal = message('PairReveal', { pads: bytes(OT_COLUMNS * 64) })
export const PairConfirm = message('PairConfirm', { pairId: HASH })

// sign.proto
export const OtExtension = message('OtExtension', {
  salt: SALT,
  columns: bytes(OT_COLUMNS * OT_COLUMN_BYTES),
  check: bytes(16),
  checkHash: HASH,
})
const OTS = list(OtExtension, DIGESTS_MAX)
export const Vole = message('Vole', { salt: SALT, rows: bytes(VOLE_ROWS * VOLE_ROW_SCALARS * 32), maskHash: HASH, mask: SCALAR })
const VOLES = list(Vole, DIGESTS_MAX)
const NAMES = list(HASH, DIGESTS_MAX)
export const SignCommit = message('SignCommit', { context: HASH, commitments: list(HASH, DIGESTS_MAX, 1), ots: OTS, offer: NAMES })
export const SignVole = message('SignVole', { ots: OTS, voles: VOLES, echo: HASH })
export const SignLate = message('SignLate', { ots: OTS, voles: list(Vole, DIGESTS_MAX, 1) })
export const Opening = message('Opening', {
  noncePoint: POINT,
  keyPoint: POINT,
  salt: SALT,
  gammaU: SCALAR,
  gammaV: SCALAR,
  checkU: POINT,
  checkV: POINT,
  psi: SCALAR,
})
export const SignOpen = message('SignOpen', { echo: HASH, openings: list(Opening, DIGESTS_MAX, 1) })
export const PartialSignature = message('PartialSignature', { u: SCALAR, w: SCALAR })
export const SignPartial = message('SignPartial', { partials: list(PartialSignature, DIGESTS_MAX, 1) })
export const CorrelateOt = message('CorrelateOt', { context: HASH, ots: list(OtExtension, DIGESTS_MAX, 1) })
export const CorrelateVole = message('CorrelateVole', { voles: list(Vole, DIGESTS_MAX, 1) })
export const CorrelateConfirm = message('CorrelateConfirm', { names: HASH })

export type SchnorrProof = ValueOf<typeof SchnorrProof>
export type OtExtension = ValueOf<typeof OtExtension>
export type Vole = ValueOf<typeof Vole>
export type SignCommit = ValueOf<typeof SignCommit>
export type SignVole = ValueOf<typeof SignVole>
export type Opening = ValueOf<typeof Opening>
export type SignOpen = ValueOf<typeof SignOpen>
export type PartialSignature = ValueOf<typeof PartialSignature>
export type SignPartial = ValueOf<typeof SignPartial>
