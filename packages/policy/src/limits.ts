import { assert } from '@conclave/core'
import type { Breach } from './conditions.ts'
import type { DecodedPayload } from './decoded-payload.ts'

/** The name of how many payloads: everything else that is measured is an asset, or a fee in one. */
export const COUNT = 'count'

/** How much may be spent of what, while a window slides. */
export interface Limit {
  readonly windowMs: number
  /** Whose spending counts: all of the key and its children, or all that the rule allowed. */
  readonly per: 'key' | 'rule'
  /** In base units: `wei`, `sat`, a token by its EIP-55 address, `fee-wei`, `fee-sat`, or {@link COUNT}. At least one. */
  readonly maxima: ReadonlyMap<string, bigint>
}

/** What one allowed payload spends at most. */
export interface Spend {
  readonly keyId: string
  /** The rule that allowed it. */
  readonly rule: string
  readonly chainId: bigint | undefined
  /** By the names of {@link Limit.maxima}; none is negative. */
  readonly measures: ReadonlyMap<string, bigint>
}

export interface SpendQuery {
  readonly per: Limit['per']
  /** Of the key or the rule. */
  readonly name: string
  readonly measure: string
  /** What was spent later than this counts, also what seems to be spent in the future. */
  readonly afterMs: number
  /** Whether spending on this chain counts. */
  isOn(chainId: bigint | undefined): boolean
}

/** What was spent before: exact sums. */
export interface SpendHistory {
  total(query: SpendQuery): bigint
}

/** The same text for the same limit. */
export function limitText({ windowMs, per, maxima }: Limit): string {
  const stated = [...maxima].map(([measure, max]) => `${measure}=${max}`).sort()
  return [windowMs, per, ...stated].join(' ')
}

function measuresOf({ type, amounts, feeMax }: DecodedPayload): ReadonlyMap<string, bigint> {
  const measures = new Map([[COUNT, 1n]])
  const add = (measure: string, amount: bigint) => {
    assert(typeof amount === 'bigint' && amount >= 0n, 'an amount is a bigint and not negative')
    if (amount > 0n) measures.set(measure, (measures.get(measure) ?? 0n) + amount)
  }
  for (const { asset, amount } of amounts) add(asset, amount)
  add(type === 'btc.psbt' ? 'fee-sat' : 'fee-wei', feeMax)
  return measures
}

/** What a payload spends when `rule` allows it for a key. */
export function spendOf(keyId: string, rule: string, payload: DecodedPayload): Spend {
  return { keyId, rule, chainId: payload.chainId, measures: measuresOf(payload) }
}

/** `history` as it will be when `spends` have been added at its end. */
export function plusSpends(history: SpendHistory, spends: readonly Spend[]): SpendHistory {
  if (spends.length === 0) return history
  return {
    total: (query) => {
      const { per, name, measure } = query
      const mine = spends.filter((s) => (per === 'key' ? s.keyId : s.rule) === name && query.isOn(s.chainId))
      return mine.reduce((sum, s) => sum + (s.measures.get(measure) ?? 0n), history.total(query))
    },
  }
}

/** What is valid on every chain counts on each. */
function chainFilter(chains: readonly bigint[] | undefined): SpendQuery['isOn'] {
  if (chains === undefined || chains.includes(0n)) return () => true
  return (chainId) => chainId === undefined || chainId === 0n || chains.includes(chainId)
}

const UNITS: readonly (readonly [ms: number, unit: string])[] = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'm'],
]

function windowText(windowMs: number): string {
  const [ms, unit] = UNITS.find(([unitMs]) => windowMs % unitMs === 0) ?? [1, 'ms']
  return `${windowMs / ms}${unit}`
}

/** Whose payload a limit is asked about, and when. */
export interface LimitQuestion {
  readonly rule: string
  readonly chains: readonly bigint[] | undefined
  readonly keyId: string
  readonly payload: DecodedPayload
  readonly nowMs: number
  readonly history: SpendHistory
}

/** How a payload would break a limit. What it moves nothing of, it does not break. */
export function limitBreach(limit: Limit, q: LimitQuestion): Breach | undefined {
  assert(Number.isSafeInteger(q.nowMs), 'a time is a whole number of milliseconds')
  const { per, windowMs } = limit
  const measures = measuresOf(q.payload)
  const query = { per, name: per === 'key' ? q.keyId : q.rule, afterMs: q.nowMs - windowMs, isOn: chainFilter(q.chains) }
  for (const [measure, max] of limit.maxima) {
    const own = measures.get(measure) ?? 0n
    if (own === 0n) continue
    const before = q.history.total({ ...query, measure })
    assert(typeof before === 'bigint' && before >= 0n, 'a sum is a bigint and not negative')
    const excess = before + own - max
    if (excess <= 0n) continue
    const span = `${windowText(windowMs)} for this ${per}`
    if (measure === COUNT) return { code: 'COUNT_LIMIT', reason: `it allows ${max} in ${span}, and there were ${before}`, excess }
    const reason = `it allows ${max} ${measure} in ${span}: ${before} were spent and ${own} would be added`
    return { code: 'SPENDING_LIMIT', reason, excess }
  }
  return undefined
}
