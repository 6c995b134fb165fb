import type { Figure } from './figures.ts'
import type { Measured, Results } from './rounds.ts'

/** One line of the table that the project is held to. */
interface Rule {
  readonly ours: Figure
  readonly peer: Figure
  readonly part: 'cpuMs' | 'bytes'
  /** What the ratio has to reach, or to stay below when it is of bytes. */
  readonly goal: number
}

/** Time: peer over ours, of the fastest peer. Bytes: ours over the peer's, of the smallest peer. */
export const RATIOS = {
  fullSignCpu: { ours: 'signFull', peer: 'signFull', part: 'cpuMs', goal: 10 },
  pooledSignCpu: { ours: 'signPooled', peer: 'signFull', part: 'cpuMs', goal: 50 },
  dkgWithPairSetupCpu: { ours: 'dkgWithPairSetup', peer: 'dkgWithPairSetup', part: 'cpuMs', goal: 15 },
  dkgFurtherKeyCpu: { ours: 'dkg', peer: 'dkgWithPairSetup', part: 'cpuMs', goal: 200 },
  bytesFull: { ours: 'signFull', peer: 'signFull', part: 'bytes', goal: 0.85 },
  bytesPooled: { ours: 'signPooled', peer: 'signFull', part: 'bytes', goal: 0.02 },
} as const satisfies Record<string, Rule>

export type RatioName = keyof typeof RATIOS

export interface Ratio {
  /** Null when one of the two was not measured. */
  readonly value: number | null
  /** The peer that it is against. */
  readonly against: string | null
  readonly reached: boolean | null
  /** Against every peer, by name. */
  readonly all: Readonly<Record<string, number>>
}

function ratioOf({ ours, peer, part, goal }: Rule, own: Results[string], peers: Results): Ratio {
  const mine: Measured | undefined = own[ours]
  const ratio = (theirs: Measured) => (part === 'bytes' ? (mine as Measured)[part] / theirs[part] : theirs[part] / (mine as Measured)[part])
  const measured = Object.entries(peers).flatMap(([name, r]) => (r[peer] === undefined ? [] : [{ name, theirs: r[peer] }]))
  const [best] = [...measured].sort((a, b) => a.theirs[part] - b.theirs[part])
  if (mine === undefined || best === undefined) return { value: null, against: null, reached: null, all: {} }
  const value = ratio(best.theirs)
  return {
    value,
    against: best.name,
    reached: part === 'bytes' ? value < goal : value >= goal,
    all: Object.fromEntries(measured.map(({ name, theirs }) => [name, ratio(theirs)])),
  }
}

/** Every ratio against the peer that does best in that figure. */
export function ratiosOf(own: Results[string], peers: Results): Readonly<Record<RatioName, Ratio>> {
  const names = Object.keys(RATIOS) as RatioName[]
  return Object.fromEntries(names.map((name) => [name, ratioOf(RATIOS[name], own, peers)])) as Record<RatioName, Ratio>
}
