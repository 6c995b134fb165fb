import {
  type ClusterLock,
  ConfigError,
  type IdentityKey,
  type IdentitySigner,
  type Member,
  type NodeMember,
  sameIdentity,
} from '@conclave/core'
import { publicKeyFromRaw } from '@libp2p/crypto/keys'
import type { Ed25519PublicKey, Secp256k1PublicKey } from '@libp2p/interface'
import { peerIdFromPublicKey, peerIdFromString } from '@libp2p/peer-id'

/** The key as libp2p has it. @throws {ConfigError} BAD_IDENTITY when it is not a valid key of its type, or of one that libp2p refuses. */
export function libp2pPublicKey(key: IdentityKey): Ed25519PublicKey | Secp256k1PublicKey {
  if (key.type === 'p256') throw new ConfigError('BAD_IDENTITY', 'libp2p takes no P-256 key as peer id', { type: key.type })
  try {
    const raw = publicKeyFromRaw(key.publicKey)
    if (key.type === 'ed25519' && raw.type === 'Ed25519') return raw
    if (key.type === 'secp256k1' && raw.type === 'secp256k1') return raw
  } catch (cause) {
    throw new ConfigError('BAD_IDENTITY', `not a valid ${key.type} public key`, {}, cause)
  }
  throw new ConfigError('BAD_IDENTITY', 'the identity key is not of the type that it claims', { type: key.type })
}

/**
 * The libp2p peer id of an identity key: base58 of its multihash.
 *
 * @throws {ConfigError} BAD_IDENTITY when it is not a valid key of its type, or P-256.
 */
export function peerIdOf(key: IdentityKey): string {
  const publicKey = libp2pPublicKey(key)
  return publicKey.type === 'Ed25519' ? peerIdFromPublicKey(publicKey).toString() : peerIdFromPublicKey(publicKey).toString()
}

function isOwnPeerId(text: string): boolean {
  try {
    const { type } = peerIdFromString(text)
    return type === 'Ed25519' || type === 'secp256k1'
  } catch {
    // Not a peer id at all, which is what the caller wants to know.
    return false
  }
}

/**
 * Whether the peer id of a member says nothing about its identity key, so that it has to prove with every link that it has that key too:
 * a node with an identity that libp2p takes no peer ids from.
 */
export function mustProve(member: Member): member is NodeMember {
  return member.kind === 'node' && (member.identity.type === 'p256' || member.peerId !== peerIdOf(member.identity))
}

/** @throws {ConfigError} WRONG_IDENTITY when `self` has to prove an identity, and the signer is not there or not its own. */
export function checkProver(self: Member, identity: IdentitySigner | undefined): void {
  if (!mustProve(self) || (identity !== undefined && sameIdentity(identity.key, self.identity))) return
  throw new ConfigError('WRONG_IDENTITY', `the identity key is not that of ${self.name} in the cluster lock`, { name: self.name })
}

/**
 * Checks what core cannot: that peer ids are peer ids.
 *
 * @throws {ConfigError} BAD_LOCK naming the member.
 */
export function checkLockPeerIds(lock: ClusterLock): void {
  for (const { name, peerId } of [...lock.nodes, ...lock.coordinators]) {
    if (!isOwnPeerId(peerId)) throw new ConfigError('BAD_LOCK', `cluster lock: the peer id of ${name} is not one`, { name })
  }
}

/** @throws {ConfigError} NOT_A_MEMBER when the lock has no member of that name. */
export function memberNamed(lock: ClusterLock, name: string): Member {
  const member = [...lock.nodes, ...lock.coordinators].find((m) => m.name === name)
  if (member === undefined) throw new ConfigError('NOT_A_MEMBER', `"${name}" is not in the cluster lock`, { name })
  return member
}

/** Whom `self` has links to: nodes to every other member, coordinators to nodes only. */
export function peersOf(lock: ClusterLock, self: Member): readonly Member[] {
  const members: readonly Member[] = self.kind === 'node' ? [...lock.nodes, ...lock.coordinators] : lock.nodes
  return members.filter((m) => m.peerId !== self.peerId)
}

/**
 * Which side of a pair dials, decided from the lock alone so that both sides agree: the one without addresses, because it cannot
 * be dialled; else the one with the smaller peer id. Two members without addresses never connect.
 */
export function dials(self: Member, other: Member): boolean {
  const reachable = other.addresses.length > 0
  if (self.addresses.length > 0 !== reachable) return reachable
  return reachable && self.peerId < other.peerId
}
