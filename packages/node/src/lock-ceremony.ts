import { randomBytes } from 'node:crypto'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  approveLock,
  type ClusterLock,
  ConfigError,
  checkChange,
  checkSuccessor,
  formatLock,
  type LockChange,
  lockHash,
  messageOf,
  type Newcomer,
  nextLock,
  nodeWith,
  type PolicyAuthors,
  parseCard,
  parseLock,
  signLock,
  toHex,
  verifyLock,
} from '@conclave/core'
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

const readCard = async (file: string): Promise<Newcomer> => parseCard(await readJson(file))

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
  authors,
}: {
  cardFiles: readonly string[]
  required: number
  out: string
  authors?: PolicyAuthors | undefined
}): Promise<ClusterLock> {
  const cards = await Promise.all(cardFiles.map(readCard))
  const nodes = cards.flatMap((card) => (card.kind === 'node' ? [card] : []))
  const draft: ClusterLock = {
    version: 1,
    clusterId: toHex(randomBytes(32)),
    previous: '',
    quorum: { required, of: nodes.length },
    nodes: nodes.map((card, i) => ({ ...card, index: i + 1 })),
    coordinators: cards.flatMap((card) => (card.kind === 'coordinator' ? [card] : [])),
    authors,
    signatures: new Map(),
    approvals: new Map(),
  }
  // Through its own file format, so that a draft is never something that nobody could read.
  const lock = parseLock(JSON.parse(formatLock(draft)))
  checkLockPeerIds(lock)
  await writeLock(out, lock)
  return lock
}

/** What the next version of a lock changes, with the files of the cards. */
export interface NextLock {
  readonly lockFile: string
  readonly out: string
  readonly required?: number
  /** Card files by the name of the member whose seat is taken over. */
  readonly replace?: ReadonlyMap<string, string>
  readonly add?: readonly string[]
  /** Names. */
  readonly remove?: readonly string[]
  readonly authors?: LockChange['authors']
}

/**
 * Makes the next version of a lock, unsigned. A lock that could never follow is not written.
 *
 * @throws {ConfigError} FILE_UNREADABLE, BAD_LOCK, BAD_IDENTITY, LOCK_UNSIGNED, BAD_LOCK_CHANGE, and what `checkChange` throws.
 */
export async function draftNextLock({
  lockFile,
  out,
  required,
  replace = new Map(),
  add = [],
  remove = [],
  authors,
}: NextLock): Promise<ClusterLock> {
  const old = await readDraft(lockFile)
  verifyLock(old)
  const successors = await Promise.all([...replace].map(async ([name, file]) => [name, await readCard(file)] as const))
  const change = { replace: new Map(successors), add: await Promise.all(add.map(readCard)), remove, authors }
  const next = nextLock(old, required === undefined ? change : { ...change, required })
  checkLockPeerIds(next)
  await writeLock(out, next)
  return next
}

/**
 * Reads the next version of a lock and checks that it may take over from the one before.
 *
 * @throws {ConfigError} FILE_UNREADABLE, BAD_LOCK, BAD_IDENTITY, and what `checkSuccessor` throws.
 */
export async function readSuccessor(file: string, previousFile: string): Promise<ClusterLock> {
  const [old, next] = [await readDraft(previousFile), await readDraft(file)]
  verifyLock(old)
  checkSuccessor(old, next)
  return next
}

/** Reads a lock without judging its signatures. @throws {ConfigError} FILE_UNREADABLE, BAD_LOCK, BAD_IDENTITY. */
export async function readDraft(file: string): Promise<ClusterLock> {
  const lock = parseLock(await readJson(file))
  checkLockPeerIds(lock)
  return lock
}

export interface LockSigning {
  /** Directory of the node. */
  readonly dir: string
  readonly lockFile: string
  /** Hex, as the operators have compared it. */
  readonly hash: string
  /** The lock in force; needed for every version but the first. */
  readonly previousFile?: string
}

/**
 * Signs a lock with the identity key inside the node's HSM, if it is the one that the operator means: a node trusts whatever
 * members its lock names. A node of the lock in force approves with the same act that it may be taken over from; one that leaves
 * does nothing else.
 *
 * @throws {ConfigError} FILE_UNREADABLE, BAD_LOCK, LOCK_HASH, PREVIOUS_NEEDED, LOCK_UNSIGNED (the one in force), NOT_A_MEMBER, what
 * `checkChange` throws; {VaultError}.
 */
export async function signLockFile({ dir, lockFile, hash, previousFile }: LockSigning): Promise<ClusterLock> {
  const lock = await readDraft(lockFile)
  if (toHex(lockHash(lock)) !== hash.toLowerCase())
    throw new ConfigError('LOCK_HASH', `${lockFile} is not the lock with hash ${hash}: nothing was signed`)
  const old = await previousOf(lock, previousFile)
  const settings = readSettings(join(dir, SETTINGS_FILE))
  const vault = await openPkcs11Vault({ hsms: settings.hsms, identity: { hsm: settings.identityHsm } })
  try {
    const { identity } = vault
    let signed = lock
    const approves = old !== undefined && nodeWith(old, identity.key) !== undefined
    if (approves) signed = await approveLock(old, signed, identity)
    if (!approves || nodeWith(lock, identity.key) !== undefined) signed = await signLock(signed, identity)
    await writeLock(lockFile, signed)
    return signed
  } finally {
    await vault.close()
  }
}

async function previousOf(lock: ClusterLock, file: string | undefined): Promise<ClusterLock | undefined> {
  if (lock.version === 1) return undefined
  if (file === undefined)
    throw new ConfigError('PREVIOUS_NEEDED', `version ${lock.version} is signed with the lock in force at hand: name its file`)
  const old = await readDraft(file)
  verifyLock(old)
  checkChange(old, lock)
  return old
}

/** What a lock says, for a person. */
export function lockSummary(lock: ClusterLock): readonly string[] {
  const approvers = [...lock.approvals.keys()].sort((a, b) => a - b).join(', ')
  const after = [
    `follows version ${lock.version - 1} with hash ${lock.previous}`,
    approvers === ''
      ? `approved by no node of version ${lock.version - 1} yet`
      : `approved by nodes ${approvers} of version ${lock.version - 1}`,
  ]
  return [
    `cluster ${lock.clusterId}, lock version ${lock.version}, hash ${toHex(lockHash(lock))}`,
    ...(lock.version === 1 ? [] : after),
    `${lock.quorum.required} of ${lock.quorum.of} nodes sign`,
    ...lock.nodes.map((n) => `  ${n.index} ${n.name} ${n.peerId} ${n.addresses.join(' ')}${lock.signatures.has(n.index) ? ' signed' : ''}`),
    ...lock.coordinators.map((c) => `  coordinator ${c.name} ${c.peerId}`),
    ...authorLines(lock.authors),
  ]
}

function authorLines(authors: PolicyAuthors | undefined): readonly string[] {
  if (authors === undefined) return ['no policy authors: each node obeys a policy file of its own']
  const { required, keys } = authors
  return [
    `policies are signed by ${required} of ${keys.length} authors`,
    ...keys.map(({ name, key }) => `  author ${name} ${key.type}:${toHex(key.publicKey)}`),
  ]
}
