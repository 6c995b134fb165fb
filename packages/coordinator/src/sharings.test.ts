import { type ClusterLock, toHex } from '@conclave/core'
import type { NodeStatus } from '@conclave/wire'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { expect } from 'chai'
import type { KeyRecord } from './records.ts'
import { confirmedSharings, usableSharings } from './sharings.ts'
import { FakeCluster } from './testing/harness.ts'

type Reported = NodeStatus['keys'][number]

const publicKey = secp256k1.getPublicKey(new Uint8Array(32).fill(1))
const evilKey = secp256k1.getPublicKey(new Uint8Array(32).fill(2))
const chainCode = new Uint8Array(32).fill(3)
const evilCode = new Uint8Array(32).fill(4)
const KEY: Reported = {
  keyId: 'main',
  epoch: 0,
  publicKey,
  chainCode,
  threshold: 3,
  parties: [1, 2, 3, 4, 5],
  state: 'active',
  prepared: 0,
  backedUp: false,
  backupEpoch: 0,
  phase: 'active',
}
const RECORD: KeyRecord = { ...KEY, publicKey: toHex(publicKey), chainCode: toHex(chainCode) }

describe('confirmedSharings', () => {
  let lock: ClusterLock
  let blank: NodeStatus
  before(async () => {
    const cluster = await FakeCluster.start()
    lock = cluster.lock
    blank = cluster.node(1).status()
  })

  const confirm = (...reports: (readonly Reported[])[]) =>
    confirmedSharings(lock, (i) =>
      reports[i - 1] === undefined ? undefined : { ...blank, index: i, keys: reports[i - 1] as readonly Reported[] },
    )

  it('a key that threshold nodes report exists; one fewer is not enough', () => {
    expect(confirm([KEY], [KEY], [KEY]).map(({ key }) => key.keyId)).deep.equal(['main'])
    expect(confirm([KEY], [KEY])).deep.equal([])
    expect(confirm([KEY], [KEY], [{ ...KEY, publicKey: evilKey }])).deep.equal([])
    expect(confirm([KEY], [KEY], [{ ...KEY, chainCode: new Uint8Array(32) }])).deep.equal([])
    expect(confirm([KEY], [KEY], [KEY])[0]?.key.chainCode).equal('03'.repeat(32))
  })

  it('two liars cannot make a key appear by claiming a small threshold or a small committee', () => {
    const small = { ...KEY, publicKey: evilKey, threshold: 2 }
    expect(confirm([small], [small])).deep.equal([])
    const alone = { ...small, parties: [1, 2] }
    expect(confirm([alone], [alone])).deep.equal([])
  })

  it('a higher threshold than the lock asks for is needed in full', () => {
    const high = { ...KEY, threshold: 4 }
    expect(confirm([high], [high], [high])).deep.equal([])
    expect(confirm([high], [high], [high], [high])).lengthOf(1)
  })

  it('a report counts once per node and only from a party of the key', () => {
    expect(confirm([KEY, KEY, KEY])).deep.equal([])
    const without3 = { ...KEY, parties: [1, 2, 4, 5] }
    expect(confirm([without3], [without3], [without3])).deep.equal([])
  })

  it('impossible keys do not exist whoever reports them', () => {
    const odd: readonly Partial<Reported>[] = [
      { publicKey: new Uint8Array(33).fill(4) },
      { keyId: '../x' },
      { threshold: 9 },
      { parties: [1, 1, 2] },
      { parties: [1, 2, 3, 4, 10] },
    ]
    for (const change of odd)
      expect(confirm(...Array.from({ length: 5 }, () => [{ ...KEY, ...change }])), JSON.stringify(change)).deep.equal([])
  })

  it('the epoch is the one that a quorum has reached', () => {
    const at = (epoch: number) => [{ ...KEY, epoch }]
    expect(confirm(at(2), at(2), at(1), at(1), at(0))[0]?.key.epoch).equal(1)
    expect(confirm(at(7), at(2), at(2), at(2), at(0))[0]?.key.epoch).equal(2)
  })

  it('a node that cannot sign with its share confirms nothing', () => {
    const stale = [{ ...KEY, state: 'stale' }]
    expect(confirm([KEY], [KEY], stale, stale, stale)).deep.equal([])
  })

  it('a committee with parties that have left, and a lock with gaps', () => {
    const gaps = { ...lock, nodes: lock.nodes.filter((n) => n.index !== 3).map((n) => (n.index === 5 ? { ...n, index: 9 } : n)) }
    const report = (keys: readonly Reported[]) => confirmedSharings(gaps, (i) => ({ ...blank, index: i, keys }))
    expect(report([KEY])[0]).deep.include({ nodes: [1, 2, 4] })
    const present = { ...KEY, parties: [1, 2, 4, 9] }
    expect(report([present])[0]).deep.include({ nodes: [1, 2, 4, 9] })
  })

  it('a smaller threshold than the known one needs as many reporters as the known one', () => {
    const known: KeyRecord = { ...RECORD, threshold: 4 }
    const reports = (n: number) => (i: number) => (i > n ? undefined : { ...blank, index: i, keys: [{ ...KEY, epoch: 1 }] })
    expect(confirmedSharings(lock, reports(3), () => known)).deep.equal([])
    expect(confirmedSharings(lock, reports(4), () => known)).lengthOf(1)
  })
})

describe('usableSharings', () => {
  const at = (epoch: number, change: Partial<Reported> = {}) => [{ ...KEY, epoch, ...change }]
  const known = (epoch: number, change: Partial<KeyRecord> = {}): KeyRecord => ({ ...RECORD, epoch, ...change })
  let lock: ClusterLock
  let blank: NodeStatus
  before(async () => {
    const cluster = await FakeCluster.start()
    lock = cluster.lock
    blank = cluster.node(1).status()
  })
  const usable = (key: KeyRecord, ...reports: (readonly Reported[])[]) =>
    usableSharings(lock, (i) => ({ ...blank, index: i, keys: reports[i - 1] ?? [] }), key).map((s) => [s.key.epoch, s.nodes.join('')])

  it('the highest epoch first, and each node at one of them', () => {
    expect(usable(known(4), at(5), at(5), at(5), at(4), at(4))).deep.equal([
      [5, '123'],
      [4, '45'],
    ])
  })

  it('an epoch that too few report is none, unless it is the known one', () => {
    expect(usable(known(4), at(9), at(9), at(4), at(4), at(4))).deep.equal([[4, '345']])
    expect(usable(known(4), at(9), at(9), [], [], at(4))).deep.equal([[4, '5']])
  })

  it('liars with another public key or chain code, a small threshold or a committee of their own are left out', () => {
    const lies: readonly Partial<Reported>[] = [
      { publicKey: evilKey },
      { chainCode: evilCode },
      { threshold: 2 },
      { threshold: 2, parties: [1, 2] },
    ]
    for (const lie of lies) expect(usable(known(4), at(9, lie), at(9, lie), at(4), at(4), at(4))).deep.equal([[4, '345']])
    for (const lie of [{ publicKey: evilKey }, { chainCode: evilCode }]) {
      const all = at(9, lie)
      expect(usable(known(4), all, all, all, all, all)).deep.equal([])
    }
  })
})
