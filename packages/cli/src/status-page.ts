import type { Key, Node } from '@conclave/client'
import type { AdminFreeze, AdminStatus, Checkup, Readiness, Report } from '@conclave/node'
import { unbackedKeys } from '@conclave/node'

/** One node, as the coordinator or its own operator sees it. What is not known is null. */
export interface NodeRow {
  readonly name: string
  readonly state: 'up' | 'leaving' | 'down'
  /** Whether it is able to sign with others. */
  readonly able: boolean
  readonly reasons: readonly string[]
  readonly version: string | null
  readonly hsms: readonly { readonly name: string; readonly state: string }[]
  readonly policySequence: number | null
  readonly freezes: number | null
  readonly log: { readonly entries: number; readonly checkpoint: number; readonly cosigners: number } | null
  /** Correlations with the peer that has the fewest. */
  readonly stockMin: number | null
  readonly clockOffsetMs: number | null
  readonly roundTripMs: number | null
  /** Keys whose present epoch is in no backup of this node. */
  readonly unbacked: number | null
}

export interface KeyRow {
  readonly keyId: string
  readonly state: string
  readonly epoch: number
  readonly threshold: number
  readonly parties: number
}

/** How it stands. */
export interface StatusPage {
  /** Whether enough nodes are able to sign, or this one is ready. */
  readonly healthy: boolean
  /** One line for a person. */
  readonly summary: string
  readonly nodes: readonly NodeRow[]
  readonly keys: readonly KeyRow[]
  /** Findings of `conclave doctor` at this node. */
  readonly doctor: { readonly critical: number; readonly warnings: number } | null
}

const least = (values: readonly number[]): number | null => (values.length === 0 ? null : Math.min(...values))

function rowOf({ name, link, availability, status }: Node): NodeRow {
  const { able, reasons } = availability
  const state = reasons.some((r) => r.code === 'LEAVING') ? 'leaving' : link.up ? 'up' : 'down'
  const seen = { name, state, able, reasons: reasons.map((r) => `${r.code}: ${r.detail}`), roundTripMs: link.roundTripMs } as const
  if (status === null) {
    const nothing = { version: null, hsms: [], policySequence: null, freezes: null, log: null, stockMin: null, clockOffsetMs: null }
    return { ...seen, ...nothing, unbacked: null }
  }
  const { version, hsms, policySequence, freezes, audit, pairs, clockOffsetMs, keys } = status
  return {
    ...{ ...seen, version, policySequence, freezes, clockOffsetMs },
    hsms: hsms.map((h) => ({ name: h.name, state: h.state })),
    log: { entries: audit.entries, checkpoint: audit.checkpointEntries, cosigners: audit.cosigners },
    stockMin: least(pairs.map((p) => p.stock)),
    unbacked: keys.filter((k) => k.state !== 'stale' && k.lastBackupEpoch !== k.epoch).length,
  }
}

/** The cluster as its coordinator sees it. @param needed - by the cluster lock; undefined while too few nodes are connected. */
export function clusterPage(nodes: readonly Node[], keys: readonly Key[], needed: number | undefined): StatusPage {
  const able = nodes.filter((n) => n.availability.able).length
  const most = Math.max(needed ?? 0, ...keys.map((k) => k.threshold))
  const healthy = needed !== undefined && able >= most
  return {
    healthy,
    summary: `${able} of ${nodes.length} nodes are able to sign${most > 0 ? `, ${most} are needed` : ''}`,
    nodes: nodes.map(rowOf),
    keys: keys.map(({ keyId, state, epoch, threshold, parties }) => ({ keyId, state, epoch, threshold, parties: parties.length })),
    doctor: null,
  }
}

export interface NodeFacts {
  readonly status: AdminStatus
  readonly checkup: Checkup
  readonly freezes: readonly AdminFreeze[]
  readonly policySequence: number
  readonly readiness: Readiness
  readonly report: Report
}

/** One node as its operator sees it, and its peers as far as it knows them. */
export function nodePage({ status, checkup, freezes, policySequence, readiness, report }: NodeFacts): StatusPage {
  const { audit, hsm, pairs, keys } = status
  const own: NodeRow = {
    ...{ name: status.name, state: readiness.code === 'DRAINING' ? 'leaving' : 'up', able: readiness.isReady, version: status.version },
    reasons: readiness.isReady ? [] : [`${readiness.code}: ${readiness.detail}`],
    hsms: hsm.map((h) => ({ name: h.name, state: h.state })),
    policySequence,
    freezes: freezes.filter((f) => f.isActive).length,
    log:
      audit === null
        ? null
        : { entries: audit.size, checkpoint: audit.checkpoint?.size ?? 0, cosigners: audit.checkpoint?.cosigners.length ?? 0 },
    stockMin: least(pairs.map((p) => p.stock)),
    ...{ clockOffsetMs: 0, roundTripMs: null, unbacked: unbackedKeys(keys).length },
  }
  const peers = checkup.peers.map(({ name, isLinkUp, word }): NodeRow => {
    const told = word !== null && typeof word !== 'string' ? word : undefined
    const pair = pairs.find((p) => p.peer === name)
    return {
      ...{ name, state: isLinkUp ? 'up' : 'down', able: isLinkUp && pair?.state === 'ready' },
      reasons: pair === undefined || pair.state === 'ready' ? [] : [`PAIR_${pair.state.toUpperCase()}`],
      ...{ version: told?.version ?? null, hsms: [], policySequence: null, freezes: null, log: null, unbacked: null },
      ...{ stockMin: pair?.stock ?? null, clockOffsetMs: told?.offsetMs ?? null, roundTripMs: told?.roundTripMs ?? null },
    }
  })
  const count = (severity: string) => report.findings.filter((f) => f.severity === severity).length
  return {
    healthy: readiness.isReady,
    summary: `node ${status.name}: ${readiness.detail}`,
    nodes: [own, ...peers],
    keys: keys.map(({ keyId, state, epoch, threshold, parties }) => ({ keyId, state, epoch, threshold, parties: parties.length })),
    doctor: { critical: count('critical'), warnings: count('warning') },
  }
}

/** Columns as wide as their widest cell. */
function table(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)))
  return rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

const or = (value: number | string | null, unit = '') => (value === null ? '-' : `${value}${unit}`)
const HEAD = ['NODE', 'STATE', 'SIGNS', 'HSM', 'POLICY', 'FROZEN', 'LOG', 'COSIGNED', 'POOL', 'CLOCK', 'RTT', 'UNBACKED', 'VERSION']

function cells(n: NodeRow): readonly string[] {
  const hsms = n.hsms.length === 0 ? '-' : n.hsms.map((h) => `${h.name} ${h.state}`).join(', ')
  const log = n.log === null ? '-' : `${n.log.checkpoint}/${n.log.entries}`
  const rtt = n.roundTripMs === null ? null : Math.round(n.roundTripMs)
  return [
    ...[n.name, n.state, n.able ? 'yes' : 'NO', hsms, or(n.policySequence), or(n.freezes), log, or(n.log?.cosigners ?? null)],
    ...[or(n.stockMin), or(n.clockOffsetMs, ' ms'), or(rtt, ' ms'), or(n.unbacked), or(n.version)],
  ]
}

/** For a person, in one look. */
export function statusLines({ healthy, summary, nodes, keys, doctor }: StatusPage): readonly string[] {
  const keyRows = keys.map((k) => [k.keyId, k.state, String(k.epoch), `${k.threshold} of ${k.parties}`])
  return [
    `${healthy ? 'healthy' : 'DEGRADED'}: ${summary}`,
    ...table([HEAD, ...nodes.map(cells)]),
    ...nodes.flatMap((n) => n.reasons.map((reason) => `${n.name}: ${reason}`)),
    ...(keys.length === 0 ? ['no keys'] : table([['KEY', 'STATE', 'EPOCH', 'QUORUM'], ...keyRows])),
    ...(doctor === null ? [] : [`doctor: ${doctor.critical} critical, ${doctor.warnings} warnings; "conclave doctor" says more`]),
  ]
}
