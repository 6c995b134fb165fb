/** Bar charts as SVG: no library, no script, one file each. */

export interface Bar {
  /** Which series it belongs to. */
  readonly series: string
  readonly value: number
  /** What is written beside it. */
  readonly text: string
}

export interface BarGroup {
  readonly label: string
  readonly bars: readonly Bar[]
}

export interface BarChart {
  readonly title: string
  /** What the length of a bar means, with its unit. */
  readonly axis: string
  /** On a logarithmic axis lengths cannot be compared by eye, only places: the axis says which it is. */
  readonly scale: 'linear' | 'log'
  readonly groups: readonly BarGroup[]
}

const WIDTH = 860
const LEFT = 250
const RIGHT = 110
const TOP = 78
const BAR = 18
const GAP = 14
const FOOT = 40
const PLOT = WIDTH - LEFT - RIGHT
/** Told apart by people who do not see all colours (Okabe and Ito). */
const COLOURS = ['#0072b2', '#e69f00', '#009e73', '#cc79a7', '#56b4e9', '#d55e00'] as const

/** Text that means nothing to a parser. */
export function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}

interface Scale {
  readonly ticks: readonly number[]
  at(value: number): number
}

/** Whole powers of ten around the values, or round steps from 0. @throws {RangeError} when a value cannot be shown. */
export function scaleOf(kind: BarChart['scale'], values: readonly number[]): Scale {
  if (values.length === 0 || values.some((v) => !Number.isFinite(v) || v < 0 || (kind === 'log' && v === 0)))
    throw new RangeError('a chart needs numbers that are not negative, and above 0 on a logarithmic axis')
  const [low, high] = [Math.min(...values), Math.max(...values)]
  if (kind === 'log') {
    const [from, to] = [Math.floor(Math.log10(low)), Math.max(Math.ceil(Math.log10(high)), Math.floor(Math.log10(low)) + 1)]
    const ticks = Array.from({ length: to - from + 1 }, (_, i) => 10 ** (from + i))
    // The lowest value still is a bar that can be seen.
    return { ticks, at: (v) => Math.max(2, ((Math.log10(v) - from) / (to - from)) * PLOT) }
  }
  const rough = high === 0 ? 1 : high / 4
  const unit = 10 ** Math.floor(Math.log10(rough))
  const step = ([1, 2, 5, 10].find((m) => m * unit >= rough) ?? 10) * unit
  const ticks = Array.from({ length: Math.ceil(high / step) + 1 }, (_, i) => i * step)
  return { ticks, at: (v) => (v / (step * Math.max(1, ticks.length - 1))) * PLOT }
}

const tickText = (value: number): string =>
  value >= 1e6 || (value > 0 && value < 1e-3) ? value.toExponential(0) : String(Number(value.toPrecision(6)))

const text = (x: number, y: number, content: string, attributes = ''): string =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}"${attributes}>${escapeXml(content)}</text>`

function legend(series: readonly string[]): string {
  let x = LEFT
  return series
    .map((name, i) => {
      const part = `<rect x="${x}" y="44" width="12" height="12" fill="${COLOURS[i % COLOURS.length]}"/>${text(x + 17, 54, name)}`
      x += 40 + name.length * 7
      return part
    })
    .join('')
}

/** One file. The same input gives the same bytes. */
export function barChart({ title, axis, scale: kind, groups }: BarChart): string {
  const series = [...new Set(groups.flatMap((g) => g.bars.map((b) => b.series)))]
  const scale = scaleOf(
    kind,
    groups.flatMap((g) => g.bars.map((b) => b.value)),
  )
  const parts: string[] = []
  let y = TOP
  for (const { label, bars } of groups) {
    parts.push(text(LEFT - 10, y + (bars.length * BAR) / 2 + 4, label, ' text-anchor="end"'))
    for (const { series: name, value, text: shown } of bars) {
      const [length, colour] = [scale.at(value), COLOURS[series.indexOf(name) % COLOURS.length]]
      parts.push(`<rect x="${LEFT}" y="${y + 1}" width="${length.toFixed(1)}" height="${BAR - 3}" fill="${colour}"/>`)
      parts.push(text(LEFT + length + 6, y + BAR - 5, shown))
      y += BAR
    }
    y += GAP
  }
  const ticks = scale.ticks.map((tick) => {
    const x =
      LEFT +
      (kind === 'log' ? ((Math.log10(tick) - Math.log10(scale.ticks[0] as number)) / (scale.ticks.length - 1)) * PLOT : scale.at(tick))
    return `<line x1="${x.toFixed(1)}" y1="${TOP - 6}" x2="${x.toFixed(1)}" y2="${y - GAP + 6}" stroke="#dddddd"/>${text(x, y + 8, tickText(tick), ' text-anchor="middle" fill="#555555"')}`
  })
  const height = y + FOOT
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" font-family="sans-serif" font-size="12" fill="#222222">`,
    `<title>${escapeXml(title)}</title>`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    text(20, 28, title, ' font-size="16" font-weight="bold"'),
    series.length > 1 ? legend(series) : '',
    ...ticks,
    ...parts,
    text(LEFT + PLOT / 2, height - 10, axis, ' text-anchor="middle" fill="#555555"'),
    '</svg>\n',
  ].join('\n')
}
