import { type ClusterLock, equalBytes, fromHex, lockHash, tagged } from '@conclave/core'
import type { Hello } from '@conclave/wire'
import type { DownReason } from './transport.ts'

/** Raised when the frames of a link change in a way that an older peer cannot read. */
export const LINK_PROTOCOL = 2

/** Name of the one stream per link, as libp2p negotiates it. */
export const LINK_STREAM = `/conclave/link/${LINK_PROTOCOL}`

/** A HELLO is far smaller; a stranger to the framing must not make us buffer a megabyte. */
export const HELLO_BYTES_MAX = 256

export function helloOf(lock: ClusterLock, version: string): Hello {
  return { clusterId: fromHex(lock.clusterId), lockHash: lockHash(lock), protocol: LINK_PROTOCOL, version }
}

/** What keeps two members apart, or undefined. Symmetric, so both sides come to the same verdict; software versions may differ. */
export function helloMismatch(ours: Hello, theirs: Hello): DownReason | undefined {
  if (!equalBytes(ours.clusterId, theirs.clusterId)) return 'CLUSTER_MISMATCH'
  if (!equalBytes(ours.lockHash, theirs.lockHash)) return 'LOCK_MISMATCH'
  if (ours.protocol !== theirs.protocol) return 'PROTOCOL_MISMATCH'
  return undefined
}

/**
 * Binds a noise handshake to one cluster: with another prologue it does not decrypt. 32 bytes.
 *
 * The lock itself is compared in HELLO: while a new version goes from node to node, operators must see LOCK_MISMATCH for what it is.
 */
export function noisePrologue(lock: Pick<ClusterLock, 'clusterId'>): Uint8Array {
  return tagged('noise-prologue', fromHex(lock.clusterId))
}
