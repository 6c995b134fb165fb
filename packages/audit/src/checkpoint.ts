import { AuditError } from './audit-error.ts'
import { HASH_BYTES, SIZE_MAX, type TreeHead } from './merkle.ts'
import { fromBase64, type Note, type NoteVerifier, parseNote, toBase64, verifyNote } from './note.ts'
import { cosignatureTimeS } from './note-keys.ts'

/** C2SP tlog-checkpoint: what a log says of itself. */
export interface Checkpoint extends TreeHead {
  readonly origin: string
}

const ORIGIN = /^[\x21-\x2a\x2c-\x7e]{1,200}$/
const SIZE = /^(0|[1-9]\d{0,12})$/

function bad(message: string): never {
  throw new AuditError('BAD_CHECKPOINT', `checkpoint: ${message}`)
}

/** What a log is called in its own checkpoints and in the signatures of its node, of any kind. */
export function originOf(clusterId: string, nodeName: string): string {
  return `conclave/${clusterId}/${nodeName}`
}

export function formatCheckpoint({ origin, size, root }: Checkpoint): string {
  if (!ORIGIN.test(origin)) bad('not an origin')
  return `${origin}\n${size}\n${toBase64(root)}\n`
}

/** Three lines and no more: extension lines would be signed by cosigners who cannot judge them. @throws {AuditError} BAD_CHECKPOINT. */
export function parseCheckpoint(text: string): Checkpoint {
  const [origin = '', size = '', root = '', last, ...rest] = text.split('\n')
  if (!ORIGIN.test(origin) || last !== '' || rest.length > 0) bad('not origin, size and root')
  if (!SIZE.test(size) || Number(size) > SIZE_MAX) bad('not a tree size')
  const hash = /^[A-Za-z0-9+/]{43}=$/.test(root) ? fromBase64(root) : bad('not a root hash')
  return { origin, size: Number(size), root: hash.length === HASH_BYTES ? hash : bad('not a root hash') }
}

/** Keys by which checkpoints of one log are judged. */
export interface CheckpointKeys {
  readonly origin: string
  /** Of the log: one of them is enough. */
  readonly log: readonly NoteVerifier[]
  /** Of those who cosign. */
  readonly cosigners: readonly NoteVerifier[]
  /** Additional keys of the log. Each must have signed when `pq` is not empty. */
  readonly pq?: readonly NoteVerifier[]
  /** How many distinct cosigners there must be. */
  readonly required: number
}

/** A checkpoint whose signatures hold. */
export interface OpenedCheckpoint extends Checkpoint {
  readonly note: Note
  /** Names and times of those who cosigned, each name once. */
  readonly cosigners: readonly { readonly name: string; readonly timeS: number }[]
}

/**
 * Reads a checkpoint by its signatures: of the log, right ones of all others that are known, and enough of them.
 *
 * @param options.strict - also refuse signatures of unknown keys, which others must ignore: in our own files there are none.
 * @throws {AuditError} BAD_NOTE, BAD_CHECKPOINT, CHECKPOINT_UNSIGNED, CHECKPOINT_UNWITNESSED.
 */
export function openCheckpoint(bytes: Uint8Array, keys: CheckpointKeys, options: { strict?: boolean } = {}): OpenedCheckpoint {
  const note = parseNote(bytes)
  const checkpoint = parseCheckpoint(note.text)
  if (checkpoint.origin !== keys.origin) bad(`it is of "${checkpoint.origin}", not of "${keys.origin}"`)
  const pq = keys.pq ?? []
  const { valid, wrong, unknown, repeated } = verifyNote(note, [...keys.log, ...pq, ...keys.cosigners])
  const has = (v: NoteVerifier) => valid.some(({ verifier }) => verifier === v)
  if (!keys.log.some(has)) throw new AuditError('CHECKPOINT_UNSIGNED', `checkpoint: no valid signature of ${keys.origin}`)
  if (!pq.every(has)) throw new AuditError('CHECKPOINT_UNSIGNED', `checkpoint: no valid post-quantum signature of ${keys.origin}`)
  if (wrong.length > 0) bad(`a signature of ${wrong[0]?.name} is wrong`)
  if (repeated.length > 0) bad(`${repeated[0]?.name} signed twice`)
  if (options.strict === true && unknown.length > 0)
    bad(`a signature in the name of ${unknown[0]?.name} is of an unknown key (an ML-DSA key must be given)`)
  const cosigners = new Map<string, number>()
  for (const { verifier, signature } of valid) {
    if (keys.cosigners.includes(verifier)) cosigners.set(verifier.name, cosignatureTimeS(signature) ?? 0)
  }
  if (cosigners.size < keys.required)
    throw new AuditError('CHECKPOINT_UNWITNESSED', `checkpoint: ${cosigners.size} of ${keys.required} cosignatures`)
  return { ...checkpoint, note, cosigners: [...cosigners].map(([name, timeS]) => ({ name, timeS })) }
}
