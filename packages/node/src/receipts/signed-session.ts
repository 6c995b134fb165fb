import { type AuditEntry, type AuditLog, parseEntry } from '@conclave/audit'
import { ConclaveError } from '@conclave/core'
import type { LoggedEntry } from './receipt-index.ts'

/** A node that is not sure yet how a session ended waits so long before it says that it does not know. */
const OUTCOME_MS = 30_000

export interface ReadEntry extends LoggedEntry {
  readonly bytes: Uint8Array
  readonly entry: AuditEntry
}

/** What a receipt takes of a node's log, in the order of the log. */
export interface SignedSession {
  /** Hash of the statement, hex. */
  readonly statement: string
  readonly entries: readonly ReadEntry[]
  /** r || s of each digest; undefined when this node did not record them. */
  readonly signatures: readonly string[] | undefined
}

/** @throws {AuditError}. */
export async function readEntries(tree: AuditLog, logged: readonly LoggedEntry[]): Promise<readonly ReadEntry[]> {
  const bundles = new Map<number, readonly Uint8Array[]>()
  const read: ReadEntry[] = []
  for (const { index, kind } of logged) {
    const bundle = Math.floor(index / 256)
    const entries = bundles.get(bundle) ?? (await tree.bundle(bundle))
    bundles.set(bundle, entries)
    const bytes = entries[index % 256] as Uint8Array
    read.push({ index, kind, bytes, entry: parseEntry(bytes) })
  }
  return read
}

const sidOf = ({ entry }: ReadEntry): unknown => entry.details.sid
const isAbout = ({ entry }: ReadEntry, statement: string): boolean => entry.details.statement === statement

/**
 * The session in which a request was signed, and all that a receipt takes of it.
 *
 * @param sid - hex; undefined: the first one of which this node recorded signatures.
 * @throws {ConclaveError} NO_RECEIPT; RECEIPT_NOT_READY (retriable) while a session may still go on.
 */
export function signedSession(read: readonly ReadEntry[], sid: string | undefined, nowMs: number): SignedSession {
  const started = read.filter((e) => e.kind === 'session.started')
  const isFresh = (e: ReadEntry | undefined) => e !== undefined && nowMs - e.entry.timeMs < OUTCOME_MS
  const signed = read.find((e) => e.kind === 'session.signed' && (sid === undefined || sidOf(e) === sid))
  const wanted = sid ?? (signed === undefined ? undefined : sidOf(signed))
  const start = started.find((e) => sidOf(e) === wanted)
  if (signed === undefined && isFresh(start ?? started.at(-1)))
    throw new ConclaveError('RECEIPT_NOT_READY', 'the request is being signed', { retriable: true })
  if (start === undefined) throw new ConclaveError('NO_RECEIPT', 'this node has signed nothing for this request')
  const { statement } = start.entry.details
  if (typeof statement !== 'string') throw new ConclaveError('NO_RECEIPT', 'it was signed by a version that recorded no statements')
  const before = read.filter((e) => e.index < start.index && isAbout(e, statement))
  const verdict = before.findLast((e) => e.kind === 'request.allowed')
  if (verdict === undefined) throw new ConclaveError('NO_RECEIPT', 'this node has no verdict on this statement')
  // One word of each: an approver may have been heard under two keys.
  const approvals = new Map(before.filter((e) => e.kind === 'approval.given').map((e) => [e.entry.details.approver, e]))
  const entries = [...approvals.values(), verdict, start, ...(signed === undefined ? [] : [signed])].sort((a, b) => a.index - b.index)
  const signatures = signed?.entry.details.signatures
  return { statement, entries, signatures: Array.isArray(signatures) ? signatures.map(String) : undefined }
}
