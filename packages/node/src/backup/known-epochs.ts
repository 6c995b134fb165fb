/** Which epochs the keys of a cluster are in, by certificates that other nodes show: proof, whoever brings it. */
import {
  type ClusterLock,
  ConclaveError,
  clusterContext,
  equalBytes,
  identitiesOf,
  messageOf,
  parseLock,
  verifyLockChain,
} from '@conclave/core'
import { isCertified } from '@conclave/mpc'
import { type CertificateAnswer, decode, KnownEpochs } from '@conclave/wire'
import { BackupError } from './backup-error.ts'

/** Of a file of them. */
export const KNOWN_BYTES_MAX = 64 * 1024 * 1024

/** How a key in a backup stands to what is known of it. */
export type Standing = 'current' | 'stale' | 'newer' | 'unknown'

const bad = (why: string, cause?: unknown): never => {
  throw new BackupError('BAD_KNOWN_EPOCHS', `the certificates of the cluster's keys cannot be used: ${why}`, { cause })
}

function checkAnswer({ certificate, locks }: CertificateAnswer, present: ClusterLock): void {
  const { key, attestations } = certificate
  const older = locks.map((bytes) => parseLock(JSON.parse(new TextDecoder().decode(bytes))))
  verifyLockChain(present, older)
  const made = [...older, present].find((l) => equalBytes(clusterContext(l), key.clusterContext))
  if (made === undefined) bad(`key "${key.keyId}" was not made under lock version ${present.version}, nor one that leads to it`)
  else if (key.threshold < made.quorum.required || !isCertified(key, attestations, identitiesOf(made)))
    bad(`the certificate of key "${key.keyId}" in epoch ${key.epoch} does not verify`)
}

/**
 * Reads what `conclave backup epochs` wrote.
 *
 * @param present - the lock in force: every certificate was made under it or under one that leads to it.
 * @returns the highest epoch of each key.
 * @throws {BackupError} BAD_KNOWN_EPOCHS.
 */
export function parseKnownEpochs(bytes: Uint8Array, present: ClusterLock): ReadonlyMap<string, number> {
  const highest = new Map<string, number>()
  try {
    for (const answer of decode(KnownEpochs, bytes).certificates) {
      checkAnswer(answer, present)
      const { keyId, epoch } = answer.certificate.key
      highest.set(keyId, Math.max(epoch, highest.get(keyId) ?? 0))
    }
  } catch (cause) {
    if (cause instanceof BackupError) throw cause
    if (cause instanceof ConclaveError || cause instanceof SyntaxError) bad(`${messageOf(cause)} (is this the lock in force?)`, cause)
    throw cause
  }
  return highest
}

export function standingOf(epoch: number, known: number | undefined): Standing {
  if (known === undefined) return 'unknown'
  if (epoch === known) return 'current'
  return epoch < known ? 'stale' : 'newer'
}
