import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseLock } from '@conclave/core'
import { LevelStore, readSettings, type Store } from '@conclave/node'
import { type KeyVault, openPkcs11Vault, type SealContext } from '@conclave/vault'
import { decode, StoredKey, StoredPair } from '@conclave/wire'

/** A sealed record of a stopped node, with the context that it is bound to. */
export interface Sealed {
  readonly name: string
  readonly context: SealContext
  readonly record: Uint8Array
}

/** What one stopped node has on its disk, and its own HSM. Only one of them is open at a time: this process is nobody's dealer. */
export interface StoppedNode {
  readonly vault: KeyVault
  readonly keys: readonly StoredKey[]
  readonly pairs: readonly StoredPair[]
  readonly pending: number
  /** The shares, the pair states and the key of the store. */
  readonly sealed: readonly Sealed[]
}

/** Opens the disk of a stopped node with its own HSM for as long as `act` takes. */
export async function withStopped<T>(dir: string, act: (node: StoppedNode) => Promise<T>): Promise<T> {
  const settings = readSettings(join(dir, 'node.yaml'))
  const { clusterId } = parseLock(JSON.parse(await readFile(settings.lockFile, 'utf8')))
  const vault = await openPkcs11Vault({ hsms: settings.hsms })
  let store: Store | undefined
  try {
    const nodeId = settings.name
    const storeKey: Sealed = {
      name: 'store key',
      context: { clusterId: '00'.repeat(32), nodeId, recordType: 'store-key', keyId: 'store', epoch: 0, version: 1 },
      record: Uint8Array.from(await readFile(join(dir, 'store.key'))),
    }
    using mac = await vault.open(storeKey.context, storeKey.record)
    store = await LevelStore.open(settings.storePath, Uint8Array.from(mac.bytes))
    const keys = (await store.list('key')).map((e) => decode(StoredKey, e.value))
    const pairs = (await store.list('pair')).map((e) => decode(StoredPair, e.value))
    const shares = keys.map(({ certificate: { key }, sealed }): Sealed => {
      const context = { clusterId, nodeId, recordType: 'key-share', keyId: key.keyId, epoch: key.epoch, version: 1 }
      return { name: `share of ${key.keyId}`, context, record: sealed }
    })
    const states = pairs.map(({ pair, sealed }): Sealed => {
      const context = { clusterId, nodeId, recordType: 'pair-state', keyId: `pair-${pair.peer}`, epoch: pair.pairEpoch, version: 1 }
      return { name: `pair state with ${pair.peer}`, context, record: sealed }
    })
    const pending = (await store.list('pending-key')).length
    return await act({ vault, keys, pairs, pending, sealed: [...shares, ...states, storeKey] })
  } finally {
    await store?.close()
    await vault.close()
  }
}

/** Every file below a directory but those of the HSM tokens, which stand for hardware. */
export async function filesBelow(dir: string): Promise<ReadonlyMap<string, Buffer>> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true })
  const paths = entries.filter((e) => e.isFile()).map((e) => join(e.parentPath, e.name))
  const read = paths.filter((p) => !p.includes('/softhsm/tokens/')).map(async (p) => [p, await readFile(p)] as const)
  return new Map(await Promise.all(read))
}
