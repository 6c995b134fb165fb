import { type ClusterLock, equalBytes, fromHex, messageOf, toHex } from '@conclave/core'
import { decodeStatement, type Policy, type Statement, statementHash } from '@conclave/policy'
import { checkKey, checkSignatures } from './check-key.ts'
import { checkNodes, type Judges, type NodeWord } from './check-nodes.ts'
import { checkDigests, checkItems } from './check-payloads.ts'
import { checkApprovals, checkPolicy, checkRequester } from './check-people.ts'
import { checkPolicyFile } from './check-policy-file.ts'
import { parseReceipt, type ReceiptDocument } from './receipt-document.ts'
import { refuse } from './receipt-error.ts'

export interface VerifyReceiptOptions extends Judges {
  /** The policy that was in force, where whoever verifies has it. */
  readonly policy?: Policy | undefined
}

/** A receipt that holds. */
export interface VerifiedReceipt {
  readonly receipt: ReceiptDocument
  readonly statement: Statement
  /** Of it: 32 bytes. */
  readonly hash: Uint8Array
  readonly nodes: readonly NodeWord[]
  /** A line for each thing that is proved. */
  readonly holds: readonly string[]
  /** A line for each thing that is not. */
  readonly unproved: readonly string[]
}

/** R2. */
function statementIn({ statement: hex }: ReceiptDocument, locks: readonly ClusterLock[]): Statement {
  let statement: Statement
  try {
    statement = decodeStatement(fromHex(hex))
  } catch (cause) {
    refuse('RECEIPT_MALFORMED', messageOf(cause), cause)
  }
  if (locks.length === 0 || !locks.every((lock) => equalBytes(fromHex(lock.clusterId), statement.clusterId)))
    refuse('RECEIPT_OTHER_CLUSTER', 'the statement is of another cluster than the lock')
  return statement
}

const isoOf = (ms: number): string => new Date(ms).toISOString()
const listed = (names: readonly string[]): string => names.join(', ')

interface Findings extends Omit<VerifiedReceipt, 'holds' | 'unproved'> {
  readonly isSigned: boolean
  readonly unread: string | undefined
  readonly rules: readonly string[] | undefined
}

function linesOfProof({ receipt, statement, hash, nodes, isSigned, unread, rules }: Findings): readonly string[] {
  const { approvals, signatures, key } = receipt
  const { keyId, requester, policySequence, payloadType } = statement
  const [{ started }] = nodes as readonly [NodeWord]
  return [
    `statement ${toHex(hash)}: ${statement.items.length} x ${payloadType}, for key ${keyId}, until ${isoOf(Math.min(statement.expiresAtMs, 8.64e15))}`,
    `key ${keyId} is ${key.publicKey}: attested by all ${key.parties.length} nodes of its committee`,
    `${signatures.length} signatures, one for each digest, under ${listed([...new Set(signatures.map((s) => s.path))])}`,
    ...(unread === undefined ? ['what was signed are the digests of exactly these payloads'] : []),
    ...(isSigned ? [`requester ${requester} signed the request`] : []),
    `policy ${policySequence}, ${toHex(statement.policyHash)}`,
    ...approvals.map(
      (a) => `${a.approver} approved it at ${isoOf(Math.min(a.atMs, 8.64e15))}${a.pq === undefined ? '' : ', with ML-DSA-65 too'}`,
    ),
    ...nodes.map(({ node, verdict, checkpoint }) => {
      const by = checkpoint.cosigners.map((c) => c.name.slice(c.name.lastIndexOf('/') + 1))
      return `${node} allowed it by rule ${verdict.details.rule} at ${isoOf(verdict.timeMs)}: in its log of ${checkpoint.size} entries, cosigned by ${listed(by)}`
    }),
    `session ${started.details.sid}: attempt ${started.details.attempt}, epoch ${started.details.epoch}, of ${listed(nodes.map((n) => n.node))}`,
    ...(rules === undefined ? [] : [`each of them held the approvals that ${listed(rules)} asks for`]),
  ]
}

function linesOfDoubt({ statement, nodes, isSigned, unread, rules }: Findings): readonly string[] {
  return [
    ...(isSigned ? [] : [`who asked: the policy names no requesters, so "${statement.requester}" is the word of the coordinator`]),
    ...(rules === undefined ? ['how many approvals the rule asks for: give the policy by --policy'] : []),
    ...(unread === undefined ? [] : [`that the digests are those of the payloads: they cannot be read here (${unread}); the nodes say so`]),
    ...nodes.filter((n) => n.signed === undefined).map((n) => `how it ended at ${n.node}: its log does not say`),
    'what its summary leaves out: read the payload with a decoder that you trust',
    'that the clocks of nodes and approvers were right, or that the transaction was ever sent',
  ]
}

/**
 * Verifies a receipt with nothing but the cluster lock: all checks of docs/spec/receipt.md, in their order.
 *
 * @param options.locks - verified ones, of one cluster.
 * @throws {ReceiptError} with the code of the first check that fails.
 */
export function verifyReceipt(bytes: Uint8Array, options: VerifyReceiptOptions): VerifiedReceipt {
  const { locks, policy } = options
  const receipt = parseReceipt(bytes)
  const statement = statementIn(receipt, locks)
  const hash = statementHash(statement)
  checkItems(receipt, statement)
  checkKey(receipt.key, statement, locks)
  const unread = checkDigests(receipt, statement)
  checkSignatures(receipt, statement)
  const opening = checkPolicy(receipt, statement)
  const isSigned = checkRequester(receipt, statement, opening)
  checkApprovals(receipt, opening, { statement, hash })
  const nodes = checkNodes(receipt, { statement, hash: toHex(hash) }, options)
  const rules = policy === undefined ? undefined : checkPolicyFile(policy, statement, nodes)
  const found: Findings = { receipt, statement, hash, nodes, isSigned, unread, rules }
  return { receipt, statement, hash, nodes, holds: linesOfProof(found), unproved: linesOfDoubt(found) }
}
