/** The backup key in pieces: Shamir's scheme over GF(2^8), any `required` of them give it back, and fewer say nothing of it. */
import { concat, equalBytes, SecretBytes, tagged, utf8, wipe } from '@conclave/core'
import { combine, split } from 'shamir-secret-sharing'

export const BACKUP_KEY_BYTES = 32
const MAGIC = utf8('conclave-piece/1')
const ID_BYTES = 32
/** Of the library: as long as the secret, and the coordinate. */
const SHARE_BYTES = BACKUP_KEY_BYTES + 1
const PIECE_BYTES = MAGIC.length + ID_BYTES + 1 + SHARE_BYTES

/** Secret, as each of its parts is. */
export interface Piece {
  readonly backupId: Uint8Array
  /** Of the custodian in the header, from 0. */
  readonly place: number
  readonly share: Uint8Array
}

const encodePiece = ({ backupId, place, share }: Piece): Uint8Array => concat(MAGIC, backupId, Uint8Array.of(place), share)

/** Undefined for anything that {@link splitKey} would not have made. The share is a copy. */
export function parsePiece(bytes: Uint8Array): Piece | undefined {
  if (bytes.length !== PIECE_BYTES || !equalBytes(bytes.subarray(0, MAGIC.length), MAGIC)) return undefined
  const at = MAGIC.length + ID_BYTES
  return { backupId: bytes.slice(MAGIC.length, at), place: bytes[at] as number, share: bytes.slice(at + 1) }
}

/** What the header says of a piece: it hides the piece, whose share is as long as the key and as random, and fits no other. */
export const pieceCommitment = (piece: Uint8Array): Uint8Array => tagged('backup-piece', piece)

/** @returns encoded pieces in the order of their places; the caller wipes them. */
export async function splitKey(
  key: Uint8Array,
  { backupId, count, required }: { readonly backupId: Uint8Array; readonly count: number; readonly required: number },
): Promise<readonly Uint8Array[]> {
  const shares = await split(key, count, required)
  try {
    return shares.map((share, place) => encodePiece({ backupId, place, share }))
  } finally {
    for (const share of shares) wipe(share)
  }
}

/** @param pieces - of one backup, at different places, `required` of them: of others something else comes out. */
export async function joinKey(pieces: readonly Piece[]): Promise<SecretBytes> {
  return new SecretBytes(await combine(pieces.map(({ share }) => share)))
}
