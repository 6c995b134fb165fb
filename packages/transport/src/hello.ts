import { type ClusterLock, equalBytes, fromHex, lockHash, type Member, type NodeMember, tagged, utf8, verifyIdentity } from '@conclave/core'
import type { Hello } from '@conclave/wire'
import type { DownReason } from './transport.ts'

/** Raised when the frames of a link change in a way that an older peer cannot read. */
export const LINK_PROTOCOL = 3

/** Name of the one stream per link, as libp2p negotiates it. */
export const LINK_STREAM = `/conclave/link/${LINK_PROTOCOL}`

/** HELLO and proof are far smaller; a stranger to the framing must not make us buffer a megabyte. */
export const HELLO_BYTES_MAX = 256

/** Without a nonce: it asks for no proof. */
export function helloOf(lock: ClusterLock, version: string): Hello {
  return { clusterId: fromHex(lock.clusterId), lockHash: lockHash(lock), protocol: LINK_PROTOCOL, version, nonce: new Uint8Array(0) }
}

/** What keeps two members apart, or undefined. Symmetric, so both sides come to the same verdict; software versions may differ. */
export function helloMismatch(ours: Hello, theirs: Hello): DownReason | undefined {
  if (!equalBytes(ours.clusterId, theirs.clusterId)) return 'CLUSTER_MISMATCH'
  if (!equalBytes(ours.lockHash, theirs.lockHash)) return 'LOCK_MISMATCH'
  if (ours.protocol !== theirs.protocol) return 'PROTOCOL_MISMATCH'
  return undefined
}

export const NONCE_BYTES = 32

/** One proof of one node to one other member. */
export interface ProofOf {
  /** The HELLO of either side: what they agree about. */
  readonly hello: Pick<Hello, 'clusterId' | 'lockHash'>
  readonly prover: Member
  readonly verifier: Member
  /** Fresh, of the verifier. */
  readonly nonce: Uint8Array
}

/** What the prover's identity key signs: nobody can pass it on to another member, for another peer id, or a second time. 32 bytes. */
export function proofMessage({ hello, prover, verifier, nonce }: ProofOf): Uint8Array {
  return tagged('link-proof', hello.clusterId, hello.lockHash, utf8(prover.peerId), utf8(verifier.peerId), nonce)
}

export function isProof(proof: ProofOf & { readonly prover: NodeMember }, signature: Uint8Array): boolean {
  return proof.nonce.length === NONCE_BYTES && verifyIdentity(proof.prover.identity, proofMessage(proof), signature)
}

/**
 * Binds a noise handshake to one cluster: with another prologue it does not decrypt. 32 bytes.
 *
 * The lock itself is compared in HELLO: while a new version goes from node to node, operators must see LOCK_MISMATCH for what it is.
 */
export function noisePrologue(lock: Pick<ClusterLock, 'clusterId'>): Uint8Array {
  return tagged('noise-prologue', fromHex(lock.clusterId))
}
