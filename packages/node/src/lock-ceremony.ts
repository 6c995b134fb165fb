import { randomBytes } from 'node:crypto'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type ClusterLock, ConfigError, formatLock, LOCK_FORMAT, lockHash, messageOf, parseLock, signLock, toHex } from '@conclave/core'
import { checkLockPeerIds } from '@conclave/transport'
import { openPkcs11Vault } from '@conclave/vault'
import { SETTINGS_FILE } from './init.ts'
import { readSettings } from './settings.ts'

async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'))
  } catch (cause) {
    throw new ConfigError('FILE_UNREADABLE', `cannot read ${file} as JSON: ${messageOf(cause)}`, { file }, cause)
  }
}

/** Whole or not at all: a lock that was half written would be a riddle. */
async function writeLock(file: string, lock: ClusterLock): Promise<void> {
  const temporary = `${file}.${process.pid}.new`
  await writeFile(temporary, formatLock(lock))
  await rename(temporary, file)
}

/**
 * Makes version 1 of a lock from cards, unsigned. Nodes get their index in the order of `cardFiles`.
 *
 * @throws {ConfigError} FILE_UNREADABLE, BAD_LOCK, BAD_IDENTITY.
 */
export async function draftLock({
  cardFiles,
  required,
  out,
}: {
  cardFiles: readonly string[]
  required: number
  out: string
}): Promise<ClusterLock> {
  const cards = await Promise.all(cardFiles.map(readJson))
  const without = (card: unknown): Record<string, unknown> => {
    if (typeof card !== 'object' || card === null) throw new ConfigError('BAD_LOCK', 'a card is not an object')
    const { kind: _, ...rest } = card as Record<string, unknown>
    return rest
  }
  const of = (kind: string) => cards.filter((c) => (c as { kind?: unknown } | null)?.kind === kind).map(without)
  const nodes = of('node').map((card, i) => ({ index: i + 1, ...card }))
  const lock = parseLock({
    format: LOCK_FORMAT,
    version: 1,
    clusterId: toHex(randomBytes(32)),
    quorum: { required, of: nodes.length },
    nodes,
    coordinators: of('coordinator'),
    signatures: [],
  })
  checkLockPeerIds(lock)
  await writeLock(out, lock)
  return lock
}

/** Reads a lock without judging its signatures. @throws {ConfigError} FILE_UNREADABLE, BAD_LOCK, BAD_IDENTITY. */
export async function readDraft(file: string): Promise<ClusterLock> {
  const lock = parseLock(await readJson(file))
  checkLockPeerIds(lock)
  return lock
}

/**
 * Signs a lock with the identity key inside the node's HSM, if it is the one that the operator means: a node trusts whatever
 * members its lock names.
 *
 * @param hash - hex, as the operators have compared it.
 * @throws {ConfigError} FILE_UNREADABLE, BAD_LOCK, LOCK_HASH, NOT_A_MEMBER; {VaultError}.
 */
export async function signLockFile({ dir, lockFile, hash }: { dir: string; lockFile: string; hash: string }): Promise<ClusterLock> {
  const lock = await readDraft(lockFile)
  if (toHex(lockHash(lock)) !== hash.toLowerCase())
    throw new ConfigError('LOCK_HASH', `${lockFile} is not the lock with hash ${hash}: nothing was signed`)
  const settings = readSettings(join(dir, SETTINGS_FILE))
  const vault = await openPkcs11Vault({ hsms: settings.hsms })
  try {
    const signed = await signLock(lock, vault.identity)
    await writeLock(lockFile, signed)
    return signed
  } finally {
    await vault.close()
  }
}

/** What a lock says, for a person. */
export function lockSummary(lock: ClusterLock): readonly string[] {
  return [
    `cluster ${lock.clusterId}, lock version ${lock.version}, hash ${toHex(lockHash(lock))}`,
    `${lock.quorum.required} of ${lock.quorum.of} nodes sign`,
    ...lock.nodes.map((n) => `  ${n.index} ${n.name} ${n.peerId} ${n.addresses.join(' ')}${lock.signatures.has(n.index) ? ' signed' : ''}`),
    ...lock.coordinators.map((c) => `  coordinator ${c.name} ${c.peerId}`),
  ]
}
