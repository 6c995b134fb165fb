import { testLock } from '@conclave/audit/testing'
import { type AuditEvent, tagged, toHex } from '@conclave/core'
import { narrowOpening, openPolicy } from '@conclave/policy'
import { changed, type ReceiptAttack } from './attack.fixture.ts'
import { EXCHANGE, madePolicy } from './made-policy.fixture.ts'
import { JUDGES, type MadeReceipt, type Making, madeReceipt } from './made-receipt.fixture.ts'
import { shownPolicy } from './people.ts'
import type { ReceiptDocument } from './receipt-document.ts'

/** Receipts of which a log says something else; every proof in them is right. */
const logged =
  (alter: (e: AuditEvent) => AuditEvent | undefined, making: Making = {}, of = 'n2') =>
  async () => {
    const events = (node: string, honest: readonly AuditEvent[]) => (node === of ? honest.flatMap((e) => alter(e) ?? []) : honest)
    return (await madeReceipt({ ...making, events })).document
  }
const told = (kind: string, details: AuditEvent['details']) => (e: AuditEvent) =>
  e.kind === kind ? { ...e, details: { ...e.details, ...details } } : e
const untold = (kind: string) => (e: AuditEvent) => (e.kind === kind ? undefined : e)
const OTHER = toHex(tagged('another thing'))

const withNodes = (nodes: (made: MadeReceipt, other: MadeReceipt) => ReceiptDocument['nodes'], making: Making = {}) =>
  changed((made, other) => ({ nodes: nodes(made, other) }), making)

/** With what nodes have written down. */
export const LOG_ATTACKS: readonly ReceiptAttack[] = [
  { check: 'R10', name: 'checkpoint with one cosignature', code: 'RECEIPT_UNWITNESSED', make: changed(() => ({}), { cosigned: 1 }) },
  { check: 'R10', name: 'checkpoint that nobody cosigned', code: 'RECEIPT_UNWITNESSED', make: changed(() => ({}), { cosigned: 0 }) },
  {
    check: 'R10',
    name: 'checkpoint of another log',
    code: 'RECEIPT_CHECKPOINT',
    make: withNodes(({ document: { nodes } }) => nodes.map((n) => ({ ...n, checkpoint: nodes[0]?.checkpoint ?? '' }))),
  },
  {
    check: 'R10',
    name: 'checkpoint of a tree that the coordinator made',
    code: 'RECEIPT_CHECKPOINT',
    make: withNodes(({ document: { nodes } }, other) =>
      nodes.map((n, i) => {
        const [text = ''] = n.checkpoint.split('\n\n')
        const [, signatures = ''] = (other.document.nodes[i]?.checkpoint ?? '').split('\n\n')
        return { ...n, checkpoint: `${text}\n\n${signatures}` }
      }),
    ),
  },
  {
    check: 'R11',
    name: 'entries of another checkpoint than the proofs',
    code: 'RECEIPT_INCLUSION',
    make: withNodes(({ document }, other) =>
      document.nodes.map((n, i) => ({ ...n, checkpoint: other.document.nodes[i]?.checkpoint ?? '' })),
    ),
  },
  {
    check: 'R11',
    name: 'denial turned into a verdict',
    code: 'RECEIPT_INCLUSION',
    make: async () => {
      const denied = (e: AuditEvent) => (e.kind === 'request.allowed' ? { ...e, details: { ...e.details, code: 'DENIED' } } : e)
      const document = await logged(denied)()
      return JSON.parse(JSON.stringify(document).replaceAll('\\"code\\":\\"DENIED\\"', '\\"code\\":\\"ALLOWED\\"')) as ReceiptDocument
    },
  },
  {
    check: 'R11',
    name: 'entry at another place',
    code: 'RECEIPT_INCLUSION',
    make: withNodes(({ document: { nodes } }) =>
      nodes.map((n) => ({ ...n, entries: n.entries.map((e) => ({ ...e, index: e.index - 1 })) })),
    ),
  },
  {
    check: 'R12',
    name: 'node that did not allow it',
    code: 'RECEIPT_VERDICT',
    make: logged(untold('request.allowed')),
  },
  { check: 'R12', name: 'verdict that was a denial', code: 'RECEIPT_VERDICT', make: logged(told('request.allowed', { code: 'DENIED' })) },
  {
    check: 'R12',
    name: 'verdict on another statement',
    code: 'RECEIPT_VERDICT',
    make: logged(told('request.allowed', { statement: OTHER })),
  },
  { check: 'R12', name: 'verdict on other digests', code: 'RECEIPT_VERDICT', make: logged(told('request.allowed', { digests: [OTHER] })) },
  {
    check: 'R12',
    name: 'verdict on another request',
    code: 'RECEIPT_VERDICT',
    make: logged(told('request.allowed', { requestId: OTHER })),
  },
  { check: 'R12', name: 'logs of another request', code: 'RECEIPT_VERDICT', make: withNodes((_, other) => other.document.nodes) },
  { check: 'R13', name: 'node that never began', code: 'RECEIPT_SESSION', make: logged(untold('session.started')) },
  {
    check: 'R13',
    name: 'session of another statement',
    code: 'RECEIPT_SESSION',
    make: logged(told('session.started', { statement: OTHER })),
  },
  { check: 'R13', name: 'sessions of two names', code: 'RECEIPT_SESSION', make: logged(told('session.started', { sid: OTHER })) },
  { check: 'R13', name: 'sessions of two quorums', code: 'RECEIPT_SESSION', make: logged(told('session.started', { signers: [2, 3, 4] })) },
  {
    check: 'R13',
    name: 'verdict after the session began',
    code: 'RECEIPT_SESSION',
    make: async () => {
      const late = (_: string, events: readonly AuditEvent[]) => [
        ...events.filter((e) => e.kind !== 'request.allowed'),
        ...events.filter((e) => e.kind === 'request.allowed'),
      ]
      return (await madeReceipt({ events: late })).document
    },
  },
  { check: 'R14', name: 'fewer nodes than it takes', code: 'RECEIPT_QUORUM', make: changed(() => ({}), { signers: [1, 2] }) },
  {
    check: 'R14',
    name: 'one of the signers left out',
    code: 'RECEIPT_QUORUM',
    make: withNodes(({ document: { nodes } }) => nodes.slice(0, 2)),
  },
  {
    check: 'R14',
    name: 'verdict of a node that was no signer',
    code: 'RECEIPT_QUORUM',
    make: async () => {
      const events = (_: string, honest: readonly AuditEvent[]) => honest.map(told('session.started', { signers: [1, 2, 5] }))
      return (await madeReceipt({ signers: [1, 2, 3], events })).document
    },
  },
  {
    check: 'R14',
    name: 'one node three times',
    code: 'RECEIPT_QUORUM',
    make: withNodes(({ document: { nodes } }) => nodes.map(() => nodes[0] as ReceiptDocument['nodes'][number])),
  },
  {
    check: 'R14',
    name: 'node that the lock does not name',
    code: 'RECEIPT_QUORUM',
    make: changed(() => ({})),
    judges: { ...JUDGES, locks: [{ ...testLock, nodes: testLock.nodes.map((n) => (n.index === 5 ? { ...n, name: 'n6' } : n)) }] },
  },
  {
    check: 'R15',
    name: 'other signatures than the nodes made',
    code: 'RECEIPT_OUTCOME',
    make: logged(told('session.signed', { signatures: [OTHER + OTHER] })),
  },
  { check: 'R15', name: 'outcome of another session', code: 'RECEIPT_OUTCOME', make: logged(told('session.signed', { sid: OTHER })) },
  {
    check: 'R15',
    name: 'session whose end nobody recorded',
    code: 'RECEIPT_OUTCOME',
    make: async () => (await madeReceipt({ events: (_, e) => e.filter((x) => x.kind !== 'session.signed') })).document,
  },
  {
    check: 'R9',
    name: 'approval that no node has heard of',
    code: 'RECEIPT_APPROVAL',
    make: async () => (await madeReceipt({ events: (_, e) => e.filter((x) => x.details.approver !== 'bob') })).document,
  },
  {
    check: 'R9',
    name: 'approval left out that a node went by',
    code: 'RECEIPT_APPROVAL',
    make: changed(({ document: { approvals }, policy }) => ({
      approvals: approvals.slice(1),
      policy: shownPolicy(narrowOpening(openPolicy(policy), { requester: EXCHANGE.name, approvers: new Set(['bob']) })),
    })),
  },
  {
    check: 'R9',
    name: 'approval of another statement in the log',
    code: 'RECEIPT_APPROVAL',
    make: logged(told('approval.given', { statement: OTHER })),
  },
]

/** What shows only where the policy is at hand. */
export const POLICY_ATTACKS: readonly ReceiptAttack[] = [
  {
    check: 'R16',
    name: 'another policy file',
    code: 'RECEIPT_OTHER_POLICY',
    make: changed(() => ({})),
    judges: { ...JUDGES, policy: madePolicy({ sequence: 4 }) },
  },
  {
    check: 'R16',
    name: 'fewer approvals than the rule asks for',
    code: 'RECEIPT_APPROVALS_MISSING',
    make: changed(() => ({}), { approvers: ['alice'] }),
    judges: { ...JUDGES, policy: madePolicy() },
  },
  {
    check: 'R16',
    name: 'node that heard of one approval only',
    code: 'RECEIPT_APPROVALS_MISSING',
    make: logged((e) => (e.details.approver === 'bob' ? undefined : e)),
    judges: { ...JUDGES, policy: madePolicy() },
  },
  {
    check: 'R16',
    name: 'rule that the policy does not have',
    code: 'RECEIPT_OTHER_POLICY',
    make: logged(told('request.allowed', { rule: 'anything' })),
    judges: { ...JUDGES, policy: madePolicy() },
  },
]
