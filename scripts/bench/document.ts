import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ConfigError } from '@conclave/core'
import { type BarChart, type BarGroup, barChart } from './chart.ts'
import { FIGURES, type Figure } from './figures.ts'
import type { Machine } from './machine.ts'
import { type BenchReport, FIGURE_HEAD, figureRows, GROWTH_HEAD, growthRows, RATIO_HEAD, ratioRows, showBytes, showMs } from './report.ts'

const PAGE = 'benchmarks.md'
const CHARTS = 'benchmarks'

/** A table of Markdown. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((c) => c.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n')
}

/** One sentence that says where and when. */
export function machineLine({ cpu, cores, memoryGiB, system, node, commit, date, loadAverage }: Machine): string {
  return `${cpu}, ${cores} cores, ${memoryGiB} GiB, ${system}, Node ${node}; commit ${commit}, ${date}, load average ${loadAverage} at the start.`
}

const begin = (section: string) => `<!-- begin ${section} -->`
const end = (section: string) => `<!-- end ${section} -->`

/**
 * Puts `content` where the page has the section of that name, and leaves everything else as it is.
 *
 * @throws {ConfigError} BENCH_BAD_PAGE when the page does not have the section exactly once.
 */
export function replaceSection(page: string, section: string, content: string): string {
  const [head, rest, ...more] = page.split(begin(section))
  const [, tail, ...others] = (rest ?? '').split(end(section))
  if (head === undefined || tail === undefined || more.length > 0 || others.length > 0)
    throw new ConfigError('BENCH_BAD_PAGE', `the page needs "${begin(section)}" and "${end(section)}" once, in this order`)
  return `${head}${begin(section)}\n\n${content}\n\n${end(section)}${tail}`
}

/** Writes one section and its charts below `dir`, the folder of docs/benchmarks.md. @throws {ConfigError} BENCH_NO_PAGE, BENCH_BAD_PAGE. */
export function writeSection(dir: string, section: string, content: string, charts: Readonly<Record<string, BarChart>>): void {
  const file = join(dir, PAGE)
  if (!existsSync(file)) throw new ConfigError('BENCH_NO_PAGE', `${file} is not there`)
  writeFileSync(file, replaceSection(readFileSync(file, 'utf8'), section, content))
  mkdirSync(join(dir, CHARTS), { recursive: true })
  for (const [name, chart] of Object.entries(charts)) writeFileSync(join(dir, CHARTS, `${name}.svg`), barChart(chart))
}

export const chartLink = (name: string, alt: string): string => `![${alt}](${CHARTS}/${name}.svg)`

/** One group per figure, one bar per implementation that has it. */
function groupsOf(report: BenchReport, figures: readonly Figure[], part: 'cpuMs' | 'bytes'): readonly BarGroup[] {
  const all = Object.entries({ conclave: report.ours, ...report.peers })
  const show = part === 'bytes' ? showBytes : showMs
  return figures
    .map((figure) => {
      const bars = all.flatMap(([series, measured]) => {
        const value = measured[figure]?.[part] ?? 0
        return value > 0 ? [{ series, value, text: show(value) }] : []
      })
      return { label: SHORT[figure] ?? FIGURES[figure], bars }
    })
    .filter((g) => g.bars.length > 0)
}

/** Where the whole name is too long for a chart. */
const SHORT: Readonly<Partial<Record<Figure, string>>> = {
  signFull: 'signature, all on the spot',
  signPooled: 'signature from the pool',
  signOnline: 'signature from a presignature',
  dkg: 'key, pairs are set up',
  dkgWithPairSetup: 'key and all pairs',
  refresh: 'refresh',
}

function chartsOf(report: BenchReport): Readonly<Record<string, BarChart>> {
  const { threshold, parties } = report.plan
  const title = (text: string) => `${text}, ${threshold} of ${parties}`
  const cpu = groupsOf(report, ['signFull', 'signPooled', 'signOnline', 'dkg', 'dkgWithPairSetup'], 'cpuMs')
  const bytes = groupsOf(report, ['signFull', 'signPooled', 'signOnline'], 'bytes')
  const growth: BarGroup[] = report.growth.map((row) => ({
    label: `${row.threshold} of ${row.parties}`,
    bars: Object.entries({ full: row.costs.signFull, pooled: row.costs.signPooled }).flatMap(([series, cost]) =>
      cost === undefined ? [] : [{ series, value: cost.cpuMs, text: showMs(cost.cpuMs) }],
    ),
  }))
  const charts: Record<string, BarChart> = {}
  if (cpu.length > 0) charts.cpu = { title: title('Processor time of one party'), axis: 'ms, logarithmic', scale: 'log', groups: cpu }
  if (bytes.length > 0)
    charts.bytes = { title: title('Bytes of one signature'), axis: 'bytes over all parties, logarithmic', scale: 'log', groups: bytes }
  if (growth.length > 0)
    charts.growth = { title: 'One signature by number of signers', axis: 'ms of one party, logarithmic', scale: 'log', groups: growth }
  return charts
}

/** The section of `npm run bench`. */
export function writeBenchmarks(dir: string, report: BenchReport): void {
  const charts = chartsOf(report)
  const versions = report.subjects.map(({ name, version }) => `${name} ${version}`).join(', ')
  const notes = report.subjects.flatMap(({ name, notes }) => notes.map((note) => `- ${name}: ${note}`))
  const alts: Readonly<Record<string, string>> = {
    cpu: 'Processor time of one party',
    bytes: 'Bytes of one signature',
    growth: 'Growth with the number of signers',
  }
  const content = [
    `\`npm run bench -- --peers DIR --write docs\`, ${report.plan.rounds} rounds. ${machineLine(report.machine)}\n${versions}.`,
    markdownTable(RATIO_HEAD, ratioRows(report.ratios)),
    ...Object.keys(charts)
      .filter((name) => name !== 'growth')
      .map((name) => chartLink(name, alts[name] ?? name)),
    markdownTable(FIGURE_HEAD, figureRows({ conclave: report.ours, ...report.peers, ...report.orientation })),
    notes.join('\n'),
    ...(report.growth.length > 0
      ? [
          'How a signature of ours grows with the number of signers:',
          chartLink('growth', alts.growth ?? ''),
          markdownTable(GROWTH_HEAD, growthRows(report.growth)),
        ]
      : []),
  ]
  writeSection(dir, 'libraries', content.join('\n\n'), charts)
}
