import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { RecordShelf, SealContext } from '@conclave/vault'
import { PQ_KEY_FILE, pqKeyContext } from './audit/pq-key.ts'
import { PEER_KEY_FILE, peerKeyContext } from './peer-key.ts'
import type { NodeSettings } from './settings.ts'
import { sealedFile } from './store/sealed-file.ts'

export const STORE_KEY_FILE = 'store.key'

/** The MAC key of the store is sealed before the cluster exists, so its context names no cluster. */
export const storeKeyContext = (nodeName: string): SealContext => ({
  clusterId: '00'.repeat(32),
  nodeId: nodeName,
  recordType: 'store-key',
  keyId: 'store',
  epoch: 0,
  version: 1,
})

/** Where a node keeps a file that lies beside its store. */
export const besideStore = ({ storePath }: Pick<NodeSettings, 'storePath'>, name: string): string => join(storePath, '..', name)

/** The node must have the first one; the others are there when they were once made, whatever the settings say now. */
const FILES = [
  [STORE_KEY_FILE, storeKeyContext],
  [PEER_KEY_FILE, peerKeyContext],
  [PQ_KEY_FILE, pqKeyContext],
] as const

/** Every sealed record of a node outside its store. */
export function sealedFiles(settings: Pick<NodeSettings, 'storePath' | 'name'>): readonly RecordShelf[] {
  return FILES.flatMap(([name, contextOf]) => {
    const file = besideStore(settings, name)
    return name === STORE_KEY_FILE || existsSync(file) ? [sealedFile(name, file, contextOf(settings.name))] : []
  })
}
