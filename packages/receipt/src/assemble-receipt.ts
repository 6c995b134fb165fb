import { encodeReceipt, parseReceipt, type ReceiptDocument } from './receipt-document.ts'
import { ReceiptError, refuse } from './receipt-error.ts'
import { type VerifyReceiptOptions, verifyReceipt } from './verify-receipt.ts'

/** The session that a part of a receipt is about, as the node that made it says. Nothing of it is believed. */
export interface PartSession {
  /** 32 bytes, hex. */
  readonly sid: string
  /** Indices in the cluster lock. */
  readonly signers: readonly number[]
}

/** @throws {ReceiptError} RECEIPT_MALFORMED, RECEIPT_TOO_LARGE. */
export function sessionOfPart(bytes: Uint8Array): PartSession {
  const { nodes } = parseReceipt(bytes)
  for (const { text } of nodes.flatMap((n) => n.entries)) {
    const { kind, details } = readEntry(text)
    if (kind !== 'session.started') continue
    const { sid, signers } = details as { sid?: unknown; signers?: unknown }
    const isList = Array.isArray(signers) && signers.length <= 9 && signers.every((j) => Number.isInteger(j))
    if (typeof sid === 'string' && /^[0-9a-f]{64}$/.test(sid) && isList) return { sid, signers }
  }
  refuse('RECEIPT_MALFORMED', 'a part without a session')
}

function readEntry(text: string): { readonly kind?: unknown; readonly details: object } {
  try {
    const { kind, details } = JSON.parse(text) as { kind?: unknown; details?: unknown }
    return { kind, details: typeof details === 'object' && details !== null ? details : {} }
  } catch (cause) {
    refuse('RECEIPT_MALFORMED', 'an entry is not JSON', cause)
  }
}

function joined(common: ReceiptDocument, parts: readonly ReceiptDocument[]): ReceiptDocument {
  const approvals = new Map(parts.flatMap((p) => p.approvals).map((a) => [a.approver, a]))
  const people = { ...common.policy, approvers: common.policy.approvers?.map((one, i) => shownBy(parts, one, i)) ?? null }
  return {
    ...common,
    policy: people,
    approvals: [...approvals.values()].sort((a, b) => (a.approver < b.approver ? -1 : 1)),
    nodes: parts.flatMap((p) => p.nodes),
  }
}

type Shown = NonNullable<ReceiptDocument['policy']['approvers']>[number]

/** Nodes may have heard of different approvals, and each shows those whose word it heard. */
function shownBy(parts: readonly ReceiptDocument[], one: Shown, i: number): Shown {
  if (typeof one !== 'string') return one
  const shown = parts.map((p) => p.policy.approvers?.[i]).find((a) => a !== undefined && typeof a !== 'string')
  return shown ?? one
}

/**
 * One receipt of what each of the signers says, in the order of their indices. It is verified: a node that lies about what all of them
 * have in common is passed over, and one that lies about itself spoils the receipt.
 *
 * @throws {ReceiptError} what {@link verifyReceipt} throws of it, RECEIPT_INCOMPLETE without any part.
 */
export function assembleReceipt(parts: readonly Uint8Array[], options: VerifyReceiptOptions): Uint8Array {
  const read = parts.map(parseReceipt)
  let failure: unknown
  for (const common of read) {
    try {
      const bytes = encodeReceipt(joined(common, read))
      verifyReceipt(bytes, options)
      return bytes
    } catch (error) {
      if (!(error instanceof ReceiptError)) throw error
      failure ??= error
    }
  }
  throw failure ?? new ReceiptError('RECEIPT_INCOMPLETE', 'receipt: no node has said anything')
}
