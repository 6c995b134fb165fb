import type { Policy, Spend, SpendQuery } from '@conclave/policy'
import { SpendSeries } from './spend-series.ts'

const PERS = ['key', 'rule'] as const

const named = (per: SpendQuery['per'], name: string, measure: string): string => `${per} ${name} ${measure}`
const nameOf = (per: SpendQuery['per'], spend: Spend): string => (per === 'key' ? spend.keyId : spend.rule)

/** Sums of what was spent, of everything that the limits of a policy ask for. */
export class SpendIndex {
  /** By whose it is and what is measured, then by chain. */
  readonly #series = new Map<string, Map<bigint | undefined, SpendSeries>>()
  readonly #watched: ReadonlySet<string>

  constructor({ rules }: Pick<Policy, 'rules'>) {
    const limits = rules.flatMap((rule) => (rule.effect === 'allow' ? (rule.when.limits ?? []) : []))
    this.#watched = new Set(limits.flatMap(({ per, maxima }) => [...maxima.keys()].map((measure) => `${per} ${measure}`)))
  }

  add(spends: readonly Spend[], atMs: number): void {
    this.#each(spends, (series, amount) => series.add(atMs, amount))
  }

  /** Takes back what was added for `atMs`. */
  remove(spends: readonly Spend[], atMs: number): void {
    this.#each(spends, (series, amount) => series.remove(atMs, amount))
  }

  /** Nobody will ask again for what is not later than `ms`. */
  forget(ms: number): void {
    for (const chains of this.#series.values()) for (const series of chains.values()) series.forget(ms)
  }

  total({ per, name, measure, afterMs, isOn }: SpendQuery): bigint {
    let sum = 0n
    for (const [chainId, series] of this.#series.get(named(per, name, measure)) ?? []) if (isOn(chainId)) sum += series.sumAfter(afterMs)
    return sum
  }

  #each(spends: readonly Spend[], act: (series: SpendSeries, amount: bigint) => void): void {
    for (const spend of spends)
      for (const per of PERS)
        for (const [measure, amount] of spend.measures)
          if (this.#watched.has(`${per} ${measure}`)) act(this.#seriesOf(named(per, nameOf(per, spend), measure), spend.chainId), amount)
  }

  #seriesOf(name: string, chainId: bigint | undefined): SpendSeries {
    const chains = this.#series.get(name) ?? new Map<bigint | undefined, SpendSeries>()
    this.#series.set(name, chains)
    const series = chains.get(chainId) ?? new SpendSeries()
    chains.set(chainId, series)
    return series
  }
}
