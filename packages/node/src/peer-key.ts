import { readFile, writeFile } from 'node:fs/promises'
import { ConfigError, type IdentityKey, type IdentitySigner } from '@conclave/core'
import { softIdentity } from '@conclave/transport'
import type { KeyVault, SealContext } from '@conclave/vault'

/** Only where it is needed: beside an identity of a kind that libp2p takes no peer ids from. */
export const PEER_KEY_FILE = 'peer.key'

const SEED_BYTES = 32

/** Like the store's key it is sealed before the cluster exists, so its context names none. */
export const peerKeyContext = (nodeName: string): SealContext => ({
  clusterId: '00'.repeat(32),
  nodeId: nodeName,
  recordType: 'peer-key',
  keyId: 'peer',
  epoch: 0,
  version: 1,
})

/** Whether libp2p takes a peer id of such a key. */
export const hasPeerId = ({ type }: IdentityKey): boolean => type !== 'p256'

/** Makes the software key of a peer id and seals it into a new file. @throws {VaultError}, and what writing throws. */
export async function createPeerKey(vault: KeyVault, nodeName: string, file: string): Promise<IdentitySigner> {
  const seed = await vault.random(SEED_BYTES)
  try {
    await writeFile(file, await vault.seal(peerKeyContext(nodeName), seed), { mode: 0o600, flag: 'wx' })
    return softIdentity(seed)
  } finally {
    seed.fill(0)
  }
}

/** @throws {ConfigError} PEER_KEY_MISSING; {VaultError} TAMPER and what else opening throws. */
export async function openPeerKey(vault: KeyVault, nodeName: string, file: string): Promise<IdentitySigner> {
  let record: Uint8Array
  try {
    record = new Uint8Array(await readFile(file))
  } catch (cause) {
    throw new ConfigError('PEER_KEY_MISSING', `cannot read ${file}, the key of this node's peer id: restore it`, { file }, cause)
  }
  using seed = await vault.open(peerKeyContext(nodeName), record)
  return softIdentity(seed.bytes)
}
