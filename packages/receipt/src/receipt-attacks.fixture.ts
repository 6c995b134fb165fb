import { testLock } from '@conclave/audit/testing'
import { fromHex, tagged, toHex } from '@conclave/core'
import { narrowOpening, openPolicy } from '@conclave/policy'
import { changed, type ReceiptAttack } from './attack.fixture.ts'
import { LOG_ATTACKS, POLICY_ATTACKS } from './log-attacks.fixture.ts'
import { BOB, CAROL, EXCHANGE, madeApproval, madePolicy, person } from './made-policy.fixture.ts'
import { JUDGES } from './made-receipt.fixture.ts'
import { shownApproval, shownPolicy } from './people.ts'
import type { ReceiptDocument } from './receipt-document.ts'

const OTHER = toHex(tagged('another thing'))

const REQUEST: readonly ReceiptAttack[] = [
  {
    check: 'R2',
    name: 'receipt of another cluster',
    code: 'RECEIPT_OTHER_CLUSTER',
    make: changed(() => ({})),
    judges: { ...JUDGES, locks: [{ ...testLock, clusterId: OTHER }] },
  },
  {
    check: 'R2',
    name: 'statement that is none',
    code: 'RECEIPT_MALFORMED',
    make: changed(({ document }) => ({ statement: `${document.statement}00` })),
  },
  {
    check: 'R3',
    name: 'payload of another request',
    code: 'RECEIPT_PAYLOAD',
    make: changed((_, { document }) => ({ items: document.items })),
  },
  {
    check: 'R3',
    name: 'summary that says something harmless',
    code: 'RECEIPT_SUMMARY',
    make: changed(({ document }) => ({
      items: document.items.map((i) => ({ ...i, summary: [{ label: 'Payment', value: 'of nothing' }] })),
    })),
  },
  {
    check: 'R6',
    name: 'signature of another request',
    code: 'RECEIPT_SIGNATURE',
    make: changed((_, { document }) => ({ signatures: document.signatures })),
  },
  {
    check: 'R4',
    name: 'signature of something else than the payload',
    code: 'RECEIPT_DIGEST',
    make: changed(() => ({}), { digest: tagged('a payment of everything') }),
  },
  {
    check: 'R6',
    name: 'right digest, wrong signature',
    code: 'RECEIPT_SIGNATURE',
    make: changed(({ document }, other) => ({
      signatures: document.signatures.map((s, i) => ({ ...s, signature: other.document.signatures[i]?.signature ?? '' })),
    })),
  },
  {
    check: 'R5',
    name: 'key that nobody has attested',
    code: 'RECEIPT_KEY',
    make: changed(({ document }) => ({ key: { ...document.key, publicKey: document.key.publicShares[0] as string } })),
  },
  {
    check: 'R5',
    name: 'key of a committee of two cheats',
    code: 'RECEIPT_KEY',
    make: changed(({ document: { key } }) => ({
      key: {
        ...key,
        threshold: 2,
        parties: [1, 2],
        publicShares: key.publicShares.slice(0, 2),
        attestations: key.attestations.slice(0, 2),
      },
    })),
  },
  {
    check: 'R5',
    name: 'attestation of one node in the place of another',
    code: 'RECEIPT_KEY',
    make: changed(({ document: { key } }) => ({
      key: { ...key, attestations: key.attestations.map((a) => ({ ...a, signature: key.attestations[0]?.signature ?? '' })) },
    })),
  },
]

const PEOPLE: readonly ReceiptAttack[] = [
  {
    check: 'R7',
    name: 'people of another policy',
    code: 'RECEIPT_POLICY',
    make: changed(() => ({
      policy: shownPolicy(narrowOpening(openPolicy(madePolicy({ isPq: true })), { requester: EXCHANGE.name, approvers: new Set() })),
    })),
  },
  {
    check: 'R7',
    name: 'approver with a key of the coordinator',
    code: 'RECEIPT_POLICY',
    make: changed(({ document: { policy } }) => ({
      policy: {
        ...policy,
        approvers: policy.approvers?.map((a) => (typeof a === 'string' ? a : { ...a, keys: [person('mallory').text] })) ?? null,
      },
    })),
  },
  {
    check: 'R7',
    name: 'requesters hidden among other parts of the policy',
    code: 'RECEIPT_POLICY',
    make: changed(({ policy }) => {
      const { requesters, rules, ...rest } = shownPolicy(narrowOpening(openPolicy(policy), { approvers: new Set(['alice', 'bob']) }))
      const hidden = toHex(tagged('policy-requesters', ...(requesters ?? []).map((r) => fromHex(r as string))))
      return { policy: { ...rest, rules: [...rules, hidden], requesters: null }, request: null }
    }),
  },
  {
    check: 'R7',
    name: 'more of the policy than the request needs',
    code: 'RECEIPT_POLICY',
    make: changed(({ policy }) => ({
      policy: shownPolicy(narrowOpening(openPolicy(policy), { requester: EXCHANGE.name, approvers: new Set(['alice', 'bob', 'carol']) })),
    })),
  },
  { check: 'R8', name: 'request that nobody signed', code: 'RECEIPT_REQUESTER', make: changed(() => ({ request: null })) },
  {
    check: 'R8',
    name: 'signature of another request of the same platform',
    code: 'RECEIPT_REQUESTER',
    make: changed((_, { document }) => ({ request: document.request })),
  },
  {
    check: 'R8',
    name: 'request for another path',
    code: 'RECEIPT_REQUESTER',
    make: changed(({ document }) => ({ request: { paths: ['m/1'], signature: document.request?.signature ?? '' } })),
  },
  {
    check: 'R8',
    name: 'signed request where nobody signs requests',
    code: 'RECEIPT_REQUESTER',
    make: changed(() => ({ request: { paths: ['m'], signature: '00'.repeat(64) } }), { isOpen: true }),
  },
  {
    check: 'R9',
    name: 'approvals of another request',
    code: 'RECEIPT_APPROVAL',
    make: changed((_, { document }) => ({ approvals: document.approvals })),
  },
  {
    check: 'R9',
    name: 'approval by somebody else in his name',
    code: 'RECEIPT_APPROVAL',
    make: changed(({ document, hash }) => ({
      approvals: document.approvals.map((a) => (a.approver === 'bob' ? shownApproval(madeApproval(CAROL, hash, { as: 'bob' })) : a)),
    })),
  },
  {
    check: 'R9',
    name: 'approval without its ML-DSA signature',
    code: 'RECEIPT_APPROVAL',
    make: changed(({ document }) => ({ approvals: document.approvals.map(({ pq, ...a }) => a) }), { isPq: true }),
  },
  {
    check: 'R9',
    name: 'approval with the ML-DSA signature of another request',
    code: 'RECEIPT_APPROVAL',
    make: changed(
      ({ document }, other) => ({
        approvals: document.approvals.map((a, i) => {
          const pq = other.document.approvals[i]?.pq
          return pq === undefined ? a : { ...a, pq }
        }),
      }),
      { isPq: true },
    ),
  },
  {
    check: 'R9',
    name: 'approval after the request had expired',
    code: 'RECEIPT_APPROVAL',
    make: changed(({ document, hash, statement }) => ({
      approvals: document.approvals.map((a) =>
        a.approver === 'bob' ? shownApproval(madeApproval(BOB, hash, { atMs: statement.expiresAtMs })) : a,
      ),
    })),
  },
  {
    check: 'R9',
    name: 'one approval twice',
    code: 'RECEIPT_APPROVAL',
    make: changed(({ document: { approvals } }) => ({ approvals: [...approvals.slice(0, 1), ...approvals] })),
  },
  {
    check: 'R9',
    name: 'approval by somebody whom the policy does not show',
    code: 'RECEIPT_POLICY',
    make: changed(({ document, hash }) => ({
      approvals: [document.approvals[0] as ReceiptDocument['approvals'][number], shownApproval(madeApproval(CAROL, hash))],
    })),
  },
]

export const RECEIPT_ATTACKS: readonly ReceiptAttack[] = [...REQUEST, ...PEOPLE, ...LOG_ATTACKS, ...POLICY_ATTACKS]
