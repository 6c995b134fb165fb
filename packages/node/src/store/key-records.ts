/** Records of key shares, and what can be said of one by itself. */
import { type PartyId, sameIdentity, verifyIdentity } from '@conclave/core'
import { certificateHash, type Identities } from '@conclave/mpc'
import type { SealContext } from '@conclave/vault'
import { type Attestation, EPOCHS_MAX, type KeyCertificate, type KeyPublic, type PendingKey, type StoredKey } from '@conclave/wire'

const RECORD_VERSION = 1

/** What is on the disk of one key. */
export interface Epochs {
  /** By epoch. The highest is the active one; lower ones are kept sealed until the rule of section 7 lets them go. */
  readonly certified: Map<number, StoredKey>
  /** By epoch: prepared, and not known to be certified. */
  readonly pending: Map<number, PendingKey>
}

/** Sorts by epoch. */
export const recordKey = (keyId: string, epoch: number): string => `${keyId}/${String(epoch).padStart(10, '0')}`

/** What the sealed record of a share is bound to. @param scope - of the node. */
export function shareContext(
  { clusterId, nodeName }: { readonly clusterId: string; readonly nodeName: string },
  { keyId, epoch }: Pick<KeyPublic, 'keyId' | 'epoch'>,
): SealContext {
  return { clusterId, nodeId: nodeName, recordType: 'key-share', keyId, epoch, version: RECORD_VERSION }
}

/** Whether as many parties as sign are still in their seats: attested by an identity that holds it now. */
export function keepsQuorum({ parties, threshold }: KeyPublic, then: Identities, now: Identities): boolean {
  if (then === now) return true
  const isKept = (j: PartyId) => {
    const [a, b] = [then.get(j), now.get(j)]
    return a !== undefined && b !== undefined && sameIdentity(a, b)
  }
  return parties.filter(isKept).length >= threshold
}

/** The parties of every epoch. */
export function partiesIn(epochs: Epochs | undefined): readonly PartyId[] {
  const all = [...(epochs?.pending.values() ?? []), ...[...(epochs?.certified.values() ?? [])].map((s) => s.certificate)]
  return [...new Set(all.flatMap((k) => k.key.parties))]
}

/** Certified epochs, the highest that works first, those that do not after all that do. */
export function standingIn(epochs: Epochs | undefined, works: (key: KeyPublic) => boolean): readonly StoredKey[] {
  const down = [...(epochs?.certified.values() ?? [])].sort((a, b) => b.certificate.key.epoch - a.certificate.key.epoch)
  return [...down.filter((s) => works(s.certificate.key)), ...down.filter((s) => !works(s.certificate.key))]
}

/** What one epoch has been attested with so far. */
export interface Attested {
  readonly epoch: number
  /** Of the certificate. */
  readonly hash: Uint8Array
  readonly attestations: readonly Attestation[]
}

/** Of the active epoch and of the latest pending ones above it, as many as a word of gossip holds. */
export function attestationsIn(active: KeyCertificate | undefined, pending: readonly PendingKey[]): readonly Attested[] {
  const above = pending.filter((p) => active === undefined || p.key.epoch > active.key.epoch)
  const latest = above.sort((a, b) => a.key.epoch - b.key.epoch).slice(-EPOCHS_MAX)
  const all = [...(active === undefined ? [] : [active]), ...latest]
  return all.map(({ key, attestations }) => ({ epoch: key.epoch, hash: certificateHash(key), attestations }))
}

/** Valid attestations of parties whose attestation is not known yet; one look per party, because looking is expensive. */
export function newsIn(
  pending: PendingKey,
  hash: Uint8Array,
  attestations: readonly Attestation[],
  identities: Identities,
): readonly Attestation[] {
  const seen = new Set(pending.attestations.map((a) => a.party))
  return attestations.filter((a) => {
    const identity = identities.get(a.party)
    if (seen.has(a.party) || !pending.key.parties.includes(a.party) || identity === undefined) return false
    seen.add(a.party)
    return verifyIdentity(identity, hash, a.signature)
  })
}
