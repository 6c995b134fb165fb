import { type ClusterLock, type Member, TransportError } from '@conclave/core'
import type { Logger } from './logger.ts'
import { peersOf } from './membership.ts'
import { type DownReason, type LinkStatus, PREFIX_BYTES, type TransportEvents } from './transport.ts'

const VIOLATIONS: ReadonlySet<DownReason> = new Set<DownReason>(['HELLO_INVALID', 'FRAME_EMPTY', 'FRAME_TOO_LARGE'])

/** One member that we have a link to, and what happened on that link since start. */
export class Peer {
  readonly member: Member
  #up = false
  #ups = 0
  #bytesSent = 0
  #bytesReceived = 0
  #failures = 0
  #violations = 0
  #downReason: DownReason | undefined
  #toldUnproved = false

  constructor(member: Member) {
    this.member = member
  }

  get up(): boolean {
    return this.#up
  }

  sent(frameBytes: number): void {
    this.#bytesSent += PREFIX_BYTES + frameBytes
  }

  received(frameBytes: number): void {
    this.#bytesReceived += PREFIX_BYTES + frameBytes
  }

  cameUp(): void {
    this.#up = true
    this.#ups++
    this.#downReason = undefined
    this.#toldUnproved = false
  }

  /** @returns whether that is news: since the last link, nobody has failed to prove this identity. */
  failedProof(): boolean {
    const isNews = !this.#toldUnproved
    this.#toldUnproved = true
    return isNews
  }

  /** A link that was up went down, or an attempt did not come up while no other link is up. */
  ended(reason: DownReason, wasUp: boolean): void {
    if (VIOLATIONS.has(reason)) this.#violations++
    if (wasUp) this.#up = false
    else this.#failures++
    if (!this.#up) this.#downReason = reason
  }

  status(roundTripMs: number | undefined): LinkStatus {
    return {
      member: this.member,
      up: this.#up,
      bytesSent: this.#bytesSent,
      bytesReceived: this.#bytesReceived,
      reconnects: Math.max(0, this.#ups - 1),
      failures: this.#failures,
      violations: this.#violations,
      downReason: this.#downReason,
      roundTripMs,
    }
  }
}

/** By peer id, in the order of the lock. */
export function peerTable(lock: ClusterLock, self: Member): ReadonlyMap<string, Peer> {
  return new Map(peersOf(lock, self).map((member) => [member.peerId, new Peer(member)]))
}

/** @throws {TransportError} UNKNOWN_MEMBER. */
export function peerIn(table: ReadonlyMap<string, Peer>, member: Member): Peer {
  const peer = table.get(member.peerId)
  if (peer === undefined) throw new TransportError('UNKNOWN_MEMBER', `no link to ${member.name}`, { details: { name: member.name } })
  return peer
}

export function unreachable(member: Member): TransportError {
  return new TransportError('PEER_UNREACHABLE', `the link to ${member.name} is down`, { details: { name: member.name }, retriable: true })
}

export function backlogFull(member: Member, bytesMax: number): TransportError {
  return new TransportError('BACKLOG_FULL', `more than ${bytesMax} bytes wait for ${member.name}`, {
    details: { name: member.name },
    retriable: true,
  })
}

/** The same handlers, with whatever they throw (or reject with, when they are async after all) logged. */
export function guarded(events: TransportEvents, logger: Logger): TransportEvents {
  function call(event: string, member: Member, handler: () => unknown): void {
    const failed = (error: unknown) => logger.error({ event, member: member.name, err: error }, 'a transport event handler failed')
    try {
      const result = handler()
      if (result instanceof Promise) result.catch(failed)
    } catch (error) {
      failed(error)
    }
  }
  return {
    frame: (from, frame) => call('frame', from, () => events.frame(from, frame)),
    linkUp: (member) => call('linkUp', member, () => events.linkUp(member)),
    linkDown: (member, reason) => call('linkDown', member, () => events.linkDown(member, reason)),
    unproved: (member) => call('unproved', member, () => events.unproved?.(member)),
  }
}
