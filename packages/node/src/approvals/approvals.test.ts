import { toHex } from '@conclave/core'
import { APPROVALS_TOLD_MAX, encode, type Look, Propose } from '@conclave/wire'
import { expect } from 'chai'
import { TestCluster } from '../cluster.fixture.ts'
import { codeIn, expectSignatures, KEY, newKey, pairsReady, transfer, until, verdictIn } from '../requests.fixture.ts'
import { COORDINATOR_ATTACKS, HostileCoordinator } from './coordinator-attacks.fixture.ts'
import { ALICE, altered, approval, BOB, ERIN, passkeyApproval, peoplePolicy, signedProposal } from './people.fixture.ts'

describe('hostile coordinator', () => {
  let hostile: HostileCoordinator

  before(async () => {
    hostile = await HostileCoordinator.start()
  })
  after(() => hostile.cluster.close())

  for (const attack of COORDINATOR_ATTACKS)
    it(`${attack.name}: ${attack.code}`, async () => {
      expect(await attack.run(hostile)).to.equal(attack.code)
      expect(hostile.signatures).to.equal(0)
    })

  it('honest: a small request is signed without people, a large one with two of them', async () => {
    await hostile.honest(hostile.asked(), 0)
    const p = hostile.large()
    const statement = await hostile.statement(p)
    for (const a of [approval(p.requestId, statement, ALICE), passkeyApproval(p.requestId, statement)])
      expect(await hostile.bring(a)).to.equal('TAKEN')
    await hostile.honest(p, 0)
  })

  it('honest: who has an ML-DSA key too signs with both', async () => {
    const p = hostile.large()
    const statement = await hostile.statement(p)
    for (const by of [ERIN, BOB]) expect(await hostile.bring(approval(p.requestId, statement, by))).to.equal('TAKEN')
    await hostile.honest(p, 0)
  })
})

describe('approvals', () => {
  let cluster: TestCluster
  let publicKey: Uint8Array
  const asked = (wei: bigint) => signedProposal({ clusterId: cluster.lock.clusterId, keyId: KEY, payloads: [transfer(wei)] })
  const start = (names?: readonly string[]) => cluster.start(names, { policy: peoplePolicy() })
  const inbox = async (name: string) => (await cluster.node(name).approvals.inbox()).map((r) => r.requestId)
  const approvedBy = async (name: string, id: Uint8Array) => (await cluster.node(name).approvals.show(id)).approvedBy

  before(async () => {
    cluster = await TestCluster.create(3, 2)
    await start()
    publicKey = await newKey(cluster)
    await pairsReady(cluster)
  })
  after(() => cluster.close())

  const proposed = async (wei: bigint, nodes = [1, 2, 3]) => {
    const propose = asked(wei)
    const verdicts = await Promise.all(nodes.map(async (j) => verdictIn(await cluster.ask(j, { propose }))))
    for (const v of verdicts) expect(v).to.include({ allowed: false, code: 'PENDING_APPROVAL' })
    const [first] = verdicts
    for (const v of verdicts) expect(toHex(v.statement)).to.equal(toHex(first?.statement ?? new Uint8Array(0)))
    return { propose, id: propose.requestId, statement: first?.statement ?? new Uint8Array(0) }
  }
  const looked = async (topic: string, argument: Uint8Array = new Uint8Array(0)): Promise<string> => {
    const body = await cluster.ask(1, { look: { topic, argument } satisfies Look })
    return 'looked' in body ? new TextDecoder('latin1').decode(body.looked.body) : codeIn(body)
  }
  it('a coordinator may look at the policy, a statement and freezes; a simulated request leaves nothing behind', async () => {
    const policy = JSON.parse(await looked('policy'))
    expect(policy).to.include({ sequence: 1 })
    expect(policy.requesters).to.deep.equal(['exchange', 'desk', 'dave'])
    expect(policy.approvers[0]).to.deep.equal({ id: 'alice', groups: ['treasury'], keys: ['identity', 'identity'] })
    expect(policy.rules[0]).to.deep.equal({ name: 'pay', effect: 'allow' })
    const { id, statement } = await proposed(2003n)
    const shown = JSON.parse(await looked('statement', id))
    expect(shown).to.include({ requestId: toHex(id), statementHash: toHex(statement), code: 'PENDING_APPROVAL', requester: 'exchange' })
    expect(shown).not.to.include.keys('items', 'key')
    expect(JSON.parse(await looked('freezes'))).to.deep.equal({ freezes: [] })

    const [small, large] = [asked(5n), asked(2004n)]
    expect(JSON.parse(await looked('simulate', encode(Propose, small)))).to.include({ allowed: true, code: 'ALLOWED', rule: 'pay' })
    expect(JSON.parse(await looked('simulate', encode(Propose, large)))).to.include({ allowed: false, code: 'PENDING_APPROVAL' })
    const unsigned = { ...small, terms: { ...small.terms, signature: new Uint8Array(0) } }
    expect(JSON.parse(await looked('simulate', encode(Propose, unsigned)))).to.include({
      allowed: false,
      code: 'REQUEST_UNSIGNED',
      rule: '',
    })
    expect(await inbox('n1')).not.to.include(toHex(large.requestId))
    expect(await looked('statement', small.requestId)).to.equal('UNKNOWN_REQUEST')
  })

  const signers = [1, 2]
  it('approvals: given at one node they reach the others without a coordinator, and the request is signed', async () => {
    const { propose, id, statement } = await proposed(2001n)
    expect(await inbox('n3')).to.include(toHex(id))
    const { approvals } = cluster.node('n3')
    expect(await approvals.submit(approval(id, statement, ALICE))).to.equal(true)
    expect(await approvals.submit(approval(id, statement, ALICE))).to.equal(false)
    await approvals.submit(approval(id, statement, BOB))
    for (const name of ['n1', 'n2']) await until(`approvals at ${name}`, async () => (await approvedBy(name, id)).length === 2)
    expect(await inbox('n1')).not.to.include(toHex(id))
    expect(verdictIn(await cluster.ask(1, { propose })).code).to.equal('ALLOWED')
    const bodies = await Promise.all(signers.map((j) => cluster.ask(j, { sign: { requestId: id, attempt: 0, signers, epoch: 0 } })))
    expectSignatures(bodies, [publicKey])
  })

  it('approvals: a node that was away hears of them when it is back, and a restart forgets none', async () => {
    const { id, statement, propose } = await proposed(2002n)
    await cluster.kill('n2')
    await cluster.node('n1').approvals.submit(approval(id, statement, ALICE))
    await cluster.kill('n1')
    await start(['n1', 'n2'])
    for (const name of ['n1', 'n2']) await until(`Alice at ${name}`, async () => (await approvedBy(name, id)).join() === 'alice')
    expect(await inbox('n2')).to.include(toHex(id))
    expect(verdictIn(await cluster.ask(2, { propose })).reason).to.match(/approved: alice/)
    await pairsReady(cluster)
  })

  it('approvals: a node that is asked late asks its peers', async () => {
    const { id, statement, propose } = await proposed(2003n, [1])
    await cluster.node('n1').approvals.submit(approval(id, statement, ALICE))
    expect(verdictIn(await cluster.ask(3, { propose })).code).to.equal('PENDING_APPROVAL')
    await until('Alice at n3', async () => (await approvedBy('n3', id)).join() === 'alice')
  })

  it('approvals: what a peer passes on is checked as if anybody had said it', async () => {
    const { id, statement } = await proposed(2004n)
    const forged = altered(approval(id, statement, ALICE), { approver: 'bob' })
    const honest = approval(id, statement, ALICE)
    await cluster.node('n2').approvals.heard(1, { approvals: [forged, honest], asks: Array(APPROVALS_TOLD_MAX).fill(id) })
    expect(await approvedBy('n2', id)).to.deep.equal(['alice'])
  })
})
