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
import { type CertificateAnswer, type CertificateRequest, type KeyPublic, LOCKS_MAX } from '@conclave/wire'
import type { Calls } from './calls.ts'
import type { KeyStore, NodeScope } from './store/key-store.ts'

const FETCH_TIMEOUT_MS = 10_000

export interface CertificatesOptions {
  readonly scope: NodeScope
  readonly keys: KeyStore
  readonly calls: Calls
}

/** A verified certificate: the key, and the identities of the lock that it was made under. */
export interface Shown {
  readonly key: KeyPublic
  readonly identities: Identities
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
    const identities = identitiesUnder(this.#locksWith(peer, locks), key.clusterContext)
    if (key.keyId !== keyId || key.epoch !== epoch || !isCertified(key, attestations, identities))
      throw new ConclaveError('BAD_CERTIFICATE', `party ${peer} showed a certificate of key "${keyId}" that does not verify`)
    return { key, identities }
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

/** Identities of the nodes of the lock with that context; none when it is not among `locks`. */
function identitiesUnder(locks: readonly ClusterLock[], context: Uint8Array): Identities {
  const lock = locks.find((l) => equalBytes(clusterContext(l), context))
  return lock === undefined ? new Map() : identitiesOf(lock)
}
