import {
  type AuditEntry,
  AuditError,
  keysFromLocks,
  leafHash,
  type OpenedCheckpoint,
  openCheckpoint,
  parseEntry,
  verifyInclusion,
} from '@conclave/audit'
import { type ClusterLock, fromHex, messageOf, type PartyId, toHex, utf8 } from '@conclave/core'
import type { Statement } from '@conclave/policy'
import type { ReceiptDocument, ReceiptNode } from './receipt-document.ts'
import { refuse } from './receipt-error.ts'

export interface Judges {
  /** At least one; the newest and, where keys have changed, older ones. */
  readonly locks: readonly ClusterLock[]
  /** How many other nodes must have cosigned a checkpoint. */
  readonly required: number
  /** Seconds since 1970: cosignatures from the future are none. */
  readonly nowS: number
}

type Details = AuditEntry['details']

/** What the log of one node says, once it is proved to say it. */
export interface NodeWord {
  readonly node: string
  readonly checkpoint: OpenedCheckpoint
  readonly verdict: AuditEntry
  readonly started: AuditEntry
  /** Undefined when the node has recorded no outcome: it may have crashed. */
  readonly signed: AuditEntry | undefined
  /** Approvers whose approval it had recorded before it began. */
  readonly approvedBy: readonly string[]
}

/** R10: the log's own key has signed the checkpoint, and enough others have cosigned it. */
function openedCheckpoint({ node, checkpoint }: ReceiptNode, { locks, required, nowS }: Judges): OpenedCheckpoint {
  try {
    return openCheckpoint(utf8(checkpoint), keysFromLocks(locks, node, { required, nowS }), { strict: true })
  } catch (cause) {
    const isAlone = cause instanceof AuditError && cause.code === 'CHECKPOINT_UNWITNESSED'
    refuse(isAlone ? 'RECEIPT_UNWITNESSED' : 'RECEIPT_CHECKPOINT', `${node}: ${messageOf(cause)}`, cause)
  }
}

interface Placed {
  readonly index: number
  readonly entry: AuditEntry
}

/** R11: every entry is in the tree of the checkpoint, at its place. */
function includedEntries({ node, entries }: ReceiptNode, { size, root }: OpenedCheckpoint): readonly Placed[] {
  return entries.map(({ index, text, proof }, i) => {
    const bytes = utf8(text)
    const hashes = proof.map((h) => fromHex(h))
    if (!verifyInclusion(leafHash(bytes), { index, size }, hashes, root))
      refuse('RECEIPT_INCLUSION', `${node}: entry ${index} is not in the log of ${size} entries`)
    if (i > 0 && index <= (entries[i - 1] as { index: number }).index) refuse('RECEIPT_INCLUSION', `${node}: entries are not in order`)
    let entry: AuditEntry
    try {
      entry = parseEntry(bytes)
    } catch (cause) {
      refuse('RECEIPT_INCLUSION', `${node}: entry ${index}: ${messageOf(cause)}`, cause)
    }
    if (entry.node !== node) refuse('RECEIPT_INCLUSION', `${node}: entry ${index} is of ${entry.node}`)
    return { index, entry }
  })
}

const isList = (value: Details[string] | undefined, list: readonly (string | number)[]): boolean =>
  Array.isArray(value) && value.length === list.length && value.every((v, i) => v === list[i])

/** What of the statement an entry must repeat. */
export interface Subject {
  readonly statement: Statement
  /** Of it, hex. */
  readonly hash: string
}

const requestIn = ({ statement }: Subject): string => toHex(statement.requestId)
const digestsIn = ({ statement }: Subject): readonly string[] => statement.items.flatMap((i) => i.digests.map((d) => toHex(d.digest)))

function isAbout({ details }: AuditEntry, subject: Subject): boolean {
  const { requestId, statement } = details
  return requestId === requestIn(subject) && statement === subject.hash
}

/** R12: the node's own policy allowed this statement. */
function isVerdict(entry: AuditEntry, subject: Subject): boolean {
  const { code, keyId, payloadType, digests } = entry.details
  const isSame = keyId === subject.statement.keyId && payloadType === subject.statement.payloadType && isList(digests, digestsIn(subject))
  return isAbout(entry, subject) && code === 'ALLOWED' && isSame
}

function isStart(entry: AuditEntry, subject: Subject): boolean {
  const { sid, keyId, digests, epoch, attempt } = entry.details
  const isNamed = typeof sid === 'string' && typeof epoch === 'number' && typeof attempt === 'number'
  return isAbout(entry, subject) && isNamed && keyId === subject.statement.keyId && isList(digests, digestsIn(subject))
}

/** Reads entries of the kinds that a receipt has, in the order in which they have to come. */
function wordOf(node: string, checkpoint: OpenedCheckpoint, placed: readonly Placed[], subject: Subject): NodeWord {
  const of = (kind: string) => placed.filter(({ entry }) => entry.kind === kind)
  const [verdicts, starts, ends, approvals] = [of('request.allowed'), of('session.started'), of('session.signed'), of('approval.given')]
  const [verdict, started, signed] = [verdicts[0], starts[0], ends[0]]
  if (verdict === undefined || verdicts.length > 1 || !isVerdict(verdict.entry, subject))
    refuse('RECEIPT_VERDICT', `${node}: no entry says that its policy allowed this statement`)
  if (started === undefined || starts.length > 1 || ends.length > 1 || !isStart(started.entry, subject))
    refuse('RECEIPT_SESSION', `${node}: no entry says that it began to sign this statement`)
  if (verdict.index > started.index || (signed !== undefined && signed.index < started.index))
    refuse('RECEIPT_SESSION', `${node}: verdict, beginning and end of the session are not in this order`)
  const isGiven = ({ index, entry }: Placed) =>
    index < started.index && isAbout(entry, subject) && typeof entry.details.approver === 'string'
  if (!approvals.every(isGiven)) refuse('RECEIPT_APPROVAL', `${node}: an approval of something else, or too late`)
  if (placed.length !== approvals.length + (signed === undefined ? 2 : 3))
    refuse('RECEIPT_INCLUSION', `${node}: entries that say nothing of this`)
  const approvedBy = approvals.map(({ entry }) => entry.details.approver as string)
  return { node, checkpoint, verdict: verdict.entry, started: started.entry, signed: signed?.entry, approvedBy }
}

/** The nodes that a session was of, as all of them say. */
function signersOf(words: readonly NodeWord[], { nodes }: ReceiptDocument, locks: readonly ClusterLock[]): readonly PartyId[] {
  const [first] = words as readonly [NodeWord]
  const { signers, sid, attempt, epoch } = first.started.details
  if (!Array.isArray(signers) || signers.some((j) => typeof j !== 'number')) refuse('RECEIPT_QUORUM', `${first.node}: a session of nobody`)
  for (const { node, started } of words) {
    const said = started.details
    if (said.sid !== sid || said.attempt !== attempt || said.epoch !== epoch || !isList(said.signers, signers))
      refuse('RECEIPT_SESSION', `${node} speaks of another session than ${first.node}`)
  }
  const namesOf = (j: PartyId) => locks.flatMap((lock) => lock.nodes.filter((n) => n.index === j).map((n) => n.name))
  const isEach = nodes.length === signers.length && signers.every((j, i) => namesOf(j).includes(nodes[i]?.node ?? ''))
  if (!isEach)
    refuse('RECEIPT_QUORUM', `the session was of nodes ${signers.join(', ')}, and the receipt has ${nodes.map((n) => n.node).join(', ')}`)
  return signers
}

/**
 * R10 to R15: each of the nodes that signed has said so in its log, of this statement, and its log is one that others watch.
 *
 * @throws {ReceiptError} RECEIPT_CHECKPOINT, RECEIPT_UNWITNESSED, RECEIPT_INCLUSION, RECEIPT_VERDICT, RECEIPT_SESSION, RECEIPT_QUORUM,
 * RECEIPT_OUTCOME, RECEIPT_APPROVAL.
 */
export function checkNodes(receipt: ReceiptDocument, subject: Subject, judges: Judges): readonly NodeWord[] {
  const { nodes, signatures, approvals, key } = receipt
  const known = new Set(judges.locks.flatMap((lock) => lock.nodes.map((n) => n.name)))
  const words = nodes.map((node) => {
    if (!known.has(node.node)) refuse('RECEIPT_QUORUM', `${node.node} is no node of the cluster lock`)
    const checkpoint = openedCheckpoint(node, judges)
    return wordOf(node.node, checkpoint, includedEntries(node, checkpoint), subject)
  })
  const signers = signersOf(words, receipt, judges.locks)
  const needed = words[0]?.started.details.epoch === key.epoch ? key.threshold : Math.min(...judges.locks.map((l) => l.quorum.required))
  if (new Set(signers).size !== signers.length || signers.length < needed)
    refuse('RECEIPT_QUORUM', `${signers.length} nodes signed, and it takes ${needed}`)
  const outcome = signatures.map((s) => s.signature)
  for (const { node, signed, started } of words) {
    if (signed === undefined) continue
    const { sid, requestId, signatures: recorded } = signed.details
    if (sid !== started.details.sid || requestId !== requestIn(subject) || !isList(recorded, outcome))
      refuse('RECEIPT_OUTCOME', `${node} recorded other signatures`)
  }
  if (words.every((w) => w.signed === undefined)) refuse('RECEIPT_OUTCOME', 'no node has recorded the signatures')
  const recorded = new Set(words.flatMap((w) => w.approvedBy))
  if (approvals.length !== recorded.size || approvals.some((a) => !recorded.has(a.approver)))
    refuse('RECEIPT_APPROVAL', 'its approvals are not those that the nodes have recorded')
  return words
}
