import { type Costs, FIGURES, type Figure } from './figures.ts'
import { type Cost, collectGarbage } from './meter.ts'
import { Committee } from './ours.ts'
import { median } from './statistics.ts'

const PARTIES_MAX = 9
/** Signatures from the pool that one sample is the mean of. */
const POOLED = 10
const THRESHOLDS = [2, 3, 4, 5, 6, 7] as const

/** What one signature costs with `threshold` signers, medians. */
export interface GrowthRow {
  readonly threshold: number
  readonly parties: number
  readonly costs: Costs
}

/** How the cost of our signatures grows with the number of signers. */
export function measureGrowth(rounds: number, progress: (line: string) => void): readonly GrowthRow[] {
  return THRESHOLDS.map((threshold) => {
    const parties = Math.min(threshold + 2, PARTIES_MAX)
    progress(`${threshold} of ${parties}`)
    const committee = new Committee(threshold, parties)
    const runs: Partial<Record<Figure, () => Cost>> = {
      signFull: () => committee.signFull(),
      signPooled: () => committee.signPooled(POOLED),
    }
    const figures = (Object.keys(FIGURES) as Figure[]).filter((f) => runs[f] !== undefined)
    const costs = figures.map((figure) => {
      const run = runs[figure] as () => Cost
      run()
      const samples = Array.from({ length: rounds }, () => {
        collectGarbage()
        return run()
      })
      const of = (part: keyof Cost) => median(samples.map((s) => s[part]))
      return [figure, { cpuMs: of('cpuMs'), wallMs: of('wallMs'), bytes: of('bytes') }] as const
    })
    return { threshold, parties, costs: Object.fromEntries(costs) }
  })
}
