/** Feeds broken worlds to the invariants, one after the other, and prints what each of them saw. Runs over the model. */
import { type PartyId, tagged } from '@conclave/core'
import type { ToWorker } from '@conclave/node'
import { memoryVault } from '@conclave/vault'
import { decode, encode, KeyPublic, type NodeStatus, PairPublic, PendingKey, StoredBurn, StoredKey } from '@conclave/wire'
import { Driver, type Listener } from './driver.ts'
import { burnsLast, keyIsNotLost, sameEpoch } from './invariants.ts'
import { KeysBook } from './keys-book.ts'
import { BASE_KEY } from './plan.ts'
import { poolsAreInOrder } from './pool-book.ts'
import { Probe } from './probe.ts'
import { preparedInVain, unrest } from './settle.ts'
import { lockOf, nameOf } from './sim-cluster.ts'
import { snapshotOf } from './snapshot.ts'
import { World } from './world.ts'

type SignJob = Extract<Extract<ToWorker, { readonly type: 'start' }>['job'], { readonly kind: 'sign' }>

/** A driver that hears what it is told to hear. */
class DeafDriver extends Driver {
  heard: Listener = () => undefined

  override listen(listener: Listener): void {
    this.heard = listener
  }
}

interface Scene {
  readonly world: World
  readonly probe: Probe
  readonly driver: DeafDriver
  readonly key: KeyPublic
}

async function scene(): Promise<Scene> {
  const { images } = await snapshotOf(3, 2)
  const world = await World.create({ seed: 'broken', n: 3, t: 2, images })
  const probe = new Probe(world, new KeysBook())
  const driver = new DeafDriver(world)
  probe.attach(driver)
  probe.begin(world)
  return { world, probe, driver, key: (probe.keys.get(BASE_KEY) as { readonly public: KeyPublic }).public }
}

const BURN = encode(StoredBurn, {
  peer: 2,
  peerId: (await lockOf(3, 2)).nodes[1]?.peerId as string,
  pairEpoch: 1,
  code: 'OT_CHECK',
  at: new Uint8Array(8),
})

const seen: Record<string, string | null> = {}
async function look(name: string, act: (s: Scene) => Promise<string | undefined> | string | undefined): Promise<void> {
  const made = await scene()
  const found = await act(made)
  seen[name] = found ?? made.world.violations[0]?.invariant ?? null
}

const signJob = (key: KeyPublic, change: { readonly epoch?: number; readonly peers?: readonly PartyId[] } = {}): SignJob => {
  const record = (bytes: Uint8Array) => ({ public: bytes, secret: new Uint8Array(1) })
  const share = record(encode(KeyPublic, { ...key, epoch: change.epoch ?? key.epoch }))
  const named = { requestId: tagged('r'), statement: tagged('s'), signers: [1, 2] }
  const request = { ...named, items: [{ digest: tagged('d'), path: [] }], purpose: 'evm.tx', attempt: 0 }
  return {
    ...{ kind: 'sign', self: 1, clusterContext: tagged('c'), share, request },
    pairs: new Map((change.peers ?? [2]).map((j) => [j, record(new Uint8Array(1))])),
    ...{ offers: new Map(), stocked: new Set() },
  }
}
const start = (id: string, job: SignJob): ToWorker => ({ type: 'start', id, job, seed: new Uint8Array(32) })

/** Re-seals the share of a party with other bytes. */
async function spoil(world: World, party: PartyId): Promise<void> {
  const node = world.node(party)
  const vault = await memoryVault({ devices: [node.device] })
  const [name, value] = [...node.image.records].find(([k]) => k.startsWith('key!')) as [string, Uint8Array]
  const stored = decode(StoredKey, value)
  const { keyId, epoch } = stored.certificate.key
  const at = { clusterId: world.lock.clusterId, nodeId: node.name, recordType: 'key-share', keyId, epoch, version: 1 }
  const sealed = await vault.seal(at, new Uint8Array(64).fill(1))
  node.image.records.set(name, encode(StoredKey, { ...stored, sealed }))
}

await look('intact: key', ({ world, key }) => keyIsNotLost(world, key))
await look('intact: epoch', ({ world, key }) => sameEpoch(world, key))
await look('one share gone: key', ({ world, key }) => {
  world.node(1).image.forget('key')
  return keyIsNotLost(world, key)
})
await look('one share gone: epoch', ({ world, key }) => {
  world.node(1).image.forget('key')
  return sameEpoch(world, key)
})
await look('two shares gone: key', ({ world, key }) => {
  for (const j of [1, 3]) world.node(j).image.forget('key')
  return keyIsNotLost(world, key)
})
await look('two shares of deviants: key', ({ world, key }) => {
  for (const j of [1, 3]) world.byzantine.add(nameOf(j))
  return keyIsNotLost(world, key)
})
await look('a wrong share: key', async ({ world, key }) => {
  await spoil(world, 1)
  return keyIsNotLost(world, key)
})
await look('erased too early', ({ world }) => {
  for (const j of [1, 2]) world.node(j).image.forget('key')
  world.witness.wrote(world.node(2), 1, 'at', [{ del: 'key', key: `${BASE_KEY}/0` }])
  return undefined
})
await look('a burn kept', ({ world }) => {
  world.node(1).image.records.set('burn!2', BURN)
  return burnsLast(world.node(1), new Set([world.node(2).member.peerId]), undefined)
})
await look('a burn lost', ({ world }) => burnsLast(world.node(1), new Set([world.node(2).member.peerId]), undefined))
/** As if the first node said that its pair with the second one is burned. */
const said = (world: World, burned: ReadonlySet<string>): string | undefined => {
  const pairs = [2, 3].map((peer) => ({ peer, pairEpoch: 1, state: peer === 2 ? 'burned' : 'ready', pairId: new Uint8Array(0), code: '' }))
  return burnsLast(world.node(1), burned, { pairs } as unknown as NodeStatus)
}
await look('a burn kept and said', ({ world }) => {
  world.node(1).image.records.set('burn!2', BURN)
  return said(world, new Set([world.node(2).member.peerId]))
})
await look('a burn on who took over the seat', ({ world }) => {
  world.node(1).image.records.set('burn!2', BURN)
  return said(world, new Set(['who had the seat before']))
})
await look('an honest party banned', ({ world }) => {
  world.witness.wrote(world.node(1), 1, 'at', [{ put: 'burn', key: '2', value: BURN }])
  return undefined
})
await look('signing with a banned party', ({ world, key }) => {
  world.byzantine.add(nameOf(2))
  world.witness.wrote(world.node(1), 1, 'at', [{ put: 'burn', key: '2', value: BURN }])
  world.witness.worker(world.node(1), start('s', signJob(key)))
  return undefined
})
await look('a session twice', ({ world, key }) => {
  for (let i = 0; i < 2; i++) world.witness.worker(world.node(1), start('s', signJob(key)))
  return undefined
})
await look('two sessions', ({ world, key }) => {
  for (const id of ['s', 't']) world.witness.worker(world.node(1), start(id, signJob(key)))
  return undefined
})

/** A pair state that is named by its epoch, an entry by its number. */
const pairRecord = (pairEpoch: number) => ({
  public: encode(PairPublic, { self: 1, peer: 2, pairEpoch, transcript: tagged('t'), clusterContext: tagged('c') }),
  secret: new Uint8Array(1),
})
const entry = (i: number) => ({ name: tagged('entry', Uint8Array.of(i)), secret: new Uint8Array(1) })
/** Entry 1 is made at this node under pair epoch 1. */
const refill = (world: World, party: PartyId): void => {
  const job = { kind: 'correlate', self: party, peer: 3 - party, pair: pairRecord(1), nonce: tagged('n'), count: 1 } as const
  world.witness.worker(world.node(party), { type: 'start', id: 'c', job, seed: new Uint8Array(32) })
  world.witness.worker(world.node(party), { type: 'done', id: 'c', result: [entry(1)] })
}
/** Node 1 signs with an entry of the pool, under a pair epoch. */
const spend = (world: World, key: KeyPublic, id: string, change: { readonly entry?: number; readonly pairEpoch?: number } = {}): void => {
  const pairs = new Map([[2, pairRecord(change.pairEpoch ?? 1)]])
  world.witness.worker(world.node(1), start(id, { ...signJob(key), pairs, offers: new Map([[2, [entry(change.entry ?? 1)]]]) }))
}
/** Node 2 is given the entry in the same session, or another one. */
const give = (world: World, key: KeyPublic, id: string): void => {
  world.witness.worker(world.node(2), start(id, { ...signJob(key), self: 2, pairs: new Map([[1, pairRecord(1)]]) }))
  world.witness.worker(world.node(2), { type: 'taken', id, found: new Map([[1, [entry(1)]]]) })
}
await look('an entry used at both ends', ({ world, key }) => {
  for (const j of [1, 2]) refill(world, j)
  spend(world, key, 's')
  give(world, key, 's')
  return undefined
})
await look('an entry used in two sessions', ({ world, key }) => {
  refill(world, 1)
  for (const id of ['s', 't']) spend(world, key, id)
  return undefined
})
await look('an entry used in another session at the other end', ({ world, key }) => {
  for (const j of [1, 2]) refill(world, j)
  spend(world, key, 's')
  give(world, key, 't')
  return undefined
})
await look('an entry that was never made', ({ world, key }) => {
  refill(world, 1)
  spend(world, key, 's', { entry: 2 })
  return undefined
})
await look('an entry of another pair state', ({ world, key }) => {
  refill(world, 1)
  spend(world, key, 's', { pairEpoch: 2 })
  return undefined
})
await look('an entry of another life', ({ world, key }) => {
  refill(world, 1)
  void world.node(1).start()
  spend(world, key, 's')
  return undefined
})
await look('a refill with a banned party', ({ world }) => {
  world.byzantine.add(nameOf(2))
  world.witness.wrote(world.node(1), 1, 'at', [{ put: 'burn', key: '2', value: BURN }])
  refill(world, 1)
  return undefined
})
const stock = (state: string, count: number) => {
  const pairs = [{ peer: 2, pairEpoch: 1, state, pairId: new Uint8Array(0), code: '', stock: count }]
  return poolsAreInOrder('n1', { pairs } as unknown as NodeStatus, 3)
}
await look('a full stock', () => stock('ready', 3))
await look('a stock above its mark', () => stock('ready', 4))
await look('a stock of a burned pair', () => stock('burned', 1))
await look('two epochs in one session', ({ world, key }) => {
  world.witness.worker(world.node(1), start('s', signJob(key)))
  world.witness.worker(world.node(2), start('s', signJob(key, { epoch: 1 })))
  return undefined
})
await look('another public key', ({ world, key }) => {
  const other = { ...key, epoch: 1, publicKey: key.publicShares[0] as Uint8Array }
  const stored = { certificate: { key: other, attestations: [] }, sealed: Uint8Array.of(1), proved: false }
  world.witness.wrote(world.node(1), 1, 'at', [{ put: 'key', key: 'x', value: encode(StoredKey, stored) }])
  return undefined
})
const failure = (code: string, culprits: readonly PartyId[]) => ({
  failure: { code, message: '', retriable: false, culprits, waitingFor: [] },
})
await look('an honest party named', ({ world, driver }) => {
  driver.heard(world.node(1), failure('DEAL_BAD_SUBSHARE', [2]))
  return undefined
})
await look('a deviant named', ({ world, driver }) => {
  world.byzantine.add(nameOf(2))
  driver.heard(world.node(1), failure('DEAL_BAD_SUBSHARE', [2]))
  return undefined
})
await look('told before it was burned', ({ world, driver }) => {
  world.byzantine.add(nameOf(2))
  driver.heard(world.node(1), failure('OT_CHECK', [2]))
  return undefined
})
await look('a signature that does not verify', ({ world, driver }) => {
  const item = { digest: tagged('d'), signature: new Uint8Array(64), recovery: 0 }
  const signed = { requestId: tagged('r'), items: [item], bytesSent: 0 }
  driver.heard(world.node(1), { signed })
  return undefined
})
await look('a node that is silent', ({ world }) => unrest(world, new Map<PartyId, NodeStatus>()))
/** As if this epoch had been prepared by some and certified by nobody. */
const prepare = (world: World, key: KeyPublic, parties: readonly PartyId[], epoch: number): string | undefined => {
  const value = encode(PendingKey, { key: { ...key, epoch }, sealed: Uint8Array.of(1), attestations: [] })
  for (const j of parties) world.node(j).image.records.set(`pending-key!${BASE_KEY}/${epoch}`, value)
  return preparedInVain(world)
}
await look('prepared by some', ({ world, key }) => prepare(world, key, [1, 2], 1))
await look('prepared by all, and passed over', ({ world, key }) => prepare(world, key, [1, 2, 3], 0))
await look('prepared by all', ({ world, key }) => prepare(world, key, [1, 2, 3], 1))
process.stdout.write(JSON.stringify(seen))
