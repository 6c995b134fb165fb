import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tagged, u32 } from '@conclave/core'
import { type KeyVault, memoryVault } from '@conclave/vault'
import { encode, PairPublic } from '@conclave/wire'
import { expect } from 'chai'
import { refusal } from '../refusal.fixture.ts'
import type { OpenedRecord } from '../sessions/job.ts'
import { SCOPE } from './dkg.fixture.ts'
import { LevelStore } from './level-store.ts'
import { PairStore } from './pair-store.ts'
import type { Store } from './store.ts'

const state = (peer: number, pairEpoch: number, clusterContext = SCOPE.clusterContext): OpenedRecord => ({
  public: encode(PairPublic, { self: 1, peer, pairEpoch, transcript: tagged('transcript', u32(pairEpoch)), clusterContext }),
  secret: tagged('secret', u32(peer), u32(pairEpoch)),
})

describe('pair store', () => {
  let dir: string
  let store: Store
  let vault: KeyVault
  let pairs: PairStore

  const reopen = async (): Promise<void> => {
    await store?.close()
    store = await LevelStore.open(join(dir, 'db'), tagged('mac'))
    pairs = await PairStore.open(store, vault, SCOPE)
  }
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'conclave-pairs-'))
    vault = await memoryVault()
    await LevelStore.create(join(dir, 'db'))
    await reopen()
  })
  afterEach(async () => {
    await store.close()
    await rm(dir, { recursive: true, force: true })
  })

  it('pair store: holds one state per peer, the last one, through restarts', async () => {
    for (const s of [state(2, 1), state(3, 7), state(2, 2)]) await pairs.save(s)
    await reopen()
    expect(await pairs.open(2)).to.deep.equal(state(2, 2))
    expect(await pairs.open(3)).to.deep.equal(state(3, 7))
    expect([pairs.nextEpoch(2), pairs.nextEpoch(3), pairs.nextEpoch(4)]).to.deep.equal([3, 8, 1])
    expect(await refusal(() => pairs.open(4))).to.equal('PAIR_MISSING')
    expect(pairs.current(2)?.id).to.not.deep.equal(pairs.current(3)?.id)
  })

  it('pair store: a burn destroys the state, bans the peer, counts epochs on, and outlives restarts', async () => {
    await pairs.save(state(2, 4))
    await pairs.save(state(3, 1))
    await pairs.burn(2, 'OT_CHECK', 1_700_000_000_000)
    await pairs.burn(2, 'OT_CHECK', 1_700_000_000_001)
    for (const again of [false, true]) {
      if (again) await reopen()
      expect(pairs.burned(2)).to.include({ code: 'OT_CHECK', pairEpoch: 4 })
      expect(pairs.current(2)).to.equal(undefined)
      expect(pairs.nextEpoch(2)).to.equal(5)
      expect(await refusal(() => pairs.open(2))).to.equal('PAIR_BURNED')
      expect(pairs.burned(3)).to.equal(undefined)
    }
    expect((await store.list('pair')).map((e) => e.key)).to.deep.equal(['3'])
  })

  it('pair store: a banned peer gets no new state, not even one whose sealing had begun', async () => {
    const saving = pairs.save(state(2, 1))
    const burning = pairs.burn(2, 'VOLE_CHECK', 0)
    expect(await refusal(() => saving)).to.equal('PAIR_BURNED')
    await burning
    expect(await refusal(() => pairs.save(state(2, 2)))).to.equal('PAIR_BURNED')
    await reopen()
    expect([pairs.current(2), pairs.burned(2)?.code]).to.deep.equal([undefined, 'VOLE_CHECK'])
  })

  it('pair store: however long sealing takes, the later state stays', async () => {
    const slow = Promise.withResolvers<void>()
    let calls = 0
    const rigged: KeyVault = {
      ...vault,
      seal: async (context, secret) => {
        if (calls++ === 0) await slow.promise
        return vault.seal(context, secret)
      },
    }
    pairs = await PairStore.open(store, rigged, SCOPE)
    const first = pairs.save(state(2, 1))
    await pairs.save(state(2, 2))
    slow.resolve()
    expect(await refusal(() => first)).to.equal('PAIR_REPLACED')
    expect(await pairs.open(2)).to.deep.equal(state(2, 2))
    await reopen()
    expect(await pairs.open(2)).to.deep.equal(state(2, 2))
  })

  it('pair store: a reset lifts the ban for good, leaves no state, and epochs go on, however often', async () => {
    await pairs.save(state(2, 4))
    await pairs.burn(2, 'OT_CHECK', 1_700_000_000_000)
    expect(await pairs.reset(2)).to.deep.equal({ code: 'OT_CHECK', pairEpoch: 4, atMs: 1_700_000_000_000, peerId: 'peer-2' })
    expect(await pairs.reset(2)).to.equal(undefined)
    for (const again of [false, true]) {
      if (again) await reopen()
      expect([pairs.burned(2), pairs.current(2), pairs.nextEpoch(2)]).to.deep.equal([undefined, undefined, 5])
    }
    await pairs.save(state(2, 5))
    await pairs.reset(2)
    await reopen()
    expect([pairs.current(2), pairs.nextEpoch(2)]).to.deep.equal([undefined, 6])
    expect(await store.list('pair')).to.deep.equal([])
    await pairs.burn(2, 'VOLE_CHECK', 0)
    expect(pairs.burned(2)).to.include({ code: 'VOLE_CHECK', pairEpoch: 5 })
  })

  it('pair store: a state that was being sealed when the pair was reset is not stored', async () => {
    const saving = pairs.save(state(2, 1))
    await pairs.reset(2)
    expect(await refusal(() => saving)).to.equal('PAIR_REPLACED')
    expect(pairs.current(2)).to.equal(undefined)
    await reopen()
    expect(pairs.current(2)).to.equal(undefined)
  })

  it('pair store: a burn that comes while the last one is lifted stays', async () => {
    await pairs.burn(2, 'OT_CHECK', 1)
    const lifting = pairs.reset(2)
    // The turn of the reset has begun, and waits for the disk.
    await Promise.resolve()
    const burning = pairs.burn(2, 'VOLE_CHECK', 2)
    await Promise.all([lifting, burning])
    expect(pairs.burned(2)).to.include({ code: 'VOLE_CHECK' })
    await reopen()
    expect(pairs.burned(2)).to.deep.equal({ code: 'VOLE_CHECK', pairEpoch: 0, atMs: 2, peerId: 'peer-2' })
  })

  it('pair store: a reset that the disk does not take lifts nothing', async () => {
    await pairs.burn(2, 'OT_CHECK', 1)
    const rigged = new Proxy(store, {
      get: (target, name) =>
        name === 'apply' ? () => Promise.reject(new Error('disk full')) : Reflect.get(target, name, target).bind(target),
    })
    const broken = await PairStore.open(rigged, vault, SCOPE)
    expect(
      await broken.reset(2).then(
        () => 'lifted',
        () => 'failed',
      ),
    ).to.equal('failed')
    expect(broken.burned(2)).to.include({ code: 'OT_CHECK' })
  })

  it('pair store: under another lock a state counts as missing, its epoch stays used, and a new one takes its place', async () => {
    const later = tagged('another lock')
    await pairs.save(state(2, 4))
    const under = async (clusterContext: Uint8Array) => PairStore.open(store, vault, { ...SCOPE, clusterContext })
    pairs = await under(later)
    expect([pairs.current(2), pairs.burned(2), pairs.nextEpoch(2)]).to.deep.equal([undefined, undefined, 5])
    expect(await refusal(() => pairs.open(2))).to.equal('PAIR_MISSING')
    await pairs.save(state(2, 5, later))
    expect(await pairs.open(2)).to.deep.equal(state(2, 5, later))
    pairs = await under(SCOPE.clusterContext)
    expect(await refusal(() => pairs.open(2))).to.equal('PAIR_MISSING')
  })

  it('pair store: a ban stays on an identity through locks, and spares who takes over its seat', async () => {
    const under = (peerId: string) =>
      PairStore.open(store, vault, { ...SCOPE, clusterContext: tagged(peerId), peerIds: new Map([...SCOPE.peerIds, [2, peerId]]) })
    await pairs.save(state(2, 4))
    await pairs.burn(2, 'OT_CHECK', 0)
    pairs = await under(SCOPE.peerIds.get(2) as string)
    expect(pairs.burned(2)).to.include({ code: 'OT_CHECK', pairEpoch: 4 })
    expect(await refusal(() => pairs.save(state(2, 5)))).to.equal('PAIR_BURNED')
    pairs = await under('newcomer')
    expect([pairs.burned(2), pairs.nextEpoch(2)]).to.deep.equal([undefined, 5])
    await pairs.save(state(2, 5, tagged('newcomer')))
    expect(await pairs.open(2)).to.deep.equal(state(2, 5, tagged('newcomer')))
    // Whoever sits there now may be banned as well, and that lifts nobody else's ban.
    await pairs.burn(2, 'VOLE_CHECK', 1)
    pairs = await under('newcomer')
    expect(pairs.burned(2)).to.include({ code: 'VOLE_CHECK', pairEpoch: 5 })
    await pairs.reset(2)
    expect([pairs.burned(2), pairs.nextEpoch(2)]).to.deep.equal([undefined, 6])
    await reopen()
    expect(pairs.burned(2)?.code).to.equal('OT_CHECK')
    expect(await refusal(() => pairs.open(2))).to.equal('PAIR_BURNED')
  })

  it('pair store: a burn that the disk does not take holds in memory', async () => {
    await pairs.save(state(2, 1))
    const rigged = new Proxy(store, {
      get: (target, name) =>
        name === 'apply' ? () => Promise.reject(new Error('disk full')) : Reflect.get(target, name, target).bind(target),
    })
    const broken = await PairStore.open(rigged, vault, SCOPE)
    await broken.burn(2, 'OT_CHECK', 0).catch(() => undefined)
    expect(await refusal(() => broken.open(2))).to.equal('PAIR_BURNED')
  })
})
