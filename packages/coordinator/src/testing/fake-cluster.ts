import { type ClusterLock, type PartyId, signLock, tagged, toHex, utf8 } from '@conclave/core'
import { MemoryHub, memoryTransport, peerIdOf, softIdentity, type Transport } from '@conclave/transport'
import { FakeNode, type FakeWorld } from './fake-node.ts'
import { FakeSessions } from './fake-session.ts'

const NAMES = ['zurich', 'oslo', 'madrid', 'tokyo', 'quito', 'delhi', 'cairo', 'perth', 'lagos'] as const
export const COORDINATOR_NAME = 'hub'
/** Another coordinator of the lock, which runs in few tests. */
export const REPLICA_NAME = 'spoke'

const identityOf = (name: string) => softIdentity(tagged('fake-identity', utf8(name)))

/** The seed of a coordinator's identity, for its identity file. */
export function coordinatorSeed(name = COORDINATOR_NAME): Uint8Array {
  return tagged('fake-identity', utf8(name))
}

async function signedLock(required: number, of: number): Promise<ClusterLock> {
  const names = NAMES.slice(0, of)
  let lock: ClusterLock = {
    version: 1,
    clusterId: toHex(tagged('fake-cluster')),
    previous: '',
    quorum: { required, of },
    nodes: names.map((name, i) => {
      const { key } = identityOf(name)
      const keys = { identity: key, checkpointKeys: [identityOf(`${name}/checkpoint`).key] }
      return { kind: 'node', index: i + 1, name, peerId: peerIdOf(key), addresses: ['/ip4/127.0.0.1/tcp/9'], ...keys }
    }),
    coordinators: [COORDINATOR_NAME, REPLICA_NAME].map((name) => ({
      ...{ kind: 'coordinator', name, peerId: peerIdOf(identityOf(name).key), addresses: [] },
    })),
    signatures: new Map(),
    approvals: new Map(),
  }
  for (const name of names) lock = await signLock(lock, identityOf(name))
  return lock
}

/** Fake nodes on a memory network, behind the real codecs. For tests of whatever talks to a coordinator. */
export class FakeCluster {
  readonly world: FakeWorld
  readonly nodes: readonly FakeNode[]

  private constructor(lock: ClusterLock) {
    this.world = { lock, hub: new MemoryHub(), sessions: new FakeSessions(), keys: new Map(), signs: [], renewals: [] }
    this.nodes = lock.nodes.map((member) => new FakeNode(this.world, member))
  }

  static async start({ required = 3, of = 5 } = {}): Promise<FakeCluster> {
    const cluster = new FakeCluster(await signedLock(required, of))
    for (const node of cluster.nodes) await node.start()
    return cluster
  }

  get lock(): ClusterLock {
    return this.world.lock
  }

  node(index: PartyId): FakeNode {
    const node = this.nodes.find((n) => n.member.index === index)
    if (node === undefined) throw new TypeError(`no fake node ${index}`)
    return node
  }

  transport(self = COORDINATOR_NAME): Transport {
    return memoryTransport(this.world.hub, { lock: this.lock, self })
  }

  /** A coordinator neither hears nor is heard any more; a new transport may take its place. */
  cutOffCoordinator(name = COORDINATOR_NAME): void {
    for (const member of this.lock.coordinators.filter((c) => c.name === name)) this.world.hub.kill(member)
  }

  /** A key that every node has, as if it had been created before. */
  addKey(keyId: string, threshold = this.lock.quorum.required): void {
    const parties = this.nodes.map((n) => n.index)
    this.world.keys.set(keyId, { secret: tagged('fake-key', utf8(keyId)), chainCode: tagged('fake-chain'), threshold, parties })
    for (const node of this.nodes) node.giveKey(keyId, { threshold, parties })
  }

  /** What the signers of each attempt of a request were told. @throws when two nodes were told different signers for one attempt. */
  attemptsOf(requestId: string): ReadonlyMap<number, readonly PartyId[]> {
    const attempts = new Map<number, readonly PartyId[]>()
    const told = new Set<string>()
    for (const { node, attempt, signers } of this.world.signs.filter((s) => s.requestId === requestId)) {
      const before = attempts.get(attempt)
      if (before !== undefined && before.join() !== signers.join()) throw new Error(`attempt ${attempt} was used with two sets of signers`)
      if (told.has(`${node}/${attempt}`)) throw new Error(`node ${node} was told attempt ${attempt} twice`)
      told.add(`${node}/${attempt}`)
      attempts.set(attempt, signers)
    }
    return attempts
  }
}
