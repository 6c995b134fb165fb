import { ConclaveError, codeOf, fromHex } from '@conclave/core'
import { decodeStatement, type SignedPolicy, type Statement, statementHash } from '@conclave/policy'
import { type Approval, encode, Frame, type Propose, type Response, type Verdict } from '@conclave/wire'
import { TestCluster } from '../cluster.fixture.ts'
import { AUTHORS, signedPolicy } from '../policies/authors.fixture.ts'
import { KEY, newKey, pairsReady, transfer, until } from '../requests.fixture.ts'
import { ALICE, type Asked, approval, BOB, peopleText, signedProposal } from './people.fixture.ts'

type Body = Response['body']

export const SIGNERS = [1, 2]
export const OTHER_KEY = 'other-1'
/** Of the policy that the authors have put in force. */
export const POLICY_SEQUENCE = 7

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
    const cluster = await TestCluster.create(3, 2, AUTHORS)
    await cluster.start(undefined, { silenceTimeoutMs: 2_000 })
    const policies = cluster.names().map((name) => cluster.node(name).policies)
    await policies[0]?.submit(signedPolicy(peopleText(POLICY_SEQUENCE), cluster.lock))
    await until('the policy is everywhere', () => policies.every((p) => p.status().inForce.sequence === POLICY_SEQUENCE))
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

  /** Brings a policy: by itself, in the name of a node, and by an operator who believes it. @returns why nobody takes it, or ADOPTED. */
  async bringPolicy(signed: SignedPolicy): Promise<string> {
    const word = { sequence: signed.sequence, hash: signed.policyHash, policies: [signed] }
    for (const node of SIGNERS) {
      this.cluster.sendRaw(node, encode(Frame, { body: { policies: word } }))
      this.cluster.node(`n${node}`).policies.heard(3, word)
    }
    const said = await this.cluster
      .node('n1')
      .policies.submit(signed)
      .then(() => 'TAKEN', codeOf)
    // What the policy would allow: if it is signed, the policy was in force.
    const signs = await this.attempt(this.asked({ payloads: [transfer(100_001n)] }))
    const states = this.cluster.names().map((name) => this.cluster.node(name).policies.status())
    const isHeld = states.every((s) => s.inForce.sequence === POLICY_SEQUENCE && s.waiting === null)
    return isHeld && signs === 'AMOUNT_OVER_LIMIT' ? said : 'ADOPTED'
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
