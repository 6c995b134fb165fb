/** A restore as an operator runs it: over the directory of a new node, with its HSM, while the node does not run. */
import { join } from 'node:path'
import type { ClusterLock } from '@conclave/core'
import { type KeyVault, openPkcs11Vault } from '@conclave/vault'
import { PIECE_FILE_BYTES_MAX } from '@conclave/wire'
import { openStore, readLock } from '../daemon.ts'
import { SETTINGS_FILE } from '../init.ts'
import { readSettings } from '../settings.ts'
import type { Store } from '../store/store.ts'
import { beginOneTimeKey } from './backup-store.ts'
import { readBackup } from './custodian.ts'
import { readLimited } from './disk.ts'
import { KNOWN_BYTES_MAX } from './known-epochs.ts'
import { type RestoreReport, type RestoreTarget, restoreBackup } from './restore.ts'

async function withTarget<T>(dir: string, act: (target: RestoreTarget) => Promise<T>): Promise<T> {
  const settings = readSettings(join(dir, SETTINGS_FILE))
  const vault: KeyVault = await openPkcs11Vault({ hsms: settings.hsms })
  let store: Store | undefined
  try {
    store = await openStore(settings, vault)
    return await act({ name: settings.name, vault, store })
  } finally {
    await store?.close()
    await vault.close()
  }
}

/** The recipient that custodians open their pieces to; asked again, the same one. @throws {ConfigError}, {VaultError}, {StoreError}. */
export function beginRestore(dir: string): Promise<string> {
  return withTarget(dir, async ({ name, vault, store }) => (await beginOneTimeKey(store, vault, name)).recipient)
}

export interface RestoreFiles {
  readonly dir: string
  readonly file: string
  readonly pieces: readonly string[]
  /** Oldest first, from the one that the backup was made under. */
  readonly locks: readonly string[]
  readonly known?: readonly string[]
  readonly leaveOut?: readonly string[]
}

/** @throws what {@link restoreBackup} throws; {BackupError} BACKUP_UNREADABLE, BAD_BACKUP, BACKUP_TAMPERED; {ConfigError}. */
export async function restoreNode({ dir, file, pieces, locks, known = [], leaveOut = [] }: RestoreFiles): Promise<RestoreReport> {
  const backup = await readBackup(file)
  const read: ClusterLock[] = []
  for (const lock of locks) read.push(await readLock(lock))
  const files = async (names: readonly string[], bytesMax: number) =>
    Promise.all(names.map(async (name) => ({ name, bytes: await readLimited(name, bytesMax) })))
  const pieceFiles = await files(pieces, PIECE_FILE_BYTES_MAX)
  const proofs = (await files(known, KNOWN_BYTES_MAX)).map(({ bytes }) => bytes)
  return withTarget(dir, (target) => restoreBackup(target, { backup, pieces: pieceFiles, locks: read, known: proofs, leaveOut }))
}
