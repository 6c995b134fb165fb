import { tagged } from '@conclave/core'
import { policyHash } from '@conclave/policy'
import { encode, Frame } from '@conclave/wire'
import { transfer } from '../requests.fixture.ts'
import { type CoordinatorAttack, SIGNERS } from './hostile-coordinator.fixture.ts'
import {
  ALICE,
  ALICE_TOO,
  altered,
  approval,
  BOB,
  DAVE,
  DAVES_PLATFORM,
  ERIN,
  later,
  MALLORY,
  passkeyApproval,
  peoplePolicy,
  pqPerson,
} from './people.fixture.ts'

const NONE = new Uint8Array(0)

/** With what people said. */
export const APPROVAL_ATTACKS: readonly CoordinatorAttack[] = [
  { name: 'no approvals', code: 'PENDING_APPROVAL', run: (h) => h.attempt(h.large()) },
  {
    name: 'approvals of another request',
    code: 'APPROVAL_OTHER_STATEMENT',
    run: async (h) => {
      const [one, two] = [h.large(), h.large()]
      const statement = await h.statement(one)
      await h.attempt(two)
      return h.bringAndSign(
        two,
        [ALICE, BOB].map((by) => approval(two.requestId, statement, by)),
      )
    },
  },
  {
    name: 'approvals of another cluster',
    code: 'APPROVAL_OTHER_STATEMENT',
    run: (h) => h.withStatement((statement) => ({ ...statement, clusterId: tagged('another cluster') })),
  },
  {
    name: 'approvals under an older policy',
    code: 'APPROVAL_OTHER_STATEMENT',
    run: (h) => h.withStatement((statement) => ({ ...statement, policySequence: 6, policyHash: policyHash(peoplePolicy(6)) })),
  },
  {
    name: 'another summary than the transaction',
    code: 'APPROVAL_OTHER_STATEMENT',
    run: (h) =>
      h.withStatement((statement) => ({
        ...statement,
        items: statement.items.map((item) => ({ ...item, summaryHash: tagged('a harmless payment') })),
      })),
  },
  {
    name: 'approval that nobody signed',
    code: 'APPROVAL_SIGNATURE',
    run: (h) =>
      h.withApprovals((id, statement) => [ALICE, BOB].map((by) => altered(approval(id, statement, by), { signature: new Uint8Array(64) }))),
  },
  {
    name: 'approval signed by another',
    code: 'APPROVAL_SIGNATURE',
    run: (h) => h.withApprovals((id, statement) => ['alice', 'bob'].map((as) => approval(id, statement, MALLORY, { as }))),
  },
  {
    name: 'approval in another name',
    code: 'APPROVAL_SIGNATURE',
    run: (h) =>
      h.withApprovals((id, statement) => [approval(id, statement, ALICE), altered(approval(id, statement, ALICE), { approver: 'bob' })]),
  },
  {
    name: 'rejection turned into an approval',
    code: 'APPROVAL_SIGNATURE',
    run: (h) =>
      h.withApprovals((id, statement) => [
        approval(id, statement, ALICE),
        altered(approval(id, statement, BOB, { decision: 'reject' }), { approves: true }),
      ]),
  },
  {
    name: 'approval at another time',
    code: 'APPROVAL_SIGNATURE',
    run: (h) => h.withApprovals((id, statement) => [later(approval(id, statement, ALICE)), later(approval(id, statement, BOB))]),
  },
  {
    name: 'approval from the future',
    code: 'APPROVAL_TIME',
    run: (h) => h.withApprovals((id, statement) => [ALICE, BOB].map((by) => approval(id, statement, by, { atMs: 2 ** 50 }))),
  },
  {
    name: 'approver that nobody enrolled',
    code: 'UNKNOWN_APPROVER',
    run: (h) => h.withApprovals((id, statement) => [ALICE, MALLORY].map((by) => approval(id, statement, by))),
  },
  {
    name: 'one approver twice',
    code: 'PENDING_APPROVAL',
    run: (h) => h.withApprovals((id, statement) => [ALICE, ALICE].map((by) => approval(id, statement, by))),
  },
  {
    name: 'one approver with two keys',
    code: 'PENDING_APPROVAL',
    run: (h) => h.withApprovals((id, statement) => [ALICE, ALICE_TOO].map((by, i) => approval(id, statement, by, { atMs: i }))),
  },
  {
    name: 'requester who approves',
    code: 'APPROVER_IS_REQUESTER',
    run: (h) => h.withApprovals((id, statement) => [ALICE, DAVE].map((by) => approval(id, statement, by)), { by: DAVES_PLATFORM }),
  },
  {
    name: 'rejection that is outvoted',
    code: 'REJECTED',
    run: (h) =>
      h.withApprovals((id, statement) => [
        approval(id, statement, DAVE, { decision: 'reject' }),
        ...[ALICE, BOB].map((by) => approval(id, statement, by)),
      ]),
  },
  {
    name: 'rejection after the approvals',
    code: 'REJECTED',
    run: (h) =>
      h.withApprovals((id, statement) => [
        ...[ALICE, BOB].map((by) => approval(id, statement, by)),
        approval(id, statement, ALICE, { decision: 'reject' }),
      ]),
  },
  ...(
    [
      ['passkey at another site', { origin: 'https://approve.example.com' }],
      ['passkey of another domain', { rpId: 'example.com' }],
      ['passkey without its person', { flags: 0x01 }],
      ['passkey that was being made', { type: 'webauthn.create' }],
    ] as const
  ).map(
    ([name, change]): CoordinatorAttack => ({
      name,
      code: 'APPROVAL_SIGNATURE',
      run: (h) => h.withApprovals((id, statement) => [approval(id, statement, ALICE), passkeyApproval(id, statement, change)]),
    }),
  ),
  {
    name: 'passkey answer to another request',
    code: 'APPROVAL_SIGNATURE',
    run: (h) =>
      h.withApprovals((id, statement) => [
        approval(id, statement, ALICE),
        altered(passkeyApproval(id, tagged('another statement')), { statement }),
      ]),
  },
  {
    name: 'approval without its ML-DSA signature',
    code: 'APPROVAL_PQ_MISSING',
    run: (h) => h.withApprovals((id, statement) => [approval(id, statement, ALICE), altered(approval(id, statement, ERIN), { pq: NONE })]),
  },
  {
    name: 'ML-DSA signature alone',
    code: 'APPROVAL_SIGNATURE',
    run: (h) =>
      h.withApprovals((id, statement) => [
        approval(id, statement, ALICE),
        altered(approval(id, statement, ERIN), { signature: new Uint8Array(64) }),
      ]),
  },
  ...(
    [
      ['ML-DSA signature by another', (id, statement) => approval(id, statement, pqPerson('mallory'), { as: 'erin' }).pq],
      ['ML-DSA signature of another request', (id) => approval(id, tagged('another statement'), ERIN).pq],
    ] satisfies [string, (id: Uint8Array, statement: Uint8Array) => Uint8Array][]
  ).map(
    ([name, pq]): CoordinatorAttack => ({
      name,
      code: 'APPROVAL_PQ_SIGNATURE',
      run: (h) =>
        h.withApprovals((id, statement) => [
          approval(id, statement, ALICE),
          altered(approval(id, statement, ERIN), { pq: pq(id, statement) }),
        ]),
    }),
  ),
  {
    name: 'ML-DSA signature of a person without such a key',
    code: 'APPROVAL_PQ_SIGNATURE',
    run: (h) =>
      h.withApprovals((id, statement) => [
        approval(id, statement, ALICE),
        altered(approval(id, statement, BOB), { pq: approval(id, statement, ERIN).pq }),
      ]),
  },
  {
    name: 'approvals for what the policy denies',
    code: 'NOTHING_TO_APPROVE',
    run: (h) =>
      h.withApprovals((id, statement) => [ALICE, BOB].map((by) => approval(id, statement, by)), { payloads: [transfer(100_001n)] }),
  },
  {
    name: 'gossip in the name of a node',
    code: 'PENDING_APPROVAL',
    run: async (h) => {
      const p = h.large()
      const statement = await h.statement(p)
      const approvals = [ALICE, BOB].map((by) => approval(p.requestId, statement, by))
      for (const node of SIGNERS) h.cluster.sendRaw(node, encode(Frame, { body: { approvals: { approvals, asks: [] } } }))
      return h.attempt(p)
    },
  },
]
