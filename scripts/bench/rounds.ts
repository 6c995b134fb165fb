import type { Costs, Figure, Operation, Subject } from './figures.ts'
import { type Cost, collectGarbage, scaleCost, sumCosts } from './meter.ts'
import { median } from './statistics.ts'

/** Median of every part on its own, and how many samples it is of. */
export interface Measured extends Cost {
  /** Of the processor time of one party. */
  readonly cpuMsMin: number
  readonly cpuMsMax: number
  readonly samples: number
}

export type Results = Readonly<Record<string, Readonly<Partial<Record<Figure, Measured>>>>>

export interface RoundPlan {
  readonly rounds: number
  /** Rounds that are thrown away. */
  readonly warmUp: number
  /** How long each operation that is not slow runs in such a round, at the least: compilers need time, not rounds. */
  readonly warmUpMs: number
  /** Asked before each figure is measured. */
  readonly wanted: (figure: Figure) => boolean
  readonly progress: (line: string) => void
}

/** Figures that take seconds at a peer are run this many times less often. */
const SLOW: ReadonlySet<Figure> = new Set(['dkgWithPairSetup', 'refresh'])
const SLOW_DIVISOR = 5
const SLOW_ROUNDS_MIN = 3

interface Lane {
  readonly subject: string
  readonly operation: Operation
  readonly samples: Costs[]
}

const isSlow = (operation: Operation) => operation.figures.some((f) => SLOW.has(f))

/** Which operations are run in one round: one of each subject after the other, so that what loads the machine loads all of them. */
export function lanesOf(subjects: readonly Subject[], wanted: RoundPlan['wanted']): readonly (readonly Lane[])[] {
  const groups = new Map<string, Lane[]>()
  for (const { name, operations } of subjects) {
    for (const operation of operations.filter((o) => o.figures.some(wanted))) {
      const group = isSlow(operation) ? 'slow' : 'fast'
      groups.set(group, [...(groups.get(group) ?? []), { subject: name, operation, samples: [] }])
    }
  }
  return [...groups.values()]
}

/** One sample: as many runs as the operation needs to be long enough. */
function sample({ batch, run }: Operation): Costs {
  collectGarbage()
  const runs = Array.from({ length: batch }, run)
  const figures = Object.keys(runs[0] ?? {}) as Figure[]
  return Object.fromEntries(figures.map((f) => [f, scaleCost(sumCosts(runs.map((r) => r[f] as Cost)), 1 / batch)]))
}

function summary(samples: readonly Cost[]): Measured {
  const cpu = samples.map((s) => s.cpuMs)
  return {
    cpuMs: median(cpu),
    cpuMsMin: Math.min(...cpu),
    cpuMsMax: Math.max(...cpu),
    wallMs: median(samples.map((s) => s.wallMs)),
    bytes: Math.round(median(samples.map((s) => s.bytes))),
    samples: samples.length,
  }
}

/** Runs all subjects in turn, round by round, after rounds that are thrown away. */
export function measure(subjects: readonly Subject[], { rounds, warmUp, warmUpMs, wanted, progress }: RoundPlan): Results {
  const groups = lanesOf(subjects, wanted)
  for (const lanes of groups) {
    const slow = lanes.some((l) => isSlow(l.operation))
    const count = slow ? Math.max(SLOW_ROUNDS_MIN, Math.ceil(rounds / SLOW_DIVISOR)) : rounds
    const thrownAway = slow ? Math.min(1, warmUp) : warmUp
    for (let i = -thrownAway; i < count; i++) {
      progress(`${slow ? 'key generations' : 'signatures'}: ${i < 0 ? 'warm-up' : `round ${i + 1} of ${count}`}`)
      for (const lane of lanes) {
        const from = performance.now()
        const costs = sample(lane.operation)
        if (i >= 0) lane.samples.push(costs)
        else if (!slow) while (performance.now() - from < warmUpMs) sample(lane.operation)
      }
    }
  }
  const lanes = groups.flat()
  return Object.fromEntries(
    subjects.map(({ name }) => {
      const own = lanes.filter((l) => l.subject === name)
      const figures = [...new Set(own.flatMap((l) => l.operation.figures))]
      const of = (figure: Figure) => own.flatMap((l) => l.samples.flatMap((s) => s[figure] ?? []))
      return [name, Object.fromEntries(figures.map((f) => [f, summary(of(f))]))]
    }),
  )
}
