import {
  approveLock,
  type ClusterLock,
  type LockChange,
  type NodeMember,
  nextLock,
  nodeWith,
  type PartyId,
  seededRandom,
  signLock,
  tagged,
  toHex,
  u32,
} from '@conclave/core'
import { parsePolicy } from '@conclave/policy'
import { peerIdOf } from '@conclave/transport'
import { MemoryDevice, memoryVault } from '@conclave/vault'

export const COORDINATOR = 'c1'
export const PAYEE = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8'
export const POLICY = parsePolicy(`
version: 1
sequence: 1
rules:
  - name: pay
    effect: allow
    when: { chains: [31337], destinations: ['${PAYEE}'], amountMaxWei: '1000000', feeMaxWei: '1000000000000000000' }
`)

export const nameOf = (party: PartyId): string => `n${party}`

/** The HSM of a machine: the same keys in every run, so that a snapshot of one run opens in another. The first ones have the numbers of their seats. */
export const deviceOf = (machine: number): MemoryDevice =>
  new MemoryDevice({ name: 'primary', random: seededRandom(tagged('sim-device', u32(machine))) })

async function memberOn(device: MemoryDevice, index: PartyId, name: string): Promise<NodeMember> {
  const { identity, checkpointSigner } = await memoryVault({ devices: [device] })
  const keys = { identity: identity.key, checkpointKeys: checkpointSigner.keys }
  return { kind: 'node', index, name, peerId: peerIdOf(identity.key), addresses: [], ...keys }
}

/** Whoever gets a seat of a running cluster: the `generation`-th machine that bears this number, from 1. */
export async function newcomer(
  party: PartyId,
  generation: number,
): Promise<{ readonly member: NodeMember; readonly device: MemoryDevice }> {
  const device = deviceOf(16 * generation + party)
  return { device, member: await memberOn(device, party, `${nameOf(party)}-${generation}`) }
}

/** The next lock, approved by the nodes of `approvers` and signed by all that belong to it; `devices` are all HSMs there are. */
export async function successorOf(
  old: ClusterLock,
  change: LockChange,
  { devices, approvers }: { readonly devices: Iterable<MemoryDevice>; readonly approvers: readonly string[] },
): Promise<ClusterLock> {
  let next = nextLock(old, change)
  for (const device of devices) {
    const { identity } = await memoryVault({ devices: [device] })
    const before = nodeWith(old, identity.key)
    if (before !== undefined && approvers.includes(before.name)) next = await approveLock(old, next, identity)
    if (nodeWith(next, identity.key) !== undefined) next = await signLock(next, identity)
  }
  return next
}

const locks = new Map<string, ClusterLock>()

/** The lock of a simulated cluster of `n` with a quorum of `t`; the same in every run. */
export async function lockOf(n: number, t: number): Promise<ClusterLock> {
  const known = locks.get(`${t}/${n}`)
  if (known !== undefined) return known
  const nodes: NodeMember[] = []
  for (let index = 1; index <= n; index++) nodes.push(await memberOn(deviceOf(index), index, nameOf(index)))
  const coordinator = peerIdOf({ type: 'ed25519', publicKey: (nodes[0] as NodeMember).identity.publicKey.map((b) => b ^ 0xff) })
  let lock: ClusterLock = {
    version: 1,
    previous: '',
    clusterId: toHex(tagged('sim-cluster')),
    quorum: { required: t, of: n },
    nodes,
    coordinators: [{ kind: 'coordinator', name: COORDINATOR, peerId: coordinator, addresses: [] }],
    signatures: new Map(),
    approvals: new Map(),
  }
  for (let index = 1; index <= n; index++) lock = await signLock(lock, (await memoryVault({ devices: [deviceOf(index)] })).identity)
  locks.set(`${t}/${n}`, lock)
  return lock
}
