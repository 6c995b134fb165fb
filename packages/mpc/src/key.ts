import {
  checkThreshold,
  equalBytes,
  type IdentityKey,
  InvalidArgument,
  type PartyId,
  parseKeyId,
  parsePartySet,
  SecretBytes,
  tagged,
  u32,
  utf8,
  verifyIdentity,
} from '@conclave/core'
import { type Attestation, decode, encode, type KeyPublic, KeyPublic as KeyPublicMessage } from '@conclave/wire'
import { mulBase, pointFromBytes, pointToBytes, scalarFromBytes } from './arithmetic.ts'

export type { KeyPublic } from '@conclave/wire'

/** One party's part of a key: the public half, and the scalar that never leaves the party unsealed. */
export interface KeyShare {
  readonly public: KeyPublic
  readonly self: PartyId
  /** x_i, 32 bytes. */
  readonly secret: SecretBytes
}

/** Identity keys of the committee, by party. */
export type Identities = ReadonlyMap<PartyId, IdentityKey>

/** What the DKG session is about; `sid` binds it. */
export function dkgConfig(
  clusterContext: Uint8Array,
  key: Pick<KeyPublic, 'keyId' | 'epoch' | 'threshold' | 'parties' | 'nonce'>,
): Uint8Array {
  return tagged(
    'dkg-config',
    clusterContext,
    utf8(key.keyId),
    u32(key.epoch),
    u32(key.threshold),
    u32(key.parties.length),
    partyList(key.parties),
    key.nonce,
  )
}

/** Parties as 32-bit indices, in order. */
export function partyList(parties: readonly PartyId[]): Uint8Array {
  return Uint8Array.from(parties.flatMap((j) => [...u32(j)]))
}

/** `sid = T("dkg", all sid_j, config)`. */
export const dkgSid = (sidParts: readonly Uint8Array[], config: Uint8Array): Uint8Array => tagged('dkg', ...sidParts, config)

/** What every party of the DKG attests: `T("dkg-cert", sid, PK, all X_j, chainCode, H(transcript))`. */
export function certificateHash(clusterContext: Uint8Array, key: KeyPublic): Uint8Array {
  const sid = dkgSid(key.sidParts, dkgConfig(clusterContext, key))
  return tagged('dkg-cert', sid, key.publicKey, ...key.publicShares, key.chainCode, key.transcript)
}

/** `keyCtx`: everything that a signature under this key is bound to. */
export function keyContext(clusterContext: Uint8Array, key: KeyPublic): Uint8Array {
  return tagged(
    'key',
    clusterContext,
    utf8(key.keyId),
    key.publicKey,
    u32(key.epoch),
    u32(key.threshold),
    u32(key.parties.length),
    key.chainCode,
    tagged('public-shares', partyList(key.parties), ...key.publicShares),
  )
}

/** X_j. @throws {InvalidArgument} BAD_PARTY when j is not of the committee. */
export function publicShareOf(key: KeyPublic, j: PartyId): Uint8Array {
  const share = key.publicShares[key.parties.indexOf(j)]
  if (share === undefined) throw new InvalidArgument('BAD_PARTY', `party ${j} has no share of this key`)
  return share
}

/**
 * Checks the public half on its own: ids, lengths, points.
 *
 * @throws {InvalidArgument} BAD_KEY and the codes of core's id checks.
 */
export function checkKeyPublic(key: KeyPublic): KeyPublic {
  parseKeyId(key.keyId)
  checkThreshold(key.threshold, key.parties.length)
  const sorted = parsePartySet(key.parties)
  const lengths = key.publicShares.length === sorted.length && key.sidParts.length === sorted.length
  const points = [key.publicKey, ...key.publicShares].every((p) => pointFromBytes(p) !== undefined)
  if (!sorted.every((j, i) => key.parties[i] === j) || !lengths || !points)
    throw new InvalidArgument('BAD_KEY', 'the public half of this key is not well formed')
  return key
}

/** Whether every party of the committee has validly attested this key. */
export function isCertified(
  clusterContext: Uint8Array,
  key: KeyPublic,
  attestations: readonly Attestation[],
  identities: Identities,
): boolean {
  try {
    checkKeyPublic(key)
  } catch {
    // A committee that is empty or names a party twice would need fewer signatures.
    return false
  }
  const hash = certificateHash(clusterContext, key)
  return key.parties.every((j) => {
    const identity = identities.get(j)
    return identity !== undefined && attestations.some((a) => a.party === j && verifyIdentity(identity, hash, a.signature))
  })
}

/** The bytes that are sealed: x_i, and the hash of the public half that it belongs to. Secret. */
export function encodeShareSecret(share: KeyShare): SecretBytes {
  const out = new Uint8Array(64)
  out.set(share.secret.bytes)
  out.set(tagged('key-public', encode(KeyPublicMessage, share.public)), 32)
  return new SecretBytes(out)
}

/**
 * The only way from stored bytes to a key share.
 *
 * Guarantees: the public half is well formed, `x_i G == X_i`, and the two halves were sealed together.
 *
 * @param sealed - 64 opened bytes; stays the caller's.
 * @throws {InvalidArgument} BAD_KEY; WireError on malformed public bytes.
 */
export function parseKeyShare(publicBytes: Uint8Array, sealed: Uint8Array, self: PartyId): KeyShare {
  const key = checkKeyPublic(decode(KeyPublicMessage, publicBytes))
  const x = sealed.length === 64 ? scalarFromBytes(sealed.subarray(0, 32)) : undefined
  const bound = sealed.length === 64 && equalBytes(sealed.subarray(32), tagged('key-public', publicBytes))
  if (x === undefined || x === 0n || !bound || !equalBytes(pointToBytes(mulBase(x)), publicShareOf(key, self))) {
    throw new InvalidArgument('BAD_KEY', 'the sealed share does not belong to this key')
  }
  return { public: key, self, secret: new SecretBytes(sealed.slice(0, 32)) }
}
