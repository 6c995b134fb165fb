import { concat, fromHex, u32, utf8 } from './bytes.ts'
import { ConclaveError, ConfigError } from './errors.ts'
import { tagged } from './hash.ts'
import { type IdentityKey, type IdentitySigner, sameIdentity, verifyIdentity } from './identity.ts'
import type { PartyId } from './ids.ts'
import { authorsHash, type PolicyAuthors } from './policy-authors.ts'

/** As many as a node may have HSMs that sign. */
export const CHECKPOINT_KEYS_MAX = 4

export const LOCK_FORMAT = 'conclave-cluster-lock/2'

export interface NodeMember {
  readonly kind: 'node'
  readonly index: PartyId
  readonly name: string
  readonly peerId: string
  /** Multiaddrs without the peer id. */
  readonly addresses: readonly string[]
  readonly identity: IdentityKey
  /** What the checkpoints of its log are signed with: 1 to CHECKPOINT_KEYS_MAX, usually one for each of its HSMs. */
  readonly checkpointKeys: readonly IdentityKey[]
}

export interface CoordinatorMember {
  readonly kind: 'coordinator'
  readonly name: string
  readonly peerId: string
  readonly addresses: readonly string[]
}

export type Member = NodeMember | CoordinatorMember

/**
 * Who belongs to a cluster. Nodes are sorted by index; indices are distinct, 1..9, and may have gaps. Names and peer ids are
 * unique over all members.
 */
export interface ClusterLock {
  readonly version: number
  /** 32 random bytes, hex. */
  readonly clusterId: string
  /** Hash of the lock that this one takes over from, hex; empty in version 1. */
  readonly previous: string
  readonly quorum: { readonly required: number; readonly of: number }
  readonly nodes: readonly NodeMember[]
  readonly coordinators: readonly CoordinatorMember[]
  /** Whose policies the nodes obey; without authors each node obeys a file of its own. */
  readonly authors?: PolicyAuthors | undefined
  /** Of this lock's own nodes, by their index in it. */
  readonly signatures: ReadonlyMap<PartyId, Uint8Array>
  /** Of the previous lock's nodes, by their index in that one; none in version 1. */
  readonly approvals: ReadonlyMap<PartyId, Uint8Array>
}

/** The node at `index`; indices may have gaps. */
export function nodeOf(lock: Pick<ClusterLock, 'nodes'>, index: PartyId): NodeMember | undefined {
  return lock.nodes.find((n) => n.index === index)
}

/** The node with that identity key. */
export function nodeWith(lock: Pick<ClusterLock, 'nodes'>, key: IdentityKey): NodeMember | undefined {
  return lock.nodes.find((n) => sameIdentity(n.identity, key))
}

/** Whether `signature` is of one of the node's checkpoint keys: any of them speaks for the node. */
export function verifyCheckpoint(node: Pick<NodeMember, 'checkpointKeys'>, message: Uint8Array, signature: Uint8Array): boolean {
  return node.checkpointKeys.some((key) => verifyIdentity(key, message, signature))
}

/** Identity keys by index: what the certificates of keys made under this lock are verified with. */
export function identitiesOf(lock: Pick<ClusterLock, 'nodes'>): ReadonlyMap<PartyId, IdentityKey> {
  return new Map(lock.nodes.map((n) => [n.index, n.identity]))
}

function hashList(parts: readonly Uint8Array[]): Uint8Array {
  return tagged('list', ...parts)
}

/** What every node signs: everything in the lock but the signatures and approvals. 32 bytes. */
export function lockHash(lock: ClusterLock): Uint8Array {
  const key = (k: IdentityKey) => tagged('lock-key', utf8(k.type), k.publicKey)
  const node = (n: NodeMember) =>
    tagged(
      'lock-node',
      u32(n.index),
      utf8(n.name),
      utf8(n.peerId),
      utf8(n.identity.type),
      n.identity.publicKey,
      hashList(n.addresses.map(utf8)),
      hashList(n.checkpointKeys.map(key)),
    )
  const coordinator = (c: CoordinatorMember) => tagged('lock-coordinator', utf8(c.name), utf8(c.peerId), hashList(c.addresses.map(utf8)))
  return tagged(
    'cluster-lock',
    utf8(LOCK_FORMAT),
    u32(lock.version),
    fromHex(lock.clusterId),
    fromHex(lock.previous),
    u32(lock.quorum.required),
    u32(lock.quorum.of),
    hashList(lock.nodes.map(node)),
    hashList(lock.coordinators.map(coordinator)),
    // Only when there are some, so that a lock without keeps its name.
    ...(lock.authors === undefined ? [] : [authorsHash(lock.authors)]),
  )
}

/** The specification's `clusterCtx = T("cluster", version, clusterId, sorted (index, peerId) list)`. 32 bytes. */
export function clusterContext(lock: Pick<ClusterLock, 'version' | 'clusterId' | 'nodes'>): Uint8Array {
  const members = lock.nodes.map((n) => tagged('cluster-member', u32(n.index), utf8(n.peerId)))
  return tagged('cluster', u32(lock.version), fromHex(lock.clusterId), concat(...members))
}

const lockMessage = (lock: ClusterLock) => tagged('lock-signature', lockHash(lock))

/** @throws {ConclaveError} BAD_SIGNATURE when the signer does not do what it should. */
export async function signChecked(signer: IdentitySigner, message: Uint8Array): Promise<Uint8Array> {
  const signature = await signer.sign(message)
  if (!verifyIdentity(signer.key, message, signature))
    throw new ConclaveError('BAD_SIGNATURE', 'the identity signer produced a signature that does not verify')
  return signature
}

/** The lock with `signer`'s signature added. @throws {ConfigError} NOT_A_MEMBER when no node has that identity. */
export async function signLock(lock: ClusterLock, signer: IdentitySigner): Promise<ClusterLock> {
  const node = nodeWith(lock, signer.key)
  if (node === undefined) throw new ConfigError('NOT_A_MEMBER', 'this node identity is not in the cluster lock')
  const signature = await signChecked(signer, lockMessage(lock))
  return { ...lock, signatures: new Map(lock.signatures).set(node.index, signature) }
}

/** The nodes of `signers` whose signature of `message` is not there, or is not theirs. */
export function nodesWithout(
  signers: readonly NodeMember[],
  message: Uint8Array,
  signatures: ReadonlyMap<PartyId, Uint8Array>,
): readonly NodeMember[] {
  return signers.filter((n) => {
    const s = signatures.get(n.index)
    return s === undefined || !verifyIdentity(n.identity, message, s)
  })
}

/**
 * Every node of the lock has signed it. For a version above 1 this does not say that the previous quorum agreed: `checkSuccessor` does.
 *
 * @throws {ConfigError} LOCK_UNSIGNED naming the nodes whose signature is missing or wrong.
 */
export function verifyLock(lock: ClusterLock): void {
  const missing = nodesWithout(lock.nodes, lockMessage(lock), lock.signatures)
  if (missing.length > 0) {
    throw new ConfigError('LOCK_UNSIGNED', `cluster lock: no valid signature of ${missing.map((n) => n.name).join(', ')}`, {
      nodes: missing.map((n) => n.index),
    })
  }
}
