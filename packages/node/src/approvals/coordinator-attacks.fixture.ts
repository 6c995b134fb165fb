import { ConclaveError, fromHex, tagged, toHex } from '@conclave/core'
import { decodeStatement, policyHash, type Statement, statementHash } from '@conclave/policy'
import { type Approval, encode, Frame, type Propose, type Response, timeBytes, type Verdict } from '@conclave/wire'
import { TestCluster } from '../cluster.fixture.ts'
import { KEY, newKey, pairsReady, transfer } from '../requests.fixture.ts'
import {
  ALICE,
  ALICE_TOO,
  type Asked,
  altered,
  approval,
  BOB,
  DAVE,
  DAVES_PLATFORM,
  DESK,
  later,
  MALLORY,
  passkeyApproval,
  peoplePolicy,
  signedProposal,
} from './people.fixture.ts'

type Body = Response['body']

const SIGNERS = [1, 2]
const OTHER_KEY = 'other-1'
const PAST_MS = 1_000_000_000_000

/** A coordinator that controls requests, approvals, their order and their number, in front of real nodes; and what it got out of them. */
export class HostileCoordinator {
  readonly cluster: TestCluster
  /** Signatures that any node answered: there must be none. */
  signatures = 0
  #attempts = 0
  #payments = 1000n

  constructor(cluster: TestCluster) {
    this.cluster = cluster
  }

  static async start(): Promise<HostileCoordinator> {
    const cluster = await TestCluster.create(3, 2)
    await cluster.start(undefined, { policy: peoplePolicy(7), silenceTimeoutMs: 2_000 })
    await newKey(cluster)
    await newKey(cluster, OTHER_KEY)
    await pairsReady(cluster)
    return new HostileCoordinator(cluster)
  }

  /** A request that a platform signed: of a small payment, unless it says otherwise. */
  asked(change: Partial<Asked> = {}): Propose {
    return signedProposal({ clusterId: this.cluster.lock.clusterId, keyId: KEY, payloads: [transfer(5n)], ...change })
  }

  /** One that needs two approvals. */
  large(change: Partial<Asked> = {}): Propose {
    return this.asked({ payloads: [transfer(++this.#payments)], ...change })
  }

  async verdict(propose: Propose, node = 1): Promise<Verdict> {
    const body = await this.cluster.ask(node, { propose })
    if ('failure' in body) throw new ConclaveError(body.failure.code, body.failure.message)
    return (body as { verdict: Verdict }).verdict
  }

  /** Proposes to both signers and, whatever they say, has them sign. @returns the code of the first refusal, or SIGNED. */
  async attempt(propose: Propose): Promise<string> {
    const said: string[] = []
    for (const node of SIGNERS) {
      const body = await this.cluster.ask(node, { propose })
      if ('failure' in body) said.push(body.failure.code)
      else if ('verdict' in body && !body.verdict.allowed) said.push(body.verdict.code)
    }
    const signed = await this.sign(propose.requestId)
    return signed === 'SIGNED' ? signed : (said[0] ?? signed)
  }

  async sign(requestId: Uint8Array, change: { attempt?: number; signers?: readonly number[]; epoch?: number } = {}): Promise<string> {
    const { attempt = this.#attempts++, signers = SIGNERS, epoch = 0 } = change
    const bodies = await Promise.all(SIGNERS.map((node) => this.cluster.ask(node, { sign: { requestId, attempt, signers, epoch } })))
    return this.#codeOf(bodies)
  }

  /** The statement that the nodes make of a request. */
  async statement(propose: Propose): Promise<Uint8Array> {
    await this.verdict(propose, 2)
    return (await this.verdict(propose)).statement
  }

  /** Brings an approval to both signers. @returns the code of the first that refuses, or TAKEN. */
  async bring(a: Approval): Promise<string> {
    for (const node of SIGNERS) {
      const body = await this.cluster.ask(node, { approval: a })
      if ('failure' in body) return body.failure.code
    }
    return 'TAKEN'
  }

  /** Brings it, and then has the request signed whatever the nodes said of it. */
  async bringAndSign(propose: Propose, approvals: readonly Approval[]): Promise<string> {
    let code = 'TAKEN'
    for (const a of approvals) {
      const said = await this.bring(a)
      if (said !== 'TAKEN') code = said
    }
    const signed = await this.attempt(propose)
    return code === 'TAKEN' || signed === 'SIGNED' ? signed : code
  }

  /** What nobody has anything against. */
  async honest(propose: Propose, attempt: number): Promise<void> {
    for (const node of SIGNERS) await this.verdict(propose, node)
    const before = this.signatures
    const code = await this.sign(propose.requestId, { attempt })
    if (code !== 'SIGNED') throw new ConclaveError('ATTACK_SETUP', `an honest request ended as ${code}`)
    this.signatures = before
  }

  /** A large request, with approvals made of its statement. */
  async withApprovals(
    approvals: (requestId: Uint8Array, statement: Uint8Array) => readonly Approval[],
    change: Partial<Asked> = {},
  ): Promise<string> {
    const p = this.large(change)
    return this.bringAndSign(p, approvals(p.requestId, await this.statement(p)))
  }

  /** A large request, with approvals of a statement that differs in something. */
  async withStatement(change: (statement: Statement) => Statement): Promise<string> {
    const p = this.large()
    await this.statement(p)
    const shown = await this.cluster.node('n1').approvals.show(p.requestId)
    const other = statementHash(change(decodeStatement(fromHex(shown.statement))))
    return this.bringAndSign(
      p,
      [ALICE, BOB].map((by) => approval(p.requestId, other, by)),
    )
  }

  #codeOf(bodies: readonly Body[]): string {
    this.signatures += bodies.filter((b) => 'signed' in b).length
    const refused = bodies.flatMap((b) => ('failure' in b ? [b.failure.code] : []))
    // What one refuses, another waits for in vain.
    return refused.find((code) => !code.startsWith('SESSION_')) ?? refused[0] ?? 'SIGNED'
  }
}

export interface CoordinatorAttack {
  readonly name: string
  readonly code: string
  run(h: HostileCoordinator): Promise<string>
}

const resigned = (p: Propose, change: Partial<Propose>): Propose => ({ ...p, ...change })
const withTerms = (p: Propose, change: Partial<Propose['terms']>): Propose => ({ ...p, terms: { ...p.terms, ...change } })
const NOBODY = new Uint8Array(0)

/** With the request as the platform never signed it. */
const REQUESTS: readonly CoordinatorAttack[] = [
  { name: 'request without a signature', code: 'REQUEST_UNSIGNED', run: (h) => h.attempt(withTerms(h.asked(), { signature: NOBODY })) },
  {
    name: 'invented request',
    code: 'REQUEST_SIGNATURE',
    run: (h) => {
      const p = h.asked()
      return h.attempt(withTerms(p, { signature: MALLORY.sign(p.requestId) }))
    },
  },
  { name: 'requester that nobody named', code: 'UNKNOWN_REQUESTER', run: (h) => h.attempt(h.asked({ by: MALLORY })) },
  {
    name: 'signature of another requester',
    code: 'REQUEST_SIGNATURE',
    run: (h) => {
      const p = h.asked()
      return h.attempt(withTerms(p, { signature: DESK.sign(p.requestId) }))
    },
  },
  {
    name: 'another transaction under a signed request',
    code: 'REQUEST_ID',
    run: (h) => h.attempt(resigned(h.asked(), { items: [{ payload: transfer(6n), path: [] }] })),
  },
  {
    name: 'another child key under a signed request',
    code: 'REQUEST_ID',
    run: (h) => {
      const p = h.asked()
      return h.attempt(resigned(p, { items: p.items.map((item) => ({ ...item, path: [0] })) }))
    },
  },
  { name: 'another key under a signed request', code: 'REQUEST_ID', run: (h) => h.attempt(resigned(h.asked(), { keyId: OTHER_KEY })) },
  { name: 'another payload type', code: 'REQUEST_ID', run: (h) => h.attempt(resigned(h.asked(), { payloadType: 'raw' })) },
  { name: 'another request id', code: 'REQUEST_ID', run: (h) => h.attempt(resigned(h.asked(), { requestId: tagged('another id') })) },
  {
    name: 'one transaction more',
    code: 'REQUEST_ID',
    run: (h) => {
      const p = h.asked()
      return h.attempt(resigned(p, { items: [...p.items, ...p.items] }))
    },
  },
  {
    name: 'one transaction less',
    code: 'REQUEST_ID',
    run: (h) => {
      const p = h.asked({ payloads: [transfer(1n), transfer(2n)] })
      return h.attempt(resigned(p, { items: p.items.slice(1) }))
    },
  },
  {
    name: 'other order of transactions',
    code: 'REQUEST_ID',
    run: (h) => {
      const p = h.asked({ payloads: [transfer(1n), transfer(2n)] })
      return h.attempt(resigned(p, { items: p.items.toReversed() }))
    },
  },
  {
    name: 'request of another cluster',
    code: 'REQUEST_ID',
    run: (h) => h.attempt(h.asked({ clusterId: toHex(tagged('another cluster')) })),
  },
  { name: 'replay after expiry', code: 'REQUEST_EXPIRED', run: (h) => h.attempt(h.asked({ expiresAtMs: PAST_MS })) },
  {
    name: 'longer time than was signed',
    code: 'REQUEST_ID',
    run: (h) => h.attempt(withTerms(h.asked({ expiresAtMs: PAST_MS }), { expiresAt: timeBytes(Number.MAX_SAFE_INTEGER) })),
  },
  {
    name: 'request before its time',
    code: 'REQUEST_TOO_EARLY',
    run: (h) => h.attempt(h.asked({ notBeforeMs: Number.MAX_SAFE_INTEGER - 1 })),
  },
  {
    name: 'nonce for a second request',
    code: 'NONCE_REUSED',
    run: async (h) => {
      const nonce = tagged('one nonce')
      await h.verdict(h.asked({ nonce }))
      return (await h.verdict(h.asked({ nonce, payloads: [transfer(6n)] }))).code
    },
  },
  { name: 'epoch of the future', code: 'EPOCH_MISMATCH', run: (h) => h.attempt(h.asked({ keyEpoch: 9 })) },
  {
    name: 'more than the policy allows',
    code: 'AMOUNT_OVER_LIMIT',
    run: (h) => h.attempt(h.asked({ payloads: [transfer(100_001n)] })),
  },
  {
    name: 'a denied transaction beside an allowed one',
    code: 'AMOUNT_OVER_LIMIT',
    run: (h) => h.attempt(h.asked({ payloads: [transfer(1n), transfer(100_001n)] })),
  },
]

/** With the session. */
const SESSIONS: readonly CoordinatorAttack[] = [
  { name: 'signature without a proposal', code: 'UNKNOWN_REQUEST', run: (h) => h.sign(tagged('never proposed')) },
  {
    name: 'proposal to one signer only',
    code: 'UNKNOWN_REQUEST',
    run: async (h) => {
      const p = h.asked()
      await h.verdict(p, 1)
      return h.sign(p.requestId)
    },
  },
  {
    name: 'quorum below the threshold',
    code: 'BAD_QUORUM',
    run: async (h) => {
      const p = h.asked()
      for (const node of SIGNERS) await h.verdict(p, node)
      return h.sign(p.requestId, { signers: [1] })
    },
  },
  {
    name: 'replay of a signed attempt',
    code: 'ATTEMPT_SPENT',
    run: async (h) => {
      const p = h.asked()
      await h.honest(p, 0)
      return h.sign(p.requestId, { attempt: 0 })
    },
  },
  {
    name: 'one attempt under two epochs',
    code: 'EPOCH_MISMATCH',
    run: async (h) => {
      const p = h.asked()
      for (const node of SIGNERS) await h.verdict(p, node)
      return h.sign(p.requestId, { epoch: 3 })
    },
  },
]

/** With what people said. */
const APPROVALS: readonly CoordinatorAttack[] = [
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

export const COORDINATOR_ATTACKS: readonly CoordinatorAttack[] = [...REQUESTS, ...SESSIONS, ...APPROVALS]
