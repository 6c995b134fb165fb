import { FIGURES, type Figure } from './figures.ts'
import type { GrowthRow } from './growth.ts'
import type { Machine } from './machine.ts'
import type { Cost } from './meter.ts'
import { RATIOS, type Ratio, type RatioName } from './ratios.ts'
import type { Measured, Results } from './rounds.ts'
import { significant } from './statistics.ts'

/** Everything that one run found out. */
export interface BenchReport {
  readonly plan: { readonly threshold: number; readonly parties: number; readonly rounds: number }
  readonly machine: Machine
  readonly ratios: Readonly<Record<RatioName, Ratio>>
  readonly ours: Results[string]
  readonly peers: Results
  /** One key in one place. */
  readonly orientation: Results
  readonly subjects: readonly { readonly name: string; readonly version: string; readonly notes: readonly string[] }[]
  readonly growth: readonly GrowthRow[]
}

const rounded = (cost: Cost): Cost =>
  Object.fromEntries(
    Object.entries(cost).map(([part, value]) => [part, part === 'bytes' ? value : significant(value, 4)]),
  ) as unknown as Cost

function roundedFigures<F extends object>(figures: F): F {
  return Object.fromEntries(Object.entries(figures).map(([name, cost]) => [name, rounded(cost as Cost)])) as F
}

const mapValues = <V, W>(record: Readonly<Record<string, V>>, change: (value: V) => W): Record<string, W> =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]))

/** For machines: `ratios` as numbers, null where one side was not measured. */
export function toJson(report: BenchReport) {
  const { ratios } = report
  return {
    ratios: mapValues(ratios, (r) => (r.value === null ? null : significant(r.value, 4))),
    ours: roundedFigures(report.ours),
    peers: mapValues(report.peers, roundedFigures),
    machine: report.machine,
    against: mapValues(ratios, (r) => r.against),
    ratiosAgainstAll: mapValues(ratios, (r) => mapValues(r.all, (value) => significant(value, 4))),
    orientation: mapValues(report.orientation, roundedFigures),
    growth: report.growth.map((row) => ({ ...row, costs: roundedFigures(row.costs) })),
    plan: report.plan,
    subjects: report.subjects,
  }
}

/** Milliseconds with the digits that mean something. */
export function showMs(ms: number): string {
  if (!Number.isFinite(ms)) return ''
  return ms >= 100 ? `${Math.round(ms)} ms` : ms >= 1 ? `${ms.toFixed(ms >= 10 ? 1 : 2)} ms` : `${Math.round(ms * 1e3)} us`
}

/** Kilobytes are 1000 bytes. */
export function showBytes(bytes: number): string {
  if (bytes >= 1e6) return `${(bytes / 1e6).toFixed(2)} MB`
  return bytes >= 1e3 ? `${(bytes / 1e3).toFixed(1)} kB` : `${Math.round(bytes)} B`
}

const GOAL = { cpuMs: 'at least', bytes: 'below' } as const

/** One row for each ratio: what, reached, against whom, and what it has to be. */
export function ratioRows(ratios: BenchReport['ratios']): readonly (readonly string[])[] {
  return (Object.keys(RATIOS) as RatioName[]).map((name) => {
    const { value, against, reached, all } = ratios[name]
    const { part, goal, ours, peer } = RATIOS[name]
    const unit = part === 'bytes' ? '' : 'x'
    const show = (v: number) => `${significant(v, v < 1 ? 2 : 3)}${unit}`
    const what = `${FIGURES[ours]}: ${part === 'bytes' ? 'bytes, ours / peer' : 'CPU per party, peer / ours'}${ours === peer ? '' : ` (peer: ${FIGURES[peer]})`}`
    const others = Object.entries(all).filter(([other]) => other !== against)
    return [
      what,
      value === null ? 'not measured' : show(value),
      against ?? '',
      `${GOAL[part]} ${goal}${unit}`,
      reached === null ? '' : reached ? 'yes' : 'no',
      others.map(([other, v]) => `${other} ${show(v)}`).join(', '),
    ]
  })
}
export const RATIO_HEAD = ['what', 'ratio', 'against', 'goal', 'reached', 'others'] as const

/** One row for each figure and implementation. */
export function figureRows(results: Results): readonly (readonly string[])[] {
  return (Object.keys(FIGURES) as Figure[]).flatMap((figure) =>
    Object.entries(results).flatMap(([name, measured]) => {
      const m: Measured | undefined = measured[figure]
      if (m === undefined) return []
      const spread = `${showMs(m.cpuMsMin)} to ${showMs(m.cpuMsMax)}`
      return [[FIGURES[figure], name, showMs(m.cpuMs), spread, showMs(m.wallMs), m.bytes > 0 ? showBytes(m.bytes) : '', String(m.samples)]]
    }),
  )
}
export const FIGURE_HEAD = [
  'what',
  'who',
  'CPU per party',
  'lowest to highest',
  'elapsed, all parties',
  'bytes, all parties',
  'samples',
] as const

export function growthRows(growth: readonly GrowthRow[]): readonly (readonly string[])[] {
  return growth.map(({ threshold, parties, costs: { signFull, signPooled } }) => {
    const shown = (cost: Cost | undefined) => (cost === undefined ? ['', ''] : [showMs(cost.cpuMs), showBytes(cost.bytes)])
    return [`${threshold} of ${parties}`, ...shown(signFull), ...shown(signPooled)]
  })
}
export const GROWTH_HEAD = ['signers', 'full: CPU per party', 'full: bytes', 'pooled: CPU per party', 'pooled: bytes'] as const

/** Columns in line, the first ones to the left. */
export function textTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const table = [head, ...rows]
  const widths = head.map((_, c) => Math.max(...table.map((r) => (r[c] ?? '').length)))
  return table
    .map((r) =>
      r
        .map((cell, c) => cell.padEnd(widths[c] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

export function printReport(report: BenchReport, print: (line: string) => void): void {
  const { machine, plan } = report
  print(
    `${plan.threshold} of ${plan.parties}, medians; ${machine.cpu}, ${machine.cores} cores, Node ${machine.node}, load ${machine.loadAverage}\n`,
  )
  print(`${textTable(FIGURE_HEAD, figureRows({ conclave: report.ours, ...report.peers, ...report.orientation }))}\n`)
  print(`${textTable(RATIO_HEAD, ratioRows(report.ratios))}\n`)
  if (report.growth.length > 0) print(textTable(GROWTH_HEAD, growthRows(report.growth)))
}
