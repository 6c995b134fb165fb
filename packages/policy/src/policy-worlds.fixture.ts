import { tagged, toHex } from '@conclave/core'
import { ed25519 } from '@noble/curves/ed25519.js'
import fc from 'fast-check'
import type { DecodedPayload, PayloadType } from './decoded-payload.ts'
import { parseEvmAddress } from './evm-address.ts'
import type { SpendQuery } from './limits.ts'
import type { NaiveRequest, NaiveSpend, World, Written, WrittenRule } from './naive-policy.fixture.ts'

// Small worlds, so that rules and requests meet often.
const KEYS = ['k1', 'k2', 'k3']
const REQUESTERS = ['exchange', 'payroll']
const PEOPLE = ['ann', 'bob', 'cid']
const PATTERNS = ['m', 'm/0', 'm/0/*', 'm/0/**', 'm/*', 'm/1/7']
const PATHS = [[], [0], [0, 3], [0, 3, 4], [1, 7]]
const CHAINS = [0, 1, 10]
const METHODS = ['transfer(address,uint256)', 'burn()']
const TYPES = ['Permit', 'Login']
const evm = (n: number) => parseEvmAddress(`0x${n.toString(16).repeat(40)}`)
const PLACES = [evm(1), evm(2), 'no-contract', 'script:51', 'script:52']
const TOKENS = [evm(7), evm(8)]
const NOW = Date.parse('2026-11-21T12:00:00Z')
const HOUR = 3_600_000

export const WORLD: World = {
  keys: { k1: { role: 'treasury', tags: ['eu', 'cold'] }, k2: { role: 'deposit' } },
  groups: { money: ['ann', 'bob'], risk: ['bob', 'cid'] },
}

const key = (seed: string) => `ed25519:${toHex(ed25519.getPublicKey(tagged(seed)))}`

/** A policy file, as JSON, which is YAML. */
export function written(rules: readonly WrittenRule[]): string {
  const groupsOf = (id: string) => Object.keys(WORLD.groups).filter((group) => WORLD.groups[group]?.includes(id))
  return JSON.stringify({
    ...{ version: 1, sequence: 1, rules },
    keys: Object.entries(WORLD.keys).map(([id, label]) => ({ id, ...label })),
    requesters: REQUESTERS.map((name) => ({ name, key: key(name) })),
    approvers: PEOPLE.map((id) => ({ id, groups: groupsOf(id), keys: [key(id)] })),
  })
}

const some = <T>(from: readonly T[]) => fc.subarray([...from], { minLength: 1 })
/** Mostly not stated, or nothing would ever be allowed. */
const rarely = <T>(value: fc.Arbitrary<T>) => fc.oneof({ arbitrary: fc.constant(undefined), weight: 4 }, { arbitrary: value, weight: 1 })
const amount = fc.bigInt({ min: 0n, max: 6n })
const units = fc.bigInt({ min: 2n, max: 6n }).map(String)
const tokens = fc.dictionary(fc.constantFrom(...TOKENS), units, { minKeys: 1, maxKeys: 2, noNullPrototype: true })

const time = fc.record({
  zone: fc.constantFrom('UTC', 'Asia/Kolkata'),
  days: rarely(some(['fri', 'sat', 'sun'])),
  from: fc.constantFrom('00:00', '09:30', '12:00', '17:30'),
  to: fc.constantFrom('18:00', '24:00'),
})
const count = fc.record({ required: fc.constant(1), of: some(['money', 'risk', 'cid']) })
const approvals = fc.oneof(
  count,
  fc.constant({ required: 2, of: ['money'] }),
  fc.record({ all: fc.array(count, { minLength: 1, maxLength: 2 }) }),
  fc.record({ any: fc.array(count, { minLength: 1, maxLength: 2 }) }),
)
const limit = (measure: 'amountMaxWei' | 'feeMaxSat' | 'tokenAmountsMax' | undefined) =>
  fc.record({
    window: fc.constantFrom('15m' as const, '24h' as const),
    per: fc.constantFrom('key' as const, 'rule' as const),
    countMax: fc.integer({ min: 1, max: 4 }),
    ...(measure === undefined ? {} : { [measure]: measure === 'tokenAmountsMax' ? tokens : units }),
  })

const anybody = {
  ...{ keys: rarely(some(KEYS)), roles: rarely(some(['treasury', 'deposit'])), tags: rarely(some(['eu', 'cold'])) },
  ...{ requesters: rarely(some(REQUESTERS)), paths: rarely(some(PATTERNS)), times: rarely(fc.array(time, { minLength: 1, maxLength: 2 })) },
}
const mostPlaces = fc.oneof(fc.constant(PLACES), some(PLACES))
const stated = (measure: Parameters<typeof limit>[0]) => ({
  ...anybody,
  limits: rarely(fc.array(limit(measure), { minLength: 1, maxLength: 2 })),
  approvals: rarely(approvals),
})

const ALLOW: Readonly<Record<PayloadType, fc.Arbitrary<Written>>> = {
  'evm.tx': fc.record({
    ...stated('amountMaxWei'),
    ...{ payload: fc.constantFrom('evm.tx', undefined), chains: some(CHAINS), destinations: mostPlaces, amountMaxWei: units },
    ...{ feeMaxWei: rarely(units), data: fc.constantFrom('none', 'known', 'any', undefined), methods: rarely(some(METHODS)) },
    tokenAmountsMax: rarely(tokens),
  }),
  eip712: fc.record({
    ...stated('tokenAmountsMax'),
    ...{ payload: fc.constant('eip712'), chains: some(CHAINS), destinations: mostPlaces, primaryTypes: some(TYPES) },
    tokenAmountsMax: rarely(tokens),
  }),
  'btc.psbt': fc.record({
    ...stated('feeMaxSat'),
    ...{ payload: fc.constant('btc.psbt'), destinations: mostPlaces, amountMaxSat: units, feeMaxSat: units },
  }),
  raw: fc.record({ ...stated(undefined), payload: fc.constant('raw') }),
  drill: fc.record({ ...stated(undefined), payload: fc.constant('drill') }),
}
const types = fc.constantFrom<PayloadType>('evm.tx', 'evm.tx', 'eip712', 'btc.psbt', 'raw', 'drill')
const deny = fc.record({
  ...anybody,
  ...{ payload: rarely(types), chains: rarely(some(CHAINS)), destinations: rarely(some(PLACES)) },
})

const plain = (when: Written): Written => JSON.parse(JSON.stringify(when)) as Written
export const allowRules = types.chain((type) => ALLOW[type]).map((when): WrittenRule => ({ name: 'a', effect: 'allow', when: plain(when) }))
export const denyRules = deny.map((when): WrittenRule => ({ name: 'd', effect: 'deny', when: plain(when) }))
export const rules = fc
  .array(fc.oneof({ arbitrary: allowRules, weight: 5 }, { arbitrary: denyRules, weight: 1 }), { maxLength: 6 })
  .map((list) => list.map((rule, i): WrittenRule => ({ ...rule, name: `${rule.name}${i}` })))

const path = fc.constantFrom(...PATHS)
const chainId = fc.constantFrom(0n, 1n, 10n, 99n)
const amountsOf = (native: readonly string[]) =>
  fc
    .record({ native: amount, token: fc.option(fc.constantFrom(...TOKENS)), moved: amount })
    .map(({ native: value, token, moved }) => [
      ...native.map((asset) => ({ asset, amount: value })),
      ...(token === null ? [] : [{ asset: token, amount: moved }]),
    ])
const destinations = fc.subarray(PLACES, { minLength: 1, maxLength: 2 }).map((ids) => ids.map((id) => ({ id, text: id })))
const digest = { digest: new Uint8Array(32), path: undefined }
const facts = {
  ...{ digests: fc.constant([digest]), summary: fc.constant([]), changePaths: fc.constant([]), feeMax: amount },
  ...{ call: fc.constantFrom('none', 'known', 'blind'), method: fc.constantFrom(...METHODS, undefined) },
}
const nothing = { chainId: fc.constant(undefined), call: fc.constant('none'), method: fc.constant(undefined), amounts: fc.constant([]) }

/** What decoders tell of payloads, and what none would. */
const PAYLOADS: Readonly<Record<PayloadType, fc.Arbitrary<unknown>>> = {
  'evm.tx': fc.record({ ...facts, type: fc.constant('evm.tx'), chainId, destinations, amounts: amountsOf(['wei']) }),
  eip712: fc.record({
    ...{ ...facts, type: fc.constant('eip712'), chainId: fc.option(chainId, { nil: undefined }), destinations, amounts: amountsOf([]) },
    ...{ call: fc.constantFrom('known', 'blind'), method: fc.constantFrom(...TYPES, 'Order') },
  }),
  'btc.psbt': fc.record({
    ...{
      ...facts,
      ...nothing,
      type: fc.constant('btc.psbt'),
      destinations: fc.oneof(destinations, fc.constant([])),
      amounts: amountsOf(['sat']),
    },
    digests: fc.array(path, { minLength: 1, maxLength: 2 }).map((paths) => paths.map((p) => ({ ...digest, path: p }))),
    changePaths: fc.array(path, { maxLength: 1 }),
  }),
  raw: fc.record({ ...facts, ...nothing, type: fc.constant('raw'), destinations: fc.constant(undefined) }),
  drill: fc.record({ ...facts, ...nothing, type: fc.constant('drill'), destinations: fc.constant([]), keyId: fc.constantFrom(...KEYS) }),
}

const spends: fc.Arbitrary<readonly NaiveSpend[]> = fc.array(
  fc.record({
    ...{ keyId: fc.constantFrom(...KEYS), rule: fc.constantFrom('a0', 'a1', 'a2'), chain: fc.option(chainId, { nil: undefined }) },
    atMs: fc.constantFrom(NOW - 25 * HOUR, NOW - HOUR, NOW - HOUR / 10),
    measures: amount.map((moved) => ({ count: 1n, wei: moved, 'fee-sat': moved, [TOKENS[0] as string]: moved })),
  }),
  { maxLength: 3 },
)

/** Adds up one by one. */
const historyOf = (list: readonly NaiveSpend[]) => ({
  total: ({ per, name, measure, afterMs, isOn }: SpendQuery) =>
    list
      .filter((s) => s.atMs > afterMs && isOn(s.chain) && (per === 'key' ? s.keyId : s.rule) === name)
      .reduce((sum, s) => sum + (s.measures[measure] ?? 0n), 0n),
})

export const requests: fc.Arbitrary<NaiveRequest> = fc
  .record({
    ...{ keyId: fc.constantFrom(...KEYS), path, spends, payload: types.chain((type) => PAYLOADS[type]) },
    nowMs: fc.option(fc.constantFrom(NOW, NOW + 6 * HOUR, NOW - 30 * HOUR), { nil: undefined, freq: 5 }),
    requester: fc.option(fc.constantFrom(...REQUESTERS, 'mallory'), { nil: undefined }),
    approvedBy: fc.subarray(PEOPLE).map((ids) => new Set(ids)),
  })
  .map((r) => ({ ...r, payload: r.payload as DecodedPayload, history: historyOf(r.spends) }))
