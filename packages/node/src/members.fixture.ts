import { type NodeMember, seededRandom, u32 } from '@conclave/core'
import { parsePolicy } from '@conclave/policy'
import { peerIdOf } from '@conclave/transport'
import { type KeyVault, MemoryDevice } from '@conclave/vault'

export const ALLOWED = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8'
export const POLICY = parsePolicy(`
version: 1
sequence: 1
rules:
  - name: pay
    effect: allow
    when: { chains: [31337], destinations: ['${ALLOWED}'], amountMaxWei: '1000', feeMaxWei: '1000000000000000000' }
`)

/** Names of nodes; those that are new get an HSM and a database. */
export interface NextLockOptions {
  readonly required?: number
  /** By the name of the node whose seat is taken over. */
  readonly replace?: Readonly<Record<string, string>>
  readonly add?: readonly string[]
  readonly remove?: readonly string[]
  /** Who approves; all nodes of the present lock unless given. */
  readonly approvers?: readonly string[]
}

/** The HSM of the i-th node that a test cluster ever had. */
export const deviceOf = (i: number) => new MemoryDevice({ name: 'primary', random: seededRandom(u32(i)) })

export function cardOf(name: string, { identity: { key }, checkpointSigner: { keys } }: KeyVault): Omit<NodeMember, 'index'> {
  return { kind: 'node', name, peerId: peerIdOf(key), addresses: [], identity: key, checkpointKeys: keys }
}
