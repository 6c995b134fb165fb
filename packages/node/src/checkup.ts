import { type ClusterLock, type NodeMember, type PartyId, toHex } from '@conclave/core'
import type { Transport } from '@conclave/transport'
import { type HsmHealth, type KeyVault, parseRecord, type RecordShelf } from '@conclave/vault'
import { othersOf } from './node-status.ts'
import { hsmMark, type PeerReports, type PeerWord } from './peer-reports.ts'

/** What only the running node can tell its doctor. */
export interface Checkup {
  readonly pid: number
  readonly upMs: number
  /** Multiaddrs, ports resolved. */
  readonly listen: readonly string[]
  /** Hex. */
  readonly identity: string
  readonly hsms: readonly CheckedHsm[]
  readonly peers: readonly CheckedPeer[]
}

export interface CheckedHsm {
  readonly name: string
  readonly missedSeals: number
  /** See {hsmMark}; null while it is down. */
  readonly mark: string | null
  /** Sealed records of the node that this HSM cannot open; null while it is down. */
  readonly unopenable: number | null
}

export interface CheckedPeer {
  readonly name: string
  readonly isLinkUp: boolean
  /** Why the link is down. */
  readonly downReason: string | null
  /** A code instead, when the peer was asked and did not answer; null when it was not asked. */
  readonly word: PeerWord | string | null
}

export interface CheckupParts {
  readonly self: NodeMember
  readonly lock: ClusterLock
  readonly vault: KeyVault
  /** Every record that this node has sealed. */
  readonly shelf: RecordShelf
  readonly transport: Transport
  readonly reports: PeerReports
}

/** Looks at this node from inside, when its operator asks; changes nothing. */
export async function checkUp({ self, lock, vault, shelf, transport, reports }: CheckupParts): Promise<Checkup> {
  const links = new Map(transport.links().map((l) => [l.member.name, l]))
  const peerOf = async (index: PartyId): Promise<CheckedPeer[]> => {
    const member = lock.nodes.find((n) => n.index === index)
    const link = links.get(member?.name ?? '')
    if (member === undefined || link === undefined) return []
    const word = link.up ? await reports.ask(index) : null
    return [{ name: member.name, isLinkUp: link.up, downReason: link.downReason ?? null, word }]
  }
  const peers = (await Promise.all(othersOf(lock.nodes, self.index).map(peerOf))).flat()
  const sealed = await recipientsOn(shelf)
  return {
    pid: process.pid,
    upMs: Math.round(process.uptime() * 1e3),
    listen: transport.addresses(),
    identity: toHex(vault.identity.key.publicKey),
    hsms: (await vault.health()).map((h) => ({
      name: h.name,
      missedSeals: h.missedSeals,
      mark: hsmMark(lock.clusterId, h) ?? null,
      unopenable: unopenable(sealed, h),
    })),
    peers,
  }
}

/** Recipients of every sealed record, as `serial kek`. */
async function recipientsOn(shelf: RecordShelf): Promise<readonly ReadonlySet<string>[]> {
  const records = await shelf.records()
  return records.map(({ record }) => new Set(parseRecord(record).recipients.map((r) => `${r.tokenSerial} ${r.kekId}`)))
}

function unopenable(sealed: readonly ReadonlySet<string>[], { key }: HsmHealth): number | null {
  if (key === undefined) return null
  return sealed.filter((recipients) => !recipients.has(`${key.tokenSerial} ${key.kekId}`)).length
}
