import { type ClusterLock, tagged, toHex } from '@conclave/core'
import { expect } from 'chai'
import { TestCluster } from './cluster.fixture.ts'
import type { NodeParts } from './node-parts.ts'
import { refusal } from './refusal.fixture.ts'
import {
  codeIn,
  createdIn,
  expectSignature,
  newKey,
  pairsReady,
  propose,
  renew,
  renewal,
  signTransfer,
  statusOf,
  transfer,
  until,
  verdictIn,
} from './requests.fixture.ts'
import { LockStore } from './store/lock-store.ts'

describe('lock adoption', () => {
  let cluster: TestCluster

  beforeEach(async () => {
    cluster = await TestCluster.create(3, 2)
  })
  afterEach(() => cluster.close())

  /** Versions in the store of a node that is not running. */
  async function versionsAt(name: string): Promise<readonly number[]> {
    const store = await cluster.openStore(name)
    try {
      const locks = await LockStore.open(store)
      return locks.present === undefined ? [] : [...locks.older, locks.present].map((lock) => lock.version)
    } finally {
      await store.close()
    }
  }

  async function moveTo(lock: ClusterLock): Promise<void> {
    for (const name of cluster.names()) await cluster.kill(name)
    await cluster.moveTo(lock)
    await cluster.start()
    await pairsReady(cluster)
  }

  it('lock adoption: with a seat taken over and a gap in the indices nodes make keys and sign, and old keys live on', async () => {
    await cluster.start()
    const old = await newKey(cluster, 'old')
    const pairBetween = async () => (await statusOf(cluster, 1)).pairs.find((p) => p.peer === 3)?.pairEpoch
    const before = await pairBetween()
    await moveTo(await cluster.nextLock({ replace: { n2: 'n4' }, approvers: ['n1', 'n3'] }))
    expect(cluster.lock.nodes.map((n) => `${n.index}${n.name}`)).to.deep.equal(['1n1', '2n4', '3n3'])
    // A pair state belongs to its lock, so it was made anew.
    expect(await pairBetween()).to.be.greaterThan(before as number)
    expectSignature(await signTransfer(cluster, 1, [1, 3], { keyId: 'old' }), old)
    // Who took over a seat has nothing of what its predecessor held.
    const [verdict] = (await propose(cluster, 2, [2], transfer(2n), { keyId: 'old' })).map(verdictIn)
    expect(verdict?.code).to.equal('UNKNOWN_KEY')

    // One of the two that can sign with it must not leave as well.
    const shrunk = await cluster.nextLock({ remove: ['n1'], approvers: ['n3', 'n4'] })
    await cluster.kill('n3')
    expect(await refusal(() => cluster.start(['n3'], { lock: shrunk }))).to.equal('LOCK_LOSES_KEY')
    const abandoning = (keyId: string) => cluster.start(['n3'], { lock: shrunk, rig: (parts) => ({ ...parts, abandonedKeys: [keyId] }) })
    expect(await refusal(() => abandoning('other'))).to.equal('LOCK_LOSES_KEY')
    await cluster.start(['n3'])
    await pairsReady(cluster)
    const reshare = renewal(cluster, { keyId: 'old', kind: 'reshare', dealers: [1, 3] })
    for (const body of await renew(cluster, reshare)) expect(toHex(createdIn(body).publicKey)).to.equal(toHex(old))
    await moveTo(shrunk)
    expectSignature(await signTransfer(cluster, 4, [2, 3], { keyId: 'old', epoch: 1 }), old)
    expect(cluster.parties()).to.deep.equal([2, 3])
    const createKey = { keyId: 'odd', nonce: tagged('odd'), threshold: 2, parties: [1, 2, 3] }
    expect(codeIn(await cluster.ask(2, { createKey }))).to.equal('BAD_PARTY')
    const last = await newKey(cluster, 'last')
    expectSignature(await signTransfer(cluster, 3, [2, 3], { keyId: 'last' }), last)
    for (const name of cluster.names()) await cluster.kill(name)
    expect([await versionsAt('n1'), await versionsAt('n3'), await versionsAt('n4')]).to.deep.equal([
      [1, 2],
      [1, 2, 3],
      [2, 3],
    ])
  })

  it('lock adoption: a lock that may not follow keeps the node from starting, changes nothing, and the old one still works', async () => {
    const first = cluster.lock
    const start = (lock: ClusterLock) => refusal(() => cluster.start(['n1'], { lock }))
    const next = await cluster.nextLock()
    const rival = await cluster.nextLock({ required: 3 })
    const alone = await cluster.nextLock({ approvers: ['n1'] })
    await cluster.start(['n1'])
    await cluster.kill('n1')
    expect(await start(alone)).to.equal('LOCK_UNAPPROVED')
    expect(await start({ ...next, signatures: new Map() })).to.equal('LOCK_UNSIGNED')
    await cluster.moveTo(next)
    const third = await cluster.nextLock()
    expect(await start(third)).to.equal('LOCK_SKIPPED')
    expect(await versionsAt('n1')).to.deep.equal([1])
    await cluster.start(['n1'], { lock: first })
    await cluster.kill('n1')
    await cluster.start(['n1'], { lock: next })
    await cluster.kill('n1')
    expect(await start(first)).to.equal('LOCK_ROLLED_BACK')
    expect(await start(rival)).to.equal('LOCK_CHANGED')
    expect(await versionsAt('n1')).to.deep.equal([1, 2])
    await cluster.start(['n1'], { lock: third })
  })

  it('lock adoption: a key that a lock loses does not keep a node out when its operator gives the key up', async () => {
    await cluster.start()
    // Of a committee that can do without nobody: whoever is in it could refuse to hand the key on, and would stay for ever.
    const createKey = { keyId: 'trap', nonce: tagged('trap'), threshold: 3, parties: [1, 2, 3] }
    for (const body of await Promise.all([1, 2, 3].map((j) => cluster.ask(j, { createKey })))) expect(codeIn(body)).to.equal('keyCreated')
    const next = await cluster.nextLock({ replace: { n3: 'n4' } })
    for (const name of ['n1', 'n2', 'n3']) await cluster.kill(name)
    expect(await refusal(() => cluster.start(['n1'], { lock: next }))).to.equal('LOCK_LOSES_KEY')
    await cluster.start(['n1'], { lock: next, rig: (parts) => ({ ...parts, abandonedKeys: ['trap'] }) })
    await cluster.kill('n1')
    await cluster.start(['n1'], { lock: next })
  })

  it('lock adoption: a node that the lock does not name, or names with another identity, stores nothing of it', async () => {
    await cluster.start(['n2'])
    await cluster.kill('n2')
    const next = await cluster.nextLock()
    expect(await refusal(() => cluster.start(['n2'], { lock: next, rig: (parts) => ({ ...parts, name: 'n5' }) }))).to.equal('NOT_A_MEMBER')
    expect(await refusal(() => cluster.start(['n2'], { lock: next, rig: (parts) => ({ ...parts, name: 'n3' }) }))).to.equal(
      'WRONG_IDENTITY',
    )
    expect(await versionsAt('n2')).to.deep.equal([1])
  })

  it('lock adoption: while it goes from node to node, those of different versions do not link, and say LOCK_MISMATCH', async () => {
    const next = await cluster.nextLock()
    const transports = new Map<string, NodeParts['transport']>()
    const rig = (parts: NodeParts): NodeParts => {
      transports.set(parts.name, parts.transport)
      return parts
    }
    await cluster.start(['n1', 'n2'], { rig })
    await cluster.start(['n3'], { rig, lock: next })
    const linksOf = (name: string) =>
      (transports.get(name) as NodeParts['transport']).links().flatMap((l) => (l.member.kind === 'node' ? [l.up || l.downReason] : []))
    const apart = 'LOCK_MISMATCH'
    await until('links', () => linksOf('n1').includes(true))
    expect([linksOf('n1'), linksOf('n3')]).to.deep.equal([
      [true, apart],
      [apart, apart],
    ])
  })
})
