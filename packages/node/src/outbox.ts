import { type ClusterLock, ConclaveError, codeOf, type NodeMember, nodeOf, type PartyId } from '@conclave/core'
import type { Logger, Transport } from '@conclave/transport'
import { encode, Frame } from '@conclave/wire'

export interface OutboxParts {
  readonly lock: ClusterLock
  readonly transport: Transport
  readonly log: Logger
}

/** Frames to the other nodes, by party. */
export class Outbox {
  readonly #p: OutboxParts

  constructor(parts: OutboxParts) {
    this.#p = parts
  }

  /** Parties whose link is up. */
  peersUp(): readonly PartyId[] {
    return this.#p.transport.links().flatMap((l) => (l.up && l.member.kind === 'node' ? [l.member.index] : []))
  }

  isUp(peer: PartyId): boolean {
    return this.peersUp().includes(peer)
  }

  /** @throws {TransportError} */
  sendOrThrow(to: PartyId, body: Frame['body']): void {
    this.#p.transport.send(this.#memberOf(to), encode(Frame, { body }))
  }

  /** For messages whose loss shows elsewhere: the link goes down, a session falls silent. */
  send(to: PartyId, body: Frame['body']): void {
    try {
      this.sendOrThrow(to, body)
    } catch (error) {
      this.#p.log.warn({ to: this.#memberOf(to).name, code: codeOf(error) }, 'message not sent')
    }
  }

  #memberOf(party: PartyId): NodeMember {
    const member = nodeOf(this.#p.lock, party)
    if (member === undefined) throw new ConclaveError('ASSERTION', `no party ${party} in the lock`)
    return member
  }
}
