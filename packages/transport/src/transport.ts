import type { Member } from '@conclave/core'

/** Largest frame that a link carries, either way. */
export const FRAME_BYTES_MAX = 3 << 20

/** Largest backlog towards one peer; past it `send` refuses. */
export const BACKLOG_BYTES_MAX = 32 << 20

/** Bytes of the length that goes before every frame. */
export const PREFIX_BYTES = 4

/** Why a link went down, or did not come up. Stable: callers branch on it. */
export type DownReason =
  // Ours or the network's doing.
  | 'STOPPED'
  | 'REPLACED'
  | 'CLOSED_BY_PEER'
  | 'CONNECTION_LOST'
  | 'LINK_CUT'
  // The peer could not be reached, or is not whom the lock names.
  | 'NO_ADDRESS'
  | 'DIAL_FAILED'
  | 'HANDSHAKE_FAILED'
  | 'NOT_A_MEMBER'
  // The peer is a member that does not agree with us.
  | 'HELLO_TIMEOUT'
  | 'CLUSTER_MISMATCH'
  | 'LOCK_MISMATCH'
  | 'PROTOCOL_MISMATCH'
  // The peer did not prove the identity that the lock gives it; or our own key could not sign the proof that it asked for.
  | 'IDENTITY_UNPROVED'
  | 'IDENTITY_UNAVAILABLE'
  // The peer broke the framing: counted in `violations`.
  | 'HELLO_INVALID'
  | 'FRAME_EMPTY'
  | 'FRAME_TOO_LARGE'

export interface LinkStatus {
  readonly member: Member
  readonly up: boolean
  /** Frame bytes, prefix included, since start; HELLO and what libp2p adds are not counted. */
  readonly bytesSent: number
  readonly bytesReceived: number
  /** How often the link came up again after having been up. */
  readonly reconnects: number
  /** Attempts that did not come up, since start, as far as this side saw them. */
  readonly failures: number
  /** Links closed because the peer broke the framing, since start. */
  readonly violations: number
  /** Why the link is not up; undefined while it is up and before the first attempt ended. */
  readonly downReason: DownReason | undefined
  /** Milliseconds, or undefined before the first ping. */
  readonly roundTripMs: number | undefined
}

/** What a transport reports. Handlers must not throw; one that does is logged and does not take the link down. */
export interface TransportEvents {
  /** A frame from an authenticated member. `frame` is a copy that the handler owns. */
  frame(from: Member, frame: Uint8Array): void
  /** The application handshake is done: frames pass both ways from now on. */
  linkUp(member: Member): void
  linkDown(member: Member, reason: DownReason): void
  /**
   * Somebody has the peer key of that member and did not prove its identity: a stolen key. Told once until a link with the member is up,
   * however often it is tried.
   */
  unproved?(member: Member): void
}

/**
 * Authenticated, encrypted, ordered links to the members of one cluster lock, and to nobody else: nodes to nodes and to
 * coordinators, coordinators to nodes only.
 *
 * Guarantees: `from` is the peer that the handshake proved; frames of one link arrive in order, each at most once; for every
 * member `linkUp` and `linkDown` alternate, and frames come between them. Frames sent before a link went down may be lost, those
 * still in the backlog always are: nothing is kept for the next link.
 */
export interface Transport {
  readonly self: Member
  /**
   * Begins listening and dialling; resolves when listening. Links come up on their own, with backoff, for as long as it runs.
   *
   * @throws {TransportError} LISTEN_FAILED; ALREADY_STARTED on a second call, also after `stop`.
   */
  start(events: TransportEvents): Promise<void>
  /**
   * Queues a copy of one frame of 1 to FRAME_BYTES_MAX bytes.
   *
   * @throws {TransportError} PEER_UNREACHABLE when the link is down, BACKLOG_FULL (both retriable); FRAME_TOO_LARGE, FRAME_EMPTY,
   * UNKNOWN_MEMBER for a member that this one has no link to.
   */
  send(to: Member, frame: Uint8Array): void
  /** One entry for every member that this one has a link to, in the order of the lock. */
  links(): readonly LinkStatus[]
  /** Actual listen multiaddrs without peer id (ports resolved), once started. */
  addresses(): readonly string[]
  /** Closes every link, reports each that was up as STOPPED, and no event follows. Without hanging; safe to call twice. */
  stop(): Promise<void>
}
