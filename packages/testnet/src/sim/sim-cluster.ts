import { type ClusterLock, type NodeMember, type PartyId, seededRandom, signLock, tagged, toHex, u32 } from '@conclave/core'
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

/** The HSM of a party: the same keys in every run, so that a snapshot of one run opens in another. */
export const deviceOf = (party: PartyId): MemoryDevice =>
  new MemoryDevice({ name: 'primary', random: seededRandom(tagged('sim-device', u32(party))) })

const locks = new Map<string, ClusterLock>()

/** The lock of a simulated cluster of `n` with a quorum of `t`; the same in every run. */
export async function lockOf(n: number, t: number): Promise<ClusterLock> {
  const known = locks.get(`${t}/${n}`)
  if (known !== undefined) return known
  const nodes: NodeMember[] = []
  for (let index = 1; index <= n; index++) {
    const { identity } = await memoryVault({ devices: [deviceOf(index)] })
    nodes.push({ kind: 'node', index, name: nameOf(index), peerId: peerIdOf(identity.key), addresses: [], identity: identity.key })
  }
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
