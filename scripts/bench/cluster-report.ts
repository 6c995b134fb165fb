import type { BarChart, BarGroup } from './chart.ts'
import type { Series } from './cluster-rig.ts'
import { CLUSTER_GOALS, type ClusterRatios, type ClusterReport, isReached, type LinkFigures } from './cluster-run.ts'
import { chartLink, machineLine, markdownTable, writeSection } from './document.ts'
import { showMs, textTable } from './report.ts'
import { roundTripMs } from './sites.ts'
import { median, significant } from './statistics.ts'

/** For machines. */
export function clusterToJson(report: ClusterReport) {
  const ratios = Object.entries(report.ratios).map(([name, value]) => [name, value === null ? null : significant(value, 4)])
  const series = (s: Series) => ({
    ...s,
    quorums: Object.fromEntries(Object.entries(s.quorums).map(([quorum, ms]) => [quorum, ms.length])),
  })
  const links = (figures: LinkFigures | null) => (figures === null ? null : { ...figures, series: figures.series.map(series) })
  return {
    ...report,
    ratios: Object.fromEntries(ratios),
    loopback: links(report.loopback),
    far: links(report.far),
    keys: report.keys.map((k) => ({ ...k, series: series(k.series) })),
    burst: report.burst === null ? null : { ...report.burst, series: series(report.burst.series) },
  }
}

const RATIO_TEXT: Readonly<Record<keyof ClusterRatios, readonly [string, string]>> = {
  throughput: ['signatures/s with 32 in flight / best of a peer by itself on the same cores', 'at least'],
  throughputOneThread: ['the same / best of a peer in one thread', 'at least'],
  latencyLoopback: ['one signature / (4 bare rounds of its quorum + CPU of one party), median, loopback', 'at most'],
  latencyFar: ['the same on links of 40 to 80 ms', 'at most'],
  nodeMiB: ['memory of a node with 32 in flight, MiB', 'below'],
}

function ratioRows(ratios: ClusterRatios): readonly (readonly string[])[] {
  return (Object.keys(RATIO_TEXT) as (keyof ClusterRatios)[]).map((name) => {
    const [what, goal] = RATIO_TEXT[name]
    const value = ratios[name]
    const shown = value === null ? 'not measured' : String(significant(value, 3))
    return [what, shown, `${goal} ${CLUSTER_GOALS[name]}`, value === null ? '' : isReached(name, value) ? 'yes' : 'no']
  })
}
const RATIO_HEAD = ['what', 'value', 'goal', 'reached'] as const

function seriesRow(where: string, s: Series): readonly string[] {
  const pool = `${s.pool.used} used, ${s.pool.missed} missed`
  const [p50, p99] = [showMs(s.p50Ms), showMs(s.p99Ms)]
  return [
    where,
    String(s.inFlight),
    String(s.requests),
    String(s.signaturesPerSecond),
    p50,
    p99,
    showMs(s.cpuMs),
    Object.keys(s.quorums).join(' '),
    pool,
  ]
}
const SERIES_HEAD = [
  'where',
  'in flight',
  'signatures',
  'per second',
  'p50',
  'p99',
  'CPU of all processes',
  'quorums',
  'pool entries',
] as const

function seriesRows({ loopback, far, keys, burst }: ClusterReport): readonly (readonly string[])[] {
  return [
    ...(loopback?.series.map((s) => seriesRow('loopback', s)) ?? []),
    ...(far?.series.map((s) => seriesRow('40 to 80 ms', s)) ?? []),
    ...keys.map(({ keys: count, series }) => seriesRow(`loopback, ${count} derived keys`, series)),
    ...(burst === null ? [] : [seriesRow(`loopback, burst on a stock of ${burst.stock}`, burst.series)]),
  ]
}

function bareRows(links: Readonly<Record<string, LinkFigures | null>>): readonly (readonly string[])[] {
  return Object.entries(links).flatMap(([where, figures]) =>
    Object.entries(figures?.bare ?? {}).map(([quorum, bare]) => {
      const own = figures?.series[0]?.quorums[quorum] ?? []
      return [
        where,
        quorum,
        bare.sizes.join(', '),
        showMs(bare.p50Ms),
        showMs(figures?.cpuMs ?? Number.NaN),
        showMs(median(own)),
        String(own.length),
      ]
    }),
  )
}
const BARE_HEAD = [
  'where',
  'quorum',
  'bytes of a message, by round',
  'bare rounds, p50',
  'CPU of one party',
  'signature, p50',
  'signatures',
] as const

function latencyRows(links: Readonly<Record<string, LinkFigures | null>>): readonly (readonly string[])[] {
  return Object.entries(links).flatMap(([where, f]) => {
    if (f === null) return []
    const [strict, loose] = [f.latencyRatio, f.latencyRatioOfNode].map((r) => String(significant(r, 3)))
    return [[where, showMs(f.cpuMs), strict ?? '', showMs(f.nodeCpuMs), loose ?? '']]
  })
}
const LATENCY_HEAD = ['where', 'CPU of one party by itself', 'ratio with it', 'CPU of a signing node', 'ratio with that'] as const

function processRows(series: Series | undefined): readonly (readonly string[])[] {
  const columns = ['main', 'workers', 'pool', 'engine', 'children', 'total'] as const
  return series?.processes.map((p) => [p.name, ...columns.map((c) => p[c].toFixed(2)), String(p.residentMiB)]) ?? []
}
const PROCESS_HEAD = ['process', 'event loop', 'workers', 'libuv', 'V8', 'children (HSM agent)', 'together, ms', 'resident, MiB'] as const

function memoryRows({ memory }: ClusterReport): readonly (readonly string[])[] {
  return Object.entries(memory ?? {}).map(([name, { ownMiB, childrenMiB }]) => [name, ownMiB.toFixed(0), childrenMiB.toFixed(0)])
}
const MEMORY_HEAD = ['process', 'highest, MiB', 'its HSM agents, MiB'] as const

const peerRows = ({ peers }: ClusterReport) => peers.map((p) => [p.peer, String(p.threads), String(significant(p.signaturesPerSecond, 3))])
const PEER_HEAD = ['peer by itself', 'threads', 'signatures/s'] as const

type Table = readonly [title: string, head: readonly string[], rows: readonly (readonly string[])[]]

function tables(report: ClusterReport): readonly Table[] {
  const most = report.loopback?.series.at(-1)
  const all: readonly Table[] = [
    ['What it is held to', RATIO_HEAD, ratioRows(report.ratios)],
    ['Signatures', SERIES_HEAD, seriesRows(report)],
    ['What the links allow', BARE_HEAD, bareRows({ loopback: report.loopback, '40 to 80 ms': report.far })],
    ['Latency over what is needed at the least', LATENCY_HEAD, latencyRows({ loopback: report.loopback, '40 to 80 ms': report.far })],
    [`Processor time of one signature by process, ${most?.inFlight} in flight on loopback, ms`, PROCESS_HEAD, processRows(most)],
    ['Memory with 32 in flight on loopback', MEMORY_HEAD, memoryRows(report)],
    ['Peers, in process, on one core and on all', PEER_HEAD, peerRows(report)],
  ]
  return all.filter(([, , rows]) => rows.length > 0)
}

export function printCluster(report: ClusterReport, print: (line: string) => void): void {
  for (const [title, head, rows] of tables(report)) print(`${title}\n${textTable(head, rows)}\n`)
}

function charts({ loopback, far }: ClusterReport): Readonly<Record<string, BarChart>> {
  const groups = (links: LinkFigures): readonly BarGroup[] =>
    links.series.map((s) => ({
      label: `${s.inFlight} in flight`,
      bars: [
        { series: 'p50', value: s.p50Ms, text: showMs(s.p50Ms) },
        { series: 'p99', value: s.p99Ms, text: showMs(s.p99Ms) },
      ],
    }))
  const rates = Object.entries({ loopback, '40 to 80 ms': far }).flatMap(([series, links]) =>
    links === null ? [] : links.series.map((s) => ({ series, inFlight: s.inFlight, value: s.signaturesPerSecond })),
  )
  const counts = [...new Set(rates.map((r) => r.inFlight))]
  const made: Record<string, BarChart> = {}
  const latency = (where: string, links: LinkFigures): BarChart => ({
    title: `Latency of a signature, ${where}`,
    axis: 'ms',
    scale: 'linear',
    groups: groups(links),
  })
  if (loopback !== null) made['latency-loopback'] = latency('loopback', loopback)
  if (far !== null) made['latency-far'] = latency('links of 40 to 80 ms', far)
  if (rates.length > 0)
    made.rate = {
      title: 'Signatures per second of a cluster of five processes',
      axis: 'signatures per second',
      scale: 'linear',
      groups: counts.map((n) => ({
        label: `${n} in flight`,
        bars: rates.filter((r) => r.inFlight === n).map(({ series, value }) => ({ series, value, text: String(value) })),
      })),
    }
  return made
}

const ALT: Readonly<Record<string, string>> = {
  'latency-loopback': 'Latency on loopback',
  'latency-far': 'Latency on slow links',
  rate: 'Signatures per second',
}

/** How far the places are, as a table. */
function distances(names: readonly string[]): string {
  return markdownTable(
    ['ms there and back', ...names],
    names.map((a) => [a, ...names.map((b) => (a === b ? '' : String(roundTripMs(a, b))))]),
  )
}

/** The section of `npm run bench:cluster`. */
export function writeCluster(dir: string, report: ClusterReport): void {
  const made = charts(report)
  const content = [
    `\`npm run bench:cluster -- --peers DIR --write docs\`, pool ${report.pool ? 'warm' : 'off'}. ${machineLine(report.machine)}`,
    ...tables(report).map(([title, head, rows]) => `### ${title}\n\n${markdownTable(head, rows)}`),
    ...Object.keys(made).map((name) => chartLink(name, ALT[name] ?? name)),
    `How far the places are; the coordinator stands in the first one. Delay is all that is emulated: nothing is lost, and capacity is that of loopback.`,
    distances(['zurich', 'oslo', 'lisbon', 'vienna', 'dublin']),
  ]
  writeSection(dir, 'cluster', content.join('\n\n'), made)
}
