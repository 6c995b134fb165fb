import { writeFile } from 'node:fs/promises'
import { ML_DSA_SEED_BYTES, MlDsaSigner, toBase64 } from '@conclave/audit'
import { ConfigError, wipe } from '@conclave/core'
import type { KeyVault, SealContext } from '@conclave/vault'
import { readOptionalFile, writeDurably } from '../store/sealed-file.ts'

export const PQ_KEY_FILE = 'audit-pq.key'
/** The public half, for those who verify: base64 in one line. */
export const PQ_PUBLIC_FILE = 'audit-pq.pub'

/** Like the key of the store, it is bound to the node, and the cluster may not exist yet. */
export const pqKeyContext = (nodeName: string): SealContext => ({
  clusterId: '00'.repeat(32),
  nodeId: nodeName,
  recordType: 'audit-pq-key',
  keyId: 'audit',
  epoch: 0,
  version: 1,
})

/**
 * The node's ML-DSA-65 key, of a seed that is sealed under its HSMs; made when there is none yet.
 *
 * @param file - of the sealed seed.
 * @throws {VaultError}; {StoreError}; {ConfigError} FILE_IO.
 */
export async function openPqSigner(vault: KeyVault, nodeName: string, files: { sealed: string; public: string }): Promise<MlDsaSigner> {
  const context = pqKeyContext(nodeName)
  const record = await readOptionalFile(files.sealed)
  let signer: MlDsaSigner
  if (record === undefined) {
    const seed = await vault.random(ML_DSA_SEED_BYTES)
    try {
      await writeDurably(files.sealed, await vault.seal(context, seed))
      signer = new MlDsaSigner(seed)
    } finally {
      wipe(seed)
    }
  } else {
    using seed = await vault.open(context, record)
    signer = new MlDsaSigner(seed.bytes)
  }
  try {
    await writeFile(files.public, `${toBase64(signer.publicKey)}\n`)
  } catch (cause) {
    throw new ConfigError('FILE_IO', `cannot write ${files.public}`, { file: files.public }, cause)
  }
  return signer
}
