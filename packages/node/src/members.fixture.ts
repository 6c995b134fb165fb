import { type NodeMember, seededRandom, u32 } from '@conclave/core'
import { peerIdOf } from '@conclave/transport'
import { type KeyVault, MemoryDevice } from '@conclave/vault'

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
