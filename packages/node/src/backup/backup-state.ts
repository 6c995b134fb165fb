/** What is sealed in a backup: the shares, and what proves that they are shares. */
import { createCipheriv, createDecipheriv } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import {
  type ClusterLock,
  ConclaveError,
  clusterContext,
  concat,
  equalBytes,
  identitiesOf,
  lockHash,
  messageOf,
  parseKeyId,
  parseLock,
  SecretBytes,
  verifyLockChain,
} from '@conclave/core'
import { readErasure } from '@conclave/core/erasure'
import { certificateHash, isCertified, parseKeyShare } from '@conclave/mpc'
import { BackupState, decode, encode, type KeyCertificate, KeyPublic } from '@conclave/wire'
import { lifeOf } from '../store/key-lives.ts'
import { BackupError } from './backup-error.ts'
import type { Backup } from './backup-file.ts'

/** One share as it is sealed in a node's store. */
export const SHARE_BYTES = 64
const IV_BYTES = 12
const TAG_BYTES = 16

export interface SealedState {
  readonly iv: Uint8Array
  readonly sealed: Uint8Array
}

/**
 * AES-256-GCM under a key that is used once, bound to the header.
 *
 * @param shares - the openings of all shares, one after the other, in the order of the header's keys; stay the caller's.
 */
export function sealState(key: Uint8Array, iv: Uint8Array, header: Uint8Array, shares: Uint8Array, state: BackupState): SealedState {
  const cipher = createCipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES }).setAAD(header)
  const parts = [cipher.update(shares), cipher.update(encode(BackupState, state)), cipher.final()]
  return { iv, sealed: concat(...parts, cipher.getAuthTag()) }
}

export const freshIv = (random: (length: number) => Promise<Uint8Array>): Promise<Uint8Array> => random(IV_BYTES)

/** A backup that is open, every share of it checked. Wiped on dispose. */
export interface OpenState extends Disposable {
  readonly certificates: readonly KeyCertificate[]
  /** Oldest first; the last one is the lock that the backup was made under. */
  readonly locks: readonly ClusterLock[]
  readonly state: BackupState
  /** As a node's store seals it. The bytes are not a copy. */
  shareAt(index: number): Uint8Array
}

const broken = (why: string, cause?: unknown): never => {
  throw new BackupError('BAD_BACKUP', `the sealed part of this backup cannot be used: ${why}`, { cause })
}

function decrypt({ file }: Backup, key: Uint8Array): SecretBytes {
  const split = file.sealed.length - TAG_BYTES
  const decipher = createDecipheriv('aes-256-gcm', key, file.iv, { authTagLength: TAG_BYTES })
  decipher.setAAD(file.header).setAuthTag(file.sealed.subarray(split))
  const clear = decipher.update(file.sealed.subarray(0, split))
  const secret = new SecretBytes(new Uint8Array(clear.buffer, clear.byteOffset, clear.length))
  try {
    decipher.final()
  } catch (cause) {
    secret[Symbol.dispose]()
    throw new BackupError('BACKUP_TAMPERED', 'the sealed part of this backup does not open with the key of its pieces', { cause })
  }
  return secret
}

/** Oldest first, each following the one before, the last one that of the header. */
function locksOf({ header }: Backup, { locks }: BackupState): readonly ClusterLock[] {
  const parsed = locks.map((bytes) => parseLock(JSON.parse(new TextDecoder().decode(bytes))))
  for (const [i, lock] of parsed.entries()) {
    const next = parsed[i + 1]
    if (next !== undefined) verifyLockChain(next, [lock])
    else if (!equalBytes(lockHash(lock), header.lockHash)) broken('its last cluster lock is not the one that it names')
  }
  return parsed
}

async function checkCertificates({ header }: Backup, { certificates }: BackupState, locks: readonly ClusterLock[]): Promise<void> {
  if (certificates.length !== header.keys.length) broken('certificates lack, or there are too many')
  for (const [i, { keyId, epoch, certificateHash: hash }] of header.keys.entries()) {
    const { key, attestations } = certificates[i] as KeyCertificate
    if (key.keyId !== keyId || key.epoch !== epoch || !equalBytes(certificateHash(key), hash))
      broken(`it has another certificate of key "${keyId}"`)
    const made = locks.find((l) => equalBytes(clusterContext(l), key.clusterContext))
    // Thousands of keys are minutes of arithmetic, and the node has to answer meanwhile.
    await setImmediate()
    if (made === undefined || !isCertified(key, attestations, identitiesOf(made)))
      broken(`the certificate of key "${keyId}" in epoch ${epoch} does not verify`)
  }
}

/** What the store of the restored node would have to read. */
function checkLives({ lives, erasures }: BackupState): void {
  for (const life of lives) {
    parseKeyId(life.keyId)
    lifeOf(life)
  }
  for (const text of erasures) readErasure(new TextDecoder().decode(text))
}

/** Every share belongs to the public share that the certificate names for this party. */
async function checkShares({ header }: Backup, { certificates }: BackupState, shares: Uint8Array): Promise<void> {
  for (const [i, { key }] of certificates.entries()) {
    const sealed = shares.subarray(i * SHARE_BYTES, (i + 1) * SHARE_BYTES)
    await setImmediate()
    try {
      parseKeyShare(encode(KeyPublic, key), sealed, header.index).secret[Symbol.dispose]()
    } catch (cause) {
      broken(`the share of key "${key.keyId}" in epoch ${key.epoch} is not the one that its certificate names`, cause)
    }
  }
}

/**
 * Opens the sealed part and checks all of it: the locks lead to the one that the header names, every certificate is signed by its whole
 * committee, and every share is that of this party.
 *
 * @param key - stays the caller's.
 * @throws {BackupError} BACKUP_TAMPERED, BAD_BACKUP.
 */
export async function openState(backup: Backup, key: Uint8Array): Promise<OpenState> {
  const clear = decrypt(backup, key)
  try {
    const shareBytes = backup.header.keys.length * SHARE_BYTES
    const shares = clear.bytes.subarray(0, shareBytes)
    const state = decode(BackupState, clear.bytes.subarray(shareBytes))
    const locks = locksOf(backup, state)
    checkLives(state)
    await checkCertificates(backup, state, locks)
    await checkShares(backup, state, shares)
    return {
      ...{ certificates: state.certificates, locks, state },
      shareAt: (index) => clear.bytes.subarray(index * SHARE_BYTES, (index + 1) * SHARE_BYTES),
      [Symbol.dispose]: () => clear[Symbol.dispose](),
    }
  } catch (error) {
    clear[Symbol.dispose]()
    if (error instanceof BackupError) throw error
    if (error instanceof ConclaveError || error instanceof SyntaxError) return broken(messageOf(error), error)
    throw error
  }
}
