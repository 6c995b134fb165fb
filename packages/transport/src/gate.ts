import type { Member } from '@conclave/core'
import type { ConnectionGater, PeerId } from '@libp2p/interface'
import { dials } from './membership.ts'

export interface GateInit {
  readonly self: Member
  readonly members: ReadonlyMap<string, { readonly member: Member }>
  readonly connectionsPerMemberMax: number
  /** How many connections of an authenticated peer are open. */
  readonly connectionsOf: (peerId: PeerId) => number
  readonly refused: (peerId: string, direction: 'inbound' | 'outbound') => void
}

/**
 * Who may connect: only members that this one has a link to, and only in the direction that the lock gives the pair.
 *
 * The checks come after noise, so the peer id is proved. They run again after the upgrade, because the two calls are the only
 * thing between a stranger and our stream handlers.
 */
export function membershipGate({ self, members, connectionsPerMemberMax, connectionsOf, refused }: GateInit): ConnectionGater {
  function deny(peerId: PeerId, direction: 'inbound' | 'outbound'): boolean {
    const id = peerId.toString()
    const member = members.get(id)?.member
    const allowed = member !== undefined && dials(self, member) === (direction === 'outbound')
    if (!allowed) refused(id, direction)
    return !allowed
  }
  return {
    denyDialPeer: (peerId) => deny(peerId, 'outbound'),
    denyOutboundConnection: (peerId) => deny(peerId, 'outbound'),
    denyOutboundEncryptedConnection: (peerId) => deny(peerId, 'outbound'),
    denyOutboundUpgradedConnection: (peerId) => deny(peerId, 'outbound'),
    denyInboundEncryptedConnection: (peerId) => deny(peerId, 'inbound'),
    denyInboundUpgradedConnection: (peerId) => deny(peerId, 'inbound') || connectionsOf(peerId) >= connectionsPerMemberMax,
    denyInboundRelayReservation: () => true,
    denyInboundRelayedConnection: () => true,
    denyOutboundRelayedConnection: () => true,
    filterMultiaddrForPeer: (peerId) => members.has(peerId.toString()),
  }
}
