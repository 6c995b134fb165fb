import { freezeHash, fromHex, tagged } from '@conclave/core'
import { type Freeze, timeBytes } from '@conclave/wire'
import { expect } from 'chai'
import { ALICE, peoplePolicy, signedProposal } from '../approvals/people.fixture.ts'
import { TestCluster } from '../cluster.fixture.ts'
import { refusal } from '../refusal.fixture.ts'
import { codeIn, expectSignatures, KEY, newKey, pairsReady, transfer, until, verdictIn } from '../requests.fixture.ts'
import { FREEZES_OF_ONE_MAX } from './freeze-keeper.ts'

describe('freeze of a cluster', () => {
  let cluster: TestCluster
  let publicKey: Uint8Array
  let attempts = 0
  const policy = peoplePolicy()
  const signers = [1, 2]
  const keeper = (name: string) => cluster.node(name).freezes
  const asked = (path: readonly number[] = []) =>
    signedProposal({ clusterId: cluster.lock.clusterId, keyId: KEY, payloads: [transfer(5n)], path })

  before(async () => {
    cluster = await TestCluster.create(3, 2)
    await cluster.start(undefined, { policy })
    publicKey = await newKey(cluster)
    await pairsReady(cluster)
  })
  after(() => cluster.close())

  const verdict = async (node: number, path?: readonly number[]) => verdictIn(await cluster.ask(node, { propose: asked(path) })).code
  const attempt = async (parties: readonly number[] = signers) => {
    const propose = asked()
    for (const j of parties) await cluster.ask(j, { propose })
    const sign = { requestId: propose.requestId, attempt: attempts++, signers: parties, epoch: 0 }
    return Promise.all(parties.map((j) => cluster.ask(j, { sign })))
  }
  const isActive = (name: string, id: string) =>
    keeper(name)
      .list()
      .some((f) => f.id === id && f.isActive)

  it('freeze: one node stops every node, and as many as sign let them go on', async () => {
    const { id } = await keeper('n3').freezeHere('cluster', 'strange withdrawals')
    for (const name of ['n1', 'n2']) await until(`frozen at ${name}`, () => isActive(name, id))
    expect(await verdict(1)).to.equal('FROZEN')
    for (const body of await attempt()) expect(codeIn(body)).to.equal('FROZEN')

    await keeper('n1').thawHere(id, 'looked into')
    await keeper('n1').thawHere(id, 'and again')
    await until('one thaw is known', () =>
      keeper('n2')
        .list()
        .some((f) => f.id === id && f.thawedBy.join() === 'n1'),
    )
    expect(await verdict(2)).to.equal('FROZEN')
    await keeper('n2').thawHere(id, 'looked into')
    for (const name of ['n1', 'n3']) await until(`thawed at ${name}`, () => !isActive(name, id))
    expectSignatures(await attempt(), [publicKey])
  })

  it('freeze: an approver freezes a child, in his own name only, and nothing else stops', async () => {
    const { clusterId } = cluster.lock
    const word = { scope: `child:${KEY}/m/0/5`, reason: 'customer 5 is robbed', by: 'approver:alice', atMs: 7 }
    const signed: Freeze = { ...word, at: timeBytes(7), signature: ALICE.sign(freezeHash(fromHex(clusterId), word)) }
    for (const [change, code] of [
      [{ by: 'approver:bob' }, 'FREEZE_SIGNATURE'],
      [{ by: 'node:n1' }, 'FREEZE_SIGNATURE'],
      [{ by: 'approver:mallory' }, 'UNKNOWN_FREEZER'],
      [{ scope: 'cluster' }, 'FREEZE_SIGNATURE'],
      [{ scope: 'everything' }, 'BAD_SCOPE'],
    ] as const)
      expect(await refusal(() => keeper('n1').freeze({ ...signed, ...change }))).to.equal(code)
    const { id } = await keeper('n1').freeze(signed)
    await until('frozen at n2', () => isActive('n2', id))
    expect([await verdict(2, [0, 5]), await verdict(2, [0, 5, 9])]).to.deep.equal(['FROZEN', 'FROZEN'])
    expect([await verdict(2, [0, 6]), await verdict(2)]).to.deep.equal(['ALLOWED', 'ALLOWED'])
  })

  it('freeze: it outlives a restart, and a node that was away hears of it before anything else', async () => {
    await cluster.kill('n3')
    const { id } = await keeper('n1').freezeHere(`key:${KEY}`, 'while one was away')
    await cluster.kill('n1')
    await cluster.start(['n1', 'n3'], { policy })
    expect(isActive('n1', id)).to.equal(true)
    await until('frozen at n3', () => isActive('n3', id))
    await pairsReady(cluster)
    for (const body of await attempt([1, 3])) expect(codeIn(body)).to.equal('FROZEN')
    await keeper('n1').thawHere(id, 'over')
    await keeper('n3').thawHere(id, 'over')
    await until('thawed at n2', () => !isActive('n2', id))
  })

  it('freeze: what was thawed stays so, whoever says it again; thaws of others than nodes count for nothing', async () => {
    const { id } = await keeper('n1').freezeHere(`key:${KEY}`, 'once')
    await until('frozen at n2', () => isActive('n2', id))
    const record = { freeze: undefined as unknown as Freeze, thaws: [] }
    cluster.tamper.set('n1', (_to, body) => {
      if ('freezes' in body) Object.assign(record, body.freezes.records.find((r) => r.freeze.reason === 'once') ?? {})
      return body
    })
    await keeper('n1').thawHere(id, 'over')
    cluster.tamper.delete('n1')
    const forged = { freeze: fromHex(id), node: 'n3', reason: 'forged', at: timeBytes(1), signature: tagged('no signature') }
    keeper('n2').heard(1, { records: [{ freeze: record.freeze, thaws: [forged, { ...forged, node: 'stranger' }] }] })
    expect(isActive('n2', id)).to.equal(true)
    await keeper('n2').thawHere(id, 'over')
    keeper('n2').heard(1, { records: [{ freeze: record.freeze, thaws: [] }] })
    expect(isActive('n2', id)).to.equal(false)
  })

  it('freeze: one freezer has so many at once and no more', async () => {
    const mine = () =>
      keeper('n2')
        .list()
        .filter((f) => f.by === 'node:n2' && f.isActive).length
    for (let i = mine(); i < FREEZES_OF_ONE_MAX; i++) await keeper('n2').freezeHere(`child:${KEY}/m/9/${i}`, 'many')
    expect(await refusal(() => keeper('n2').freezeHere(`child:${KEY}/m/9/999`, 'too many'))).to.equal('TOO_MANY_FREEZES')
    await keeper('n1').freezeHere(`child:${KEY}/m/9/999`, 'another one may')
  })

  it('freeze: it ends a session that runs', async () => {
    const propose = asked()
    for (const j of signers) await cluster.ask(j, { propose })
    // Node 2 says nothing in the session, so node 1 waits for it.
    cluster.tamper.set('n2', (_to, body) => ('session' in body || 'end' in body ? undefined : body))
    const waiting = cluster.ask(1, { sign: { requestId: propose.requestId, attempt: attempts, signers, epoch: 0 } })
    const other = cluster.ask(2, { sign: { requestId: propose.requestId, attempt: attempts++, signers, epoch: 0 } })
    await until('the session runs', () => cluster.pool('n1').running > 0)
    await keeper('n1').freezeHere('cluster', 'stop')
    expect(codeIn(await waiting)).to.equal('FROZEN')
    await other
    cluster.tamper.delete('n2')
  })
})
