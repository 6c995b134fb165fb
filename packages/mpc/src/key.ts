import {
  certificateHash,
  checkThreshold,
  equalBytes,
  type IdentityKey,
  InvalidArgument,
  type PartyId,
  parseKeyId,
  parsePartySet,
  partyList,
  SecretBytes,
  tagged,
  toHex,
  u32,
  utf8,
  verifyIdentity,
} from '@conclave/core'
import { type Attestation, decode, encode, type KeyPublic, KeyPublic as KeyPublicMessage } from '@conclave/wire'
import { isZero, scalarFromBytes } from './arithmetic.ts'
import { equalPoints, mulBase, mulPublic, type Point, pointFromBytes, pointToBytes, sumPoints } from './points.ts'
import { lagrangeAt } from './polynomial.ts'
import { Recent } from './recent.ts'

export { certificateHash, type DealHeader, dealConfig, dealSid, partyList } from '@conclave/core'
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

/** Names a public half by all of its bytes. */
export const keyPublicHash = (key: KeyPublic): Uint8Array => tagged('key-public', encode(KeyPublicMessage, key))

/** `keyCtx`: everything that a signature under this key is bound to. The cluster is the present one, whenever the key was made. */
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

/** Points on one polynomial of degree threshold - 1 whose value at 0 is the public key. */
export interface Sharing {
  readonly parties: readonly PartyId[]
  readonly threshold: number
  readonly publicKey: Point
  /** In the order of parties. */
  readonly publicShares: readonly Point[]
}

/**
 * Whether the public shares belong to the public key: a polynomial through it and the first `threshold - 1` shares goes through all
 * the others, which for the last of the first `threshold` says that these interpolate to the key.
 */
export function interpolates({ parties, threshold, publicKey, publicShares }: Sharing): boolean {
  const nodes = [0, ...parties.slice(0, threshold - 1)]
  const values = [publicKey, ...publicShares.slice(0, threshold - 1)]
  return parties.slice(threshold - 1).every((j, i) => {
    const at = sumPoints(values.map((p, k) => mulPublic(p, lagrangeAt(j, nodes[k] as PartyId, nodes))))
    const share = publicShares[threshold - 1 + i]
    return share !== undefined && equalPoints(share, at)
  })
}

const isIncreasing = (parties: readonly PartyId[]): boolean => parsePartySet(parties).every((j, i) => parties[i] === j)
const equalLists = (a: readonly PartyId[], b: readonly PartyId[]): boolean => a.length === b.length && a.every((j, i) => b[i] === j)

/** Whether the dealing that this key says it comes from is one that can be. */
function hasOrigin({ origin, clusterContext, epoch, previous, previousEpoch, parties, dealers, nonce, sidParts }: KeyPublic): boolean {
  const quorum = new Set([...dealers, ...parties]).size
  if (clusterContext.length !== 32 || nonce.length !== 32 || !isIncreasing(dealers) || sidParts.length !== quorum) return false
  if (origin === 'create') return epoch === 0 && previousEpoch === 0 && previous.length === 0 && equalLists(dealers, parties)
  if (origin !== 'refresh' && origin !== 'reshare') return false
  return epoch > previousEpoch && previous.length === 32 && (origin === 'reshare' ? dealers.length >= 2 : equalLists(dealers, parties))
}

/**
 * Checks the public half on its own: ids, lengths, points, origin, and that the public shares belong to the public key.
 *
 * @throws {InvalidArgument} BAD_KEY and the codes of core's id checks.
 */
export function checkKeyPublic(key: KeyPublic): KeyPublic {
  const { parties, threshold } = key
  parseKeyId(key.keyId)
  checkThreshold(threshold, parties.length)
  const publicKey = pointFromBytes(key.publicKey)
  const publicShares = key.publicShares.map(pointFromBytes).filter((p) => p !== undefined)
  const formed = isIncreasing(parties) && publicShares.length === parties.length && key.publicShares.length === parties.length
  if (!formed || !hasOrigin(key) || publicKey === undefined || !interpolates({ parties, threshold, publicKey, publicShares }))
    throw new InvalidArgument('BAD_KEY', 'the public half of this key is not well formed')
  return key
}

/** Whether every party of the committee has validly attested this key. */
export function isCertified(key: KeyPublic, attestations: readonly Attestation[], identities: Identities): boolean {
  try {
    checkKeyPublic(key)
  } catch {
    // A committee that is empty or names a party twice would need fewer signatures.
    return false
  }
  const hash = certificateHash(key)
  return key.parties.every((j) => {
    const identity = identities.get(j)
    return identity !== undefined && attestations.some((a) => a.party === j && verifyIdentity(identity, hash, a.signature))
  })
}

/** The bytes that are sealed: x_i, and the hash of the public half that it belongs to. Secret. */
export function encodeShareSecret(share: KeyShare): SecretBytes {
  const out = new Uint8Array(64)
  out.set(share.secret.bytes)
  out.set(keyPublicHash(share.public), 32)
  return new SecretBytes(out)
}

/** Public halves that were found well formed, by their hash: a node opens the same few again and again. */
const wellFormed = new Recent<KeyPublic>(64)

/**
 * The only way from stored bytes to a key share.
 *
 * Guarantees: the public half is well formed, `x_i G == X_i`, and the two halves were sealed together.
 *
 * @param sealed - 64 opened bytes; stays the caller's.
 * @throws {InvalidArgument} BAD_KEY; WireError on malformed public bytes.
 */
export function parseKeyShare(publicBytes: Uint8Array, sealed: Uint8Array, self: PartyId): KeyShare {
  const hash = tagged('key-public', publicBytes)
  const key = wellFormed.get(toHex(hash), () => checkKeyPublic(decode(KeyPublicMessage, publicBytes)))
  const x = sealed.length === 64 ? scalarFromBytes(sealed.subarray(0, 32)) : undefined
  const bound = sealed.length === 64 && equalBytes(sealed.subarray(32), hash)
  if (x === undefined || isZero(x) || !bound || !equalBytes(pointToBytes(mulBase(x)), publicShareOf(key, self))) {
    x?.fill(0)
    throw new InvalidArgument('BAD_KEY', 'the sealed share does not belong to this key')
  }
  return { public: key, self, secret: new SecretBytes(x) }
}
