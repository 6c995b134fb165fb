import {
  type ClusterLock,
  ConclaveError,
  clusterContext,
  equalBytes,
  formatLock,
  identitiesOf,
  type PartyId,
  parseLock,
  utf8,
  verifyLockChain,
} from '@conclave/core'
import { type Identities, isCertified } from '@conclave/mpc'
import { type Attestation, type CertificateAnswer, type CertificateRequest, type KeyPublic, LOCKS_MAX } from '@conclave/wire'
import type { Calls } from './calls.ts'
import { keepsQuorum } from './store/key-records.ts'
import type { KeyStore, NodeScope } from './store/key-store.ts'

const FETCH_TIMEOUT_MS = 10_000

export interface CertificatesOptions {
  readonly scope: NodeScope
  readonly keys: KeyStore
  readonly calls: Calls
}

/** A verified certificate: the key, the lock that it was made under, and the attestations. */
export interface Shown {
  readonly key: KeyPublic
  readonly lock: ClusterLock
  readonly attestations: readonly Attestation[]
}

/** Key certificates as nodes show them to each other: transferable proof, believed because of its signatures, not because of who shows it. */
export class Certificates {
  readonly #o: CertificatesOptions

  constructor(options: CertificatesOptions) {
    this.#o = options
  }

  /** @throws {ConclaveError} UNKNOWN_KEY, CERTIFICATE_TOO_OLD. */
  answer({ keyId, epoch }: CertificateRequest): CertificateAnswer {
    const { keys, scope } = this.#o
    const known = keys.certified(keyId, epoch)
    if (known === undefined) throw new ConclaveError('UNKNOWN_KEY', `this node has no certificate of key "${keyId}" in epoch ${epoch}`)
    const { certificate } = known
    const made = scope.locks.findIndex((l) => equalBytes(clusterContext(l), certificate.key.clusterContext))
    const locks = made < 0 ? [] : scope.locks.slice(made, -1)
    if (made < 0 || locks.length > LOCKS_MAX)
      throw new ConclaveError(
        'CERTIFICATE_TOO_OLD',
        `the cluster lock under which key "${keyId}" was made is too far back: refresh the key first`,
      )
    return { certificate, locks: locks.map((l) => utf8(formatLock(l))) }
  }

  /**
   * The certificate that `peer` shows, verified under the lock that it was made under, of which the present lock is a descendant.
   *
   * @throws {ConclaveError} BAD_CERTIFICATE; what the call throws.
   */
  async fetch(peer: PartyId, keyId: string, epoch: number): Promise<Shown> {
    const body = await this.#o.calls.call(peer, { certificate: { keyId, epoch } }, FETCH_TIMEOUT_MS)
    if (!('certificate' in body)) throw new ConclaveError('BAD_CERTIFICATE', `party ${peer} answered something else`)
    const { certificate, locks } = body.certificate
    const { key, attestations } = certificate
    const lock = this.#locksWith(peer, locks).find((l) => equalBytes(clusterContext(l), key.clusterContext))
    const identities: Identities = lock === undefined ? new Map() : identitiesOf(lock)
    // Every party of its committee attests a certificate, but the committee is what it says it is: fewer than the lock requires could
    // all be cheats, and make one up among themselves.
    const enough = lock !== undefined && key.threshold >= lock.quorum.required
    if (!enough || key.keyId !== keyId || key.epoch !== epoch || !isCertified(key, attestations, identities))
      throw new ConclaveError('BAD_CERTIFICATE', `party ${peer} showed a certificate of key "${keyId}" that does not verify`)
    // Nor does anybody go by an epoch that cannot sign any more.
    if (!keepsQuorum(key, identities, this.#o.scope.identities))
      throw new ConclaveError('BAD_CERTIFICATE', `party ${peer} showed an epoch of key "${keyId}" of which too few parties are left`)
    this.#checkAgainstOwn(peer, key, lock)
    return { key, lock, attestations }
  }

  /**
   * What is shown must fit the epoch that this node holds. Epochs only grow, from lock to lock as well, so above one of ours there is
   * none of an older lock, whatever its members, some of whom have left, sign today.
   */
  #checkAgainstOwn(peer: PartyId, key: KeyPublic, { version }: ClusterLock): void {
    const { keys, scope } = this.#o
    const own = keys.has(key.keyId) === 'active' ? keys.get(key.keyId) : undefined
    if (own === undefined) return
    const isLate = key.epoch > own.epoch && version < (scope.lockOf(own.clusterContext)?.version ?? 0)
    if (isLate || !equalBytes(own.publicKey, key.publicKey))
      throw new ConclaveError('BAD_CERTIFICATE', `party ${peer} showed a certificate that cannot be of this node's key "${key.keyId}"`)
  }

  #locksWith(peer: PartyId, encoded: readonly Uint8Array[]): readonly ClusterLock[] {
    const present = this.#o.scope.locks.at(-1) as ClusterLock
    if (encoded.length === 0) return [present]
    try {
      const older = encoded.map((bytes) => parseLock(JSON.parse(new TextDecoder().decode(bytes))))
      verifyLockChain(present, older)
      return [...older, present]
    } catch (cause) {
      throw new ConclaveError('BAD_CERTIFICATE', `party ${peer} showed cluster locks that do not lead to the present one`, { cause })
    }
  }
}
