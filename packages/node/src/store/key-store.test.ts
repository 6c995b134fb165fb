import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ClusterLock, tagged, toHex } from '@conclave/core'
import { parseKeyShare } from '@conclave/mpc'
import { MemoryDevice, memoryVault } from '@conclave/vault'
import { type Attestation, EPOCHS_MAX, encode, type KeyPublic, PendingKey, StoredKey } from '@conclave/wire'
import { expect } from 'chai'
import { refusal } from '../refusal.fixture.ts'
import { identity, type MadeKey, makeKey, SCOPE } from './dkg.fixture.ts'
import { KeyStore } from './key-store.ts'
import { LevelStore } from './level-store.ts'
import type { Change, Store } from './store.ts'

describe('key store', () => {
  const device = new MemoryDevice({ name: 'primary' })
  let made: MadeKey
  let a: readonly [Attestation, Attestation, Attestation]
  let dir: string
  let store: Store
  let keys: KeyStore

  const reopen = async (): Promise<void> => {
    await store?.close()
    store = await LevelStore.open(join(dir, 'db'), tagged('mac'))
    keys = await KeyStore.open(store, await memoryVault({ devices: [device] }), SCOPE)
  }
  before(async () => {
    made = await makeKey('k')
    a = made.attestations as typeof a
  })
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'conclave-keys-'))
    await LevelStore.create(join(dir, 'db'))
    await reopen()
  })
  afterEach(async () => {
    await store.close()
    await rm(dir, { recursive: true, force: true })
  })

  it('key store: a pending key turns active with all n valid attestations, and not before', async () => {
    await keys.savePending(made.share())
    expect(keys.has('k')).to.equal('pending')
    expect(keys.active()).to.deep.equal([])
    for (const one of [a[2], a[0]]) expect(await keys.attest('k', made.hash, [one])).to.equal('pending')
    await reopen()
    expect(keys.has('k')).to.equal('pending')
    expect(await keys.attest('k', made.hash, [a[1]])).to.equal('activated')
    for (const again of [false, true]) {
      if (again) await reopen()
      expect(keys.has('k')).to.equal('active')
      expect(keys.pending()).to.deep.equal([])
      expect(keys.get('k')).to.deep.equal(made.key)
      expect(keys.attestationsOf('k')).to.deep.equal([{ epoch: 0, hash: made.hash, attestations: a }])
      expect(await keys.attest('k', made.hash, a)).to.equal('active')
    }
  })

  it('key store: attestations that come at once are all kept', async () => {
    await keys.savePending(made.share())
    const outcomes = await Promise.all(a.map((one) => keys.attest('k', made.hash, [one])))
    expect(outcomes).to.deep.equal(['pending', 'pending', 'activated'])
    expect([keys.has('k'), keys.pending().length]).to.deep.equal(['active', 0])
    await reopen()
    expect([keys.has('k'), keys.pending().length]).to.deep.equal(['active', 0])
    expect(await store.list('pending-key')).to.deep.equal([])
  })

  it('key store: attestations that are forged, copied, doubled, foreign or of another hash do not count', async () => {
    await keys.savePending(made.share())
    const other = tagged('other hash')
    const signed = async (j: number, hash: Uint8Array) => ({ party: j, signature: await identity(j).sign(hash) })
    const [forged, copied, stranger] = [await signed(2, other), { party: 2, signature: a[0].signature }, await signed(4, made.hash)]
    for (const bad of [forged, copied, stranger, { party: 3, signature: new Uint8Array(64) }]) {
      expect(await keys.attest('k', made.hash, [a[0], bad, a[0], a[0]])).to.equal('pending')
    }
    // A valid one behind a forged one of the same party is not looked at either: one look per party and call.
    expect(await keys.attest('k', made.hash, [forged, a[1]])).to.equal('pending')
    expect(keys.attestationsOf('k')[0]?.attestations).to.deep.equal([a[0]])
    // The right signatures under another hash.
    expect(await keys.attest('k', other, a)).to.equal('pending')
    expect(await keys.attest('k', other, [await signed(1, other), forged, await signed(3, other)])).to.equal('pending')
    expect(await keys.attest('nothing', made.hash, a)).to.equal('unknown')
    expect(keys.has('k')).to.equal('pending')
    expect(await keys.attest('k', made.hash, a)).to.equal('activated')
  })

  it('key store: the share opens for an active key only, and is the one that was stored', async () => {
    await keys.savePending(made.share())
    expect(await refusal(() => keys.openShare('k', 0))).to.equal('UNKNOWN_KEY')
    expect(await refusal(() => keys.get('k'))).to.equal('UNKNOWN_KEY')
    await keys.attest('k', made.hash, a)
    await reopen()
    const opened = await keys.openShare('k', 0)
    expect(opened).to.deep.equal(made.share())
    using share = parseKeyShare(opened.public, opened.secret, 1).secret
    expect(share.bytes).to.have.length(32)
    expect(await refusal(() => parseKeyShare(opened.public, opened.secret, 2))).to.equal('BAD_KEY')
  })

  it('key store: a share on the disk is never written over', async () => {
    const second = await makeKey('k', 'another run')
    await keys.savePending(made.share())
    expect(await refusal(() => keys.savePending(second.share()))).to.equal('KEY_EXISTS')
    await keys.attest('k', made.hash, a)
    expect(await refusal(() => keys.savePending(second.share()))).to.equal('KEY_EXISTS')
    expect(toHex(keys.get('k').publicKey)).to.equal(toHex(made.key.publicKey))
  })

  it('key store: of two shares that are stored at once under one id, one stays whole', async () => {
    const second = await makeKey('k', 'another run')
    const outcomes = await Promise.allSettled([keys.savePending(made.share()), keys.savePending(second.share())])
    expect(outcomes.map((o) => o.status)).to.deep.equal(['fulfilled', 'rejected'])
    expect(await keys.attest('k', made.hash, a)).to.equal('activated')
    expect((await keys.openShare('k', 0)).secret).to.deep.equal(made.share().secret)
  })

  it('key store: unsettled epochs are few per lock, and the next lock has room again', async () => {
    const certified = { key: made.key, attestations: [...a] }
    await store.apply([{ put: 'key', key: 'k/0', value: encode(StoredKey, { certificate: certified, sealed: tagged('s'), proved: true }) }])
    const prepare = (lock: string, from: number, count: number) =>
      store.apply(
        Array.from({ length: count }, (_, i): Change => {
          const key = { ...made.key, clusterContext: lock === '' ? SCOPE.clusterContext : tagged(lock), epoch: from + i }
          return { put: 'pending-key', key: `k/${from + i}`, value: encode(PendingKey, { key, sealed: tagged('s'), attestations: [] }) }
        }),
      )
    await prepare('old lock', 1, EPOCHS_MAX)
    await reopen()
    keys.checkFree('k', 17)
    await prepare('', 17, EPOCHS_MAX - 1)
    await reopen()
    keys.checkFree('k', 32)
    await prepare('', 32, 1)
    await reopen()
    expect(await refusal(() => keys.checkFree('k', 33))).to.equal('EPOCHS_FULL')
    // A word has room for the active epoch and so many more.
    expect(keys.attestationsOf('k').map((w) => w.epoch)).to.deep.equal([0, ...Array.from({ length: EPOCHS_MAX }, (_, i) => 17 + i)])
  })

  it('key store: what the disk refuses has not happened in memory either', async () => {
    const full: Pick<Store, 'apply'> = { apply: (_: readonly Change[]) => Promise.reject(new Error('disk full')) }
    const rigged = new Proxy(store, {
      get: (target, name) => (name === 'apply' ? full.apply : Reflect.get(target, name, target).bind(target)),
    })
    const broken = await KeyStore.open(rigged, await memoryVault({ devices: [device] }), SCOPE)
    await broken.savePending(made.share()).catch(() => undefined)
    expect(broken.has('k')).to.equal(undefined)
    await keys.savePending(made.share())
    const late = await KeyStore.open(rigged, await memoryVault({ devices: [device] }), SCOPE)
    await late.attest('k', made.hash, a).catch(() => undefined)
    expect(late.has('k')).to.equal('pending')
    expect(late.attestationsOf('k')[0]?.attestations).to.deep.equal([])
  })

  it('key store: an epoch that too few parties are left to sign with does not take the place of one that works', async () => {
    const older = tagged('an older lock')
    const certified = (epoch: number, change: Partial<KeyPublic>) => {
      const key = { ...made.key, epoch, ...change }
      const value = encode(StoredKey, { certificate: { key, attestations: a }, sealed: new Uint8Array(100), proved: false })
      return { put: 'key', key: `k/${String(epoch).padStart(10, '0')}`, value } as const
    }
    // Party 3 has another identity by now.
    const nodes = [1, 2, 3].map((index) => ({ index, identity: identity(index === 3 ? 4 : index).key }))
    const scope = { ...SCOPE, lockOf: () => ({ nodes }) as unknown as ClusterLock }
    const activeOf = async (...records: ReturnType<typeof certified>[]) => {
      await store.apply(records)
      const opened = await KeyStore.open(store, await memoryVault({ devices: [device] }), scope)
      return [opened.get('k').epoch, opened.before('k')?.epoch]
    }
    expect(await activeOf(certified(0, {}))).to.deep.equal([0, undefined])
    expect(await activeOf(certified(3, { threshold: 3, clusterContext: older }))).to.deep.equal([0, undefined])
    // With two of three it still can.
    expect(await activeOf(certified(4, { threshold: 2, clusterContext: older }))).to.deep.equal([4, 0])
    expect(await activeOf(certified(5, {}))).to.deep.equal([5, 4])
  })
})
