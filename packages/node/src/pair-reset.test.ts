import type { AuditEvent } from '@conclave/core'
import { expect } from 'chai'
import type { AdminPair } from './admin.ts'
import { TestCluster } from './cluster.fixture.ts'
import { otLie } from './lies.fixture.ts'
import { refusal } from './refusal.fixture.ts'
import { codeIn, expectSignature, newKey, pairStateOf, pairsReady, sign, signTransfer, until } from './requests.fixture.ts'

describe('pair reset', () => {
  let cluster: TestCluster
  let publicKey: Uint8Array
  let requests = 0

  beforeEach(async () => {
    cluster = await TestCluster.create(2, 2)
    await cluster.start()
    publicKey = await newKey(cluster)
  })
  afterEach(() => cluster.close())

  const pairAt = async (party: number): Promise<AdminPair> => (await cluster.node(`n${party}`).admin.status()).pairs[0] as AdminPair
  const reset = (party: number): Promise<AdminPair> => cluster.node(`n${party}`).admin.resetPair(`n${3 - party}`, 'a test said so')
  const restart = async (party: number): Promise<void> => {
    await cluster.kill(`n${party}`)
    await cluster.start([`n${party}`])
  }
  /** Has each of `victims` ban the other end. */
  const burn = async (...victims: readonly number[]): Promise<void> => {
    for (const victim of victims) cluster.tamper.set(`n${3 - victim}`, otLie(`n${victim}`))
    await signTransfer(cluster, ++requests, [1, 2])
    cluster.tamper.clear()
    for (const victim of victims) await until('the burn', async () => (await pairAt(victim)).state === 'burned')
  }
  const expectWorking = async (): Promise<void> => {
    await pairsReady(cluster)
    expectSignature(await signTransfer(cluster, ++requests, [1, 2]), publicKey)
  }

  for (const victim of [1, 2]) {
    it(`pair reset: n${victim} bans its peer, still does after a restart, lifts the ban, and signs with a state of a higher epoch`, async () => {
      const { pairEpoch: before } = await pairAt(victim)
      await burn(victim)
      await restart(victim)
      const banned = await pairAt(victim)
      expect(banned).to.deep.include({ peer: `n${3 - victim}`, state: 'burned', pairEpoch: 0 })
      expect(banned.ban).to.deep.include({ code: 'OT_CHECK', pairEpoch: before })
      expect(Math.abs(Date.now() - Date.parse(banned.ban?.at ?? ''))).to.be.lessThan(600_000)

      expect(await reset(victim)).to.deep.include({ state: 'missing', ban: null, pairEpoch: 0 })
      await expectWorking()
      expect([(await pairAt(1)).pairEpoch, (await pairAt(2)).pairEpoch]).to.deep.equal([before + 1, before + 1])
      await restart(victim)
      await expectWorking()
    })
  }

  it('pair reset: where each bans the other, each operator lifts its own side, and only then the pair is set up', async () => {
    const { pairEpoch: before } = await pairAt(1)
    await burn(1, 2)
    const refused: string[] = []
    cluster.tamper.set('n2', (_to, body) => {
      if ('response' in body && 'failure' in body.response.body) refused.push(body.response.body.failure.code)
      return body
    })
    await reset(1)
    await until('n1 has asked and been refused', () => refused.includes('PAIR_BURNED'))
    expect([await pairStateOf(cluster, 1, 2), await pairStateOf(cluster, 2, 1)]).to.deep.equal(['missing', 'burned'])
    expect((await sign(cluster, requests, [1, 2], 9)).map(codeIn)).to.deep.equal(['PAIR_MISSING', 'PAIR_BURNED'])
    cluster.tamper.clear()
    await reset(2)
    await expectWorking()
    expect((await pairAt(1)).pairEpoch).to.be.greaterThan(before)
  })

  it('pair reset: a ban of the other end is not lifted from here, and still refuses after resets and restarts on this side', async () => {
    await burn(1)
    for (let i = 0; i < 3; i++) await reset(2)
    await restart(2)
    await reset(2)
    expect(await pairStateOf(cluster, 1, 2)).to.equal('burned')
    expect((await pairAt(1)).ban?.code).to.equal('OT_CHECK')
  })

  it('pair reset: repeated, also while a setup runs, it ends in one state, with epochs that only grow', async () => {
    await burn(1)
    const { ban } = await pairAt(1)
    for (let i = 0; i < 4; i++) await Promise.all([reset(1), reset(2)])
    await expectWorking()
    const [a, b] = [await pairAt(1), await pairAt(2)]
    expect(a.pairEpoch)
      .to.equal(b.pairEpoch)
      .and.greaterThan(ban?.pairEpoch ?? 0)
  })

  it('pair reset: a pair that is not burned is set up anew too', async () => {
    const { pairEpoch: before } = await pairAt(2)
    expect(await reset(2)).to.deep.include({ state: 'missing' })
    expect(await cluster.store('n2').get('pair', '1')).to.equal(undefined)
    await expectWorking()
    expect((await pairAt(2)).pairEpoch).to.equal(before + 1)
  })

  it('pair reset: killed after the ban was lifted and before a setup, the pair is missing at the next start, and then set up', async () => {
    const { pairEpoch: before } = await pairAt(1)
    await burn(1)
    await cluster.kill('n2')
    expect(await reset(1)).to.deep.include({ state: 'missing', ban: null })
    await restart(1)
    expect(await pairAt(1)).to.deep.include({ state: 'missing', ban: null, pairEpoch: 0, isLinkUp: false })
    await cluster.start(['n2'])
    await expectWorking()
    expect((await pairAt(1)).pairEpoch).to.equal(before + 1)
  })

  it('pair reset: it is recorded as what an operator did, with the reason; a peer that is not in the lock is refused', async () => {
    const recorded: AuditEvent[] = []
    await cluster.kill('n1')
    await cluster.start(['n1'], {
      rig: (parts) => ({ ...parts, journal: { record: async (event) => void recorded.push(event) } }),
    })
    await pairsReady(cluster)
    const { admin } = cluster.node('n1')
    expect(await refusal(() => admin.resetPair('n3', 'x'))).to.equal('UNKNOWN_PEER')
    expect(await refusal(() => admin.resetPair('n1', 'x'))).to.equal('UNKNOWN_PEER')
    const resets = () => recorded.filter((e) => e.kind === 'pair.reset')
    expect(resets()).to.deep.equal([])
    await admin.resetPair('n2', 'disk of n2 replaced')
    expect(resets()).to.deep.equal([{ kind: 'pair.reset', details: { peer: 'n2', reason: 'disk of n2 replaced', lifted: null } }])
  })
})
