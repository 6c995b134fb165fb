/** One line of the demo's table. */
export interface Step {
  readonly title: string
  readonly ms: number
  /** Indices of the nodes that took part; empty when the step has none. */
  readonly who: readonly number[]
  /** Bytes that these nodes put on the wire. */
  readonly bytes: number
  readonly note: string
}

export interface StepOutcome<T> {
  readonly value?: T
  readonly who?: readonly number[]
  readonly bytes?: number
  readonly note?: string
}

const size = (bytes: number): string => (bytes === 0 ? '' : bytes < 10_000 ? `${bytes} B` : `${(bytes / 1000).toFixed(0)} kB`)

/** Runs steps one after the other, says what is done and how long it took, and prints them as a table. */
export class StepTable {
  readonly steps: Step[] = []
  readonly #progress: (line: string) => void

  constructor(progress: (line: string) => void) {
    this.#progress = progress
  }

  async step<T>(title: string, act: () => Promise<StepOutcome<T>>): Promise<T> {
    const startedAt = performance.now()
    this.#progress(`... ${title}`)
    const { value, who = [], bytes = 0, note = '' } = await act()
    const step = { title, ms: Math.round(performance.now() - startedAt), who, bytes, note }
    this.steps.push(step)
    this.#progress(` ok ${title} (${(step.ms / 1000).toFixed(1)} s)${note === '' ? '' : `: ${note}`}`)
    return value as T
  }

  toString(): string {
    const rows = [
      ['step', 'time', 'who', 'bytes on the wire', ''],
      ...this.steps.map((s) => [s.title, `${(s.ms / 1000).toFixed(1)} s`, s.who.join(' '), size(s.bytes), s.note]),
    ]
    const widths = [0, 1, 2, 3].map((c) => Math.max(...rows.map((r) => (r[c] ?? '').length)))
    const line = (r: readonly string[]) =>
      r
        .map((cell, c) => (c === 1 || c === 3 ? cell.padStart(widths[c] ?? 0) : cell.padEnd(widths[c] ?? 0)))
        .join('  ')
        .trimEnd()
    const [head, ...body] = rows.map(line)
    return ['', head, '-'.repeat((head ?? '').length), ...body, ''].join('\n')
  }
}
