import type { Member } from '@conclave/core'

/** Largest frame that a link carries, either way. */
export const FRAME_BYTES_MAX = 1 << 20

/** Largest backlog towards one peer; past it `send` refuses. */
export const BACKLOG_BYTES_MAX = 32 << 20

export interface LinkStatus {
  readonly member: Member
  readonly up: boolean
  /** Frame bytes, prefix included, since start. */
  readonly bytesSent: number
  readonly bytesReceived: number
  readonly reconnects: number
  /** Milliseconds, or undefined before the first ping. */
  readonly roundTripMs: number | undefined
}

/** What a transport reports. Handlers must not throw; one that does is logged and does not take the link down. */
export interface TransportEvents {
  /** A frame from an authenticated member. `frame` is a copy that the handler owns. */
  frame(from: Member, frame: Uint8Array): void
  /** The application handshake is done: frames pass both ways from now on. */
  linkUp(member: Member): void
  linkDown(member: Member, reason: string): void
}

/**
 * Authenticated, encrypted, ordered links to the members of one cluster lock, and to nobody else.
 *
 * Guarantees: `from` is the peer that the handshake proved; frames of one link arrive in order, each at most once; frames sent
 * before a link went down may be lost.
 */
export interface Transport {
  readonly self: Member
  /** Begins listening and dialling; resolves when listening. Links come up on their own, with backoff, for as long as it runs. */
  start(events: TransportEvents): Promise<void>
  /**
   * Queues one frame.
   *
   * @throws {TransportError} PEER_UNREACHABLE when the link is down, BACKLOG_FULL, FRAME_TOO_LARGE, UNKNOWN_MEMBER.
   */
  send(to: Member, frame: Uint8Array): void
  links(): readonly LinkStatus[]
  /** Actual listen multiaddrs without peer id (ports resolved), once started. */
  addresses(): readonly string[]
  /** Closes every link, without hanging. Safe to call twice. */
  stop(): Promise<void>
}
