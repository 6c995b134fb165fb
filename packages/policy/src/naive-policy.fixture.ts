import type { PolicyRequest } from './conditions.ts'

/** A policy as its author writes it, and as no code of ours has read it. */
export interface WrittenRule {
  readonly name: string
  readonly effect: 'allow' | 'deny'
  readonly when: Written
}

interface WrittenCount {
  readonly required: number
  readonly of: readonly string[]
}

interface WrittenLimit {
  readonly window: '15m' | '24h'
  readonly per?: 'key' | 'rule'
  readonly countMax?: number
  readonly amountMaxWei?: string
  readonly feeMaxSat?: string
  readonly tokenAmountsMax?: Readonly<Record<string, string>>
}

export interface Written {
  readonly keys?: readonly string[] | undefined
  readonly roles?: readonly string[] | undefined
  readonly tags?: readonly string[] | undefined
  readonly requesters?: readonly string[] | undefined
  readonly paths?: readonly string[] | undefined
  readonly payload?: string | undefined
  readonly chains?: readonly number[] | undefined
  readonly destinations?: readonly string[] | undefined
  readonly amountMaxWei?: string | undefined
  readonly feeMaxWei?: string | undefined
  readonly amountMaxSat?: string | undefined
  readonly feeMaxSat?: string | undefined
  readonly tokenAmountsMax?: Readonly<Record<string, string>> | undefined
  readonly data?: 'none' | 'known' | 'any' | undefined
  readonly methods?: readonly string[] | undefined
  readonly primaryTypes?: readonly string[] | undefined
  readonly times?:
    | readonly { readonly zone: string; readonly days?: readonly string[] | undefined; readonly from: string; readonly to: string }[]
    | undefined
  readonly limits?: readonly WrittenLimit[] | undefined
  readonly approvals?: WrittenCount | { readonly all: readonly WrittenCount[] } | { readonly any: readonly WrittenCount[] } | undefined
}

/** Who stands in the policy: keys by id, groups by name. */
export interface World {
  readonly keys: Readonly<Record<string, { readonly role?: string; readonly tags?: readonly string[] }>>
  readonly groups: Readonly<Record<string, readonly string[]>>
}

export interface NaiveSpend {
  readonly keyId: string
  readonly rule: string
  readonly chain: bigint | undefined
  readonly atMs: number
  readonly measures: Readonly<Record<string, bigint>>
}

export type NaiveRequest = PolicyRequest & { readonly spends: readonly NaiveSpend[] }

const has = <T>(list: readonly T[] | undefined, value: T | undefined) => list === undefined || (value !== undefined && list.includes(value))

const patternOf = (pattern: string) => new RegExp(`^${pattern.replaceAll('/**', '(/[0-9]+)+').replaceAll(/\/\*(?!\*)/g, '/[0-9]+')}$`)

function pathsOf({ path, payload }: NaiveRequest): readonly string[] {
  return [...payload.digests.map((d) => d.path ?? path), ...payload.changePaths].map((p) => ['m', ...p].join('/'))
}

const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']
/** Zones that never change their clocks. */
const OFFSET_MINUTES: Readonly<Record<string, number>> = { UTC: 0, 'Asia/Kolkata': 330 }
const minutesOf = (text: string) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3))

function isTime(times: NonNullable<Written['times']>, nowMs: number): boolean {
  return times.some(({ zone, days, from, to }) => {
    const minutes = Math.floor(nowMs / 60_000) + (OFFSET_MINUTES[zone] as number)
    const day = DAYS[(Math.floor(minutes / 1440) + 4) % 7] as string
    return has(days, day) && minutes % 1440 >= minutesOf(from) && minutes % 1440 < minutesOf(to)
  })
}

function isWithinLimit(limit: WrittenLimit, rule: WrittenRule, r: NaiveRequest): boolean {
  const { keyId, payload, nowMs, spends } = r
  if (nowMs === undefined) return false
  const { chains } = rule.when
  const counted = spends.filter(
    (s) =>
      s.atMs > nowMs - (limit.window === '24h' ? 86_400_000 : 900_000) &&
      (limit.per === 'rule' ? s.rule === rule.name : s.keyId === keyId) &&
      (chains === undefined || chains.includes(0) || s.chain === undefined || s.chain === 0n || chains.includes(Number(s.chain))),
  )
  const spent = (measure: string) => counted.reduce((sum, s) => sum + (s.measures[measure] ?? 0n), 0n)
  const moved = (asset: string) => payload.amounts.filter((a) => a.asset === asset).reduce((sum, a) => sum + a.amount, 0n)
  const feeSat = payload.type === 'btc.psbt' ? payload.feeMax : 0n
  const asked: readonly (readonly [string, bigint, bigint | undefined])[] = [
    ['count', 1n, limit.countMax === undefined ? undefined : BigInt(limit.countMax)],
    ['wei', moved('wei'), limit.amountMaxWei === undefined ? undefined : BigInt(limit.amountMaxWei)],
    ['fee-sat', feeSat, limit.feeMaxSat === undefined ? undefined : BigInt(limit.feeMaxSat)],
    ...Object.entries(limit.tokenAmountsMax ?? {}).map(([token, max]) => [token, moved(token), BigInt(max)] as const),
  ]
  return asked.every(([measure, own, max]) => max === undefined || own === 0n || spent(measure) + own <= max)
}

function isApproved(approvals: NonNullable<Written['approvals']>, { groups }: World, by: ReadonlySet<string>): boolean {
  const isMet = ({ required, of }: WrittenCount) => new Set(of.flatMap((n) => groups[n] ?? [n]).filter((n) => by.has(n))).size >= required
  if ('all' in approvals) return approvals.all.every(isMet)
  return 'any' in approvals ? approvals.any.some(isMet) : isMet(approvals)
}

const upTo = (value: bigint | undefined, max: string | undefined) => max === undefined || (value !== undefined && value <= BigInt(max))

/** What is asked of how much, and by which call. */
function isBounded(w: Written, { payload: p }: NaiveRequest): boolean {
  const amountOf = (asset: string) => p.amounts.find((a) => a.asset === asset)?.amount
  const data = w.data ?? (p.type === 'evm.tx' ? 'none' : p.type === 'eip712' ? 'known' : 'any')
  const names = w.methods ?? w.primaryTypes
  const tokens = p.amounts.filter((a) => a.asset.startsWith('0x'))
  return (
    (data === 'any' || p.call === 'none' || (data === 'known' && p.call === 'known')) &&
    (p.call === 'none' || has(names, p.method)) &&
    tokens.every((t) => upTo(t.amount, w.tokenAmountsMax?.[t.asset]) && (data === 'any' || w.tokenAmountsMax?.[t.asset] !== undefined)) &&
    upTo(amountOf('wei'), w.amountMaxWei) &&
    upTo(amountOf('sat'), w.amountMaxSat) &&
    upTo(p.feeMax, w.feeMaxWei) &&
    upTo(p.feeMax, w.feeMaxSat)
  )
}

function allows(rule: WrittenRule, r: NaiveRequest, world: World): boolean {
  const { when: w } = rule
  const { payload: p, keyId } = r
  const label = world.keys[keyId]
  return (
    has(w.keys, keyId) &&
    has(w.roles, label?.role) &&
    (w.tags === undefined || w.tags.some((tag) => label?.tags?.includes(tag))) &&
    has(w.requesters, r.requester) &&
    (w.payload ?? 'evm.tx') === p.type &&
    (p.type !== 'drill' || p.keyId === keyId) &&
    (w.paths === undefined || pathsOf(r).every((path) => w.paths?.some((pattern) => patternOf(pattern).test(path)))) &&
    (w.chains === undefined || (p.chainId !== undefined && w.chains.includes(Number(p.chainId)))) &&
    (w.destinations === undefined || (p.destinations?.every((d) => w.destinations?.includes(d.id)) ?? false)) &&
    isBounded(w, r) &&
    (w.times === undefined || (r.nowMs !== undefined && isTime(w.times, r.nowMs))) &&
    (w.limits ?? []).every((limit) => isWithinLimit(limit, rule, r)) &&
    (w.approvals === undefined || isApproved(w.approvals, world, r.approvedBy ?? new Set()))
  )
}

function denies({ when: w }: WrittenRule, r: NaiveRequest, world: World): boolean {
  const { payload: p, keyId } = r
  const label = world.keys[keyId]
  return (
    has(w.keys, keyId) &&
    has(w.roles, label?.role) &&
    (w.tags === undefined || w.tags.some((tag) => label?.tags?.includes(tag))) &&
    (r.requester === undefined || has(w.requesters, r.requester)) &&
    has(w.payload === undefined ? undefined : [w.payload], p.type) &&
    (w.paths === undefined || pathsOf(r).some((path) => w.paths?.some((pattern) => patternOf(pattern).test(path)))) &&
    (w.chains === undefined || (p.chainId === undefined ? p.type === 'raw' : p.chainId === 0n || w.chains.includes(Number(p.chainId)))) &&
    (w.destinations === undefined || p.destinations === undefined || p.destinations.some((d) => w.destinations?.includes(d.id))) &&
    (w.times === undefined || r.nowMs === undefined || isTime(w.times, r.nowMs))
  )
}

/** The rules that decide, by name: all that deny, else all that allow. */
export function naiveVerdict(rules: readonly WrittenRule[], r: NaiveRequest, world: World): { allowed: boolean; rules: readonly string[] } {
  const denying = rules.filter((rule) => rule.effect === 'deny' && denies(rule, r, world))
  const allowing = rules.filter((rule) => rule.effect === 'allow' && allows(rule, r, world))
  const deciding = denying.length > 0 ? denying : allowing
  return { allowed: denying.length === 0 && allowing.length > 0, rules: deciding.map((rule) => rule.name) }
}
