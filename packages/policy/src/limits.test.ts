import { toHex } from '@conclave/core'
import { expect } from 'chai'
import fc from 'fast-check'
import type { PolicyRequest } from './conditions.ts'
import { decodePayload } from './decoded-payload.ts'
import { evaluate } from './evaluate.ts'
import { plusSpends, type Spend, type SpendHistory, type SpendQuery, spendOf } from './limits.ts'
import { SUPPLIER, type UnsignedFields, unsigned } from './naive-rlp.fixture.ts'
import { type Policy, policyHash } from './policy.ts'
import { parsePolicy } from './policy-file.ts'

const HOUR = 3_600_000
const NOW = Date.parse('2026-11-21T12:00:00Z')
const BIG = (1n << 256n) - 1n

/** Everything that was spent, added up one by one. */
function naiveHistory(past: readonly (Spend & { readonly atMs: number })[]): SpendHistory {
  return {
    total: ({ per, name, measure, afterMs, isOn }: SpendQuery) =>
      past
        .filter((s) => s.atMs > afterMs && isOn(s.chainId) && (per === 'key' ? s.keyId === name : s.rule === name))
        .reduce((sum, s) => sum + (s.measures.get(measure) ?? 0n), 0n),
  }
}

const policyWith = (limits: string, more = '', chains = '31337') =>
  parsePolicy(`version: 1
sequence: 1
rules:
  - name: pay
    effect: allow
    when:
      chains: [${chains}]
      destinations: ['${SUPPLIER}']
      amountMaxWei: '${BIG}'
      limits: [${limits}]
${more}`)

function ask(fields: Partial<UnsignedFields>, past: Parameters<typeof naiveHistory>[0] = [], keyId = 'k1'): PolicyRequest {
  return { keyId, path: [], payload: decodePayload('evm.tx', unsigned(fields)), nowMs: NOW, history: naiveHistory(past) }
}
const past = (wei: bigint, agoMs: number, change: Partial<Spend> = {}) => ({
  ...{
    keyId: 'k1',
    rule: 'pay',
    chainId: 31337n,
    measures: new Map([
      ['wei', wei],
      ['count', 1n],
    ]),
    atMs: NOW - agoMs,
  },
  ...change,
})
const codeOf = (policy: Policy, request: PolicyRequest) => evaluate(policy, request).code

describe('limits', () => {
  const day = policyWith(`{window: 24h, amountMaxWei: '10'}`)

  it('limits: what was spent in the window and what is asked for may reach the maximum and no more', () => {
    expect(codeOf(day, ask({ value: 10n }))).equal('ALLOWED')
    expect(codeOf(day, ask({ value: 11n }))).equal('SPENDING_LIMIT')
    expect(codeOf(day, ask({ value: 4n }, [past(6n, HOUR)]))).equal('ALLOWED')
    const { code, reason, rule } = evaluate(day, ask({ value: 5n }, [past(6n, HOUR)]))
    expect([code, rule]).deep.equal(['SPENDING_LIMIT', 'pay'])
    expect(reason).equal('closest rule "pay": it allows 10 wei in 1d for this key: 6 were spent and 5 would be added')
  })

  it('limits: the window slides: what is exactly as old as it is counts no more, and what seems to come from the future does', () => {
    const asked = (agoMs: number) => codeOf(day, ask({ value: 10n }, [past(1n, agoMs)]))
    expect(asked(24 * HOUR - 1)).equal('SPENDING_LIMIT')
    expect(asked(24 * HOUR)).equal('ALLOWED')
    expect(asked(-HOUR)).equal('SPENDING_LIMIT')
  })

  it('limits: sums are exact where floating point and 64 bits would not see the difference', () => {
    for (const edge of [1n << 53n, 1n << 63n, 1n << 64n, BIG]) {
      const policy = policyWith(`{window: 1d, amountMaxWei: '${edge}'}`)
      expect(codeOf(policy, ask({ value: 1n }, [past(edge - 1n, 1)])), `${edge}`).equal('ALLOWED')
      expect(codeOf(policy, ask({ value: 1n }, [past(edge, 1)])), `${edge}`).equal('SPENDING_LIMIT')
      expect(codeOf(policy, ask({ value: 2n }, [past(edge - 1n, 1)])), `${edge}`).equal('SPENDING_LIMIT')
    }
    // The sum itself may be longer than any amount.
    expect(codeOf(policyWith(`{window: 1d, amountMaxWei: '${BIG}'}`), ask({ value: BIG }, [past(BIG, 1)]))).equal('SPENDING_LIMIT')
  })

  it('limits: a count counts payloads, whatever they move', () => {
    const policy = policyWith('{window: 1h, countMax: 2}')
    expect(codeOf(policy, ask({ value: 0n }, [past(5n, 1)]))).equal('ALLOWED')
    expect(codeOf(policy, ask({ value: 0n }, [past(0n, 1), past(0n, 2)]))).equal('COUNT_LIMIT')
    expect(codeOf(policy, ask({ value: 0n }, [past(0n, 1), past(0n, HOUR)]))).equal('ALLOWED')
  })

  it('limits: fees have a limit of their own', () => {
    const policy = policyWith(`{window: 1h, feeMaxWei: '30'}`)
    const gas = { gasLimit: 10n, maxFeePerGas: 2n, maxPriorityFeePerGas: 0n }
    const fee = (wei: bigint) => past(99n, 1, { measures: new Map([['fee-wei', wei]]) })
    expect(codeOf(policy, ask(gas, [fee(10n)]))).equal('ALLOWED')
    expect(codeOf(policy, ask(gas, [fee(11n)]))).equal('SPENDING_LIMIT')
  })

  it('limits: of a key counts what any rule let out of it, of a rule what it let out of any key', () => {
    const spent = [past(6n, 1, { rule: 'other' }), past(5n, 1, { keyId: 'k2' })]
    expect(codeOf(policyWith(`{window: 1d, amountMaxWei: '10'}`), ask({ value: 5n }, spent))).equal('SPENDING_LIMIT')
    expect(codeOf(policyWith(`{window: 1d, amountMaxWei: '11'}`), ask({ value: 5n }, spent))).equal('ALLOWED')
    expect(codeOf(policyWith(`{window: 1d, per: rule, amountMaxWei: '10'}`), ask({ value: 5n }, spent))).equal('ALLOWED')
    expect(codeOf(policyWith(`{window: 1d, per: rule, amountMaxWei: '9'}`), ask({ value: 5n }, spent))).equal('SPENDING_LIMIT')
  })

  it('limits: what was spent on chains that the rule does not name does not count; what is valid on all of them does', () => {
    const on = (chainId: bigint | undefined) => codeOf(day, ask({ value: 5n }, [past(6n, 1, { chainId })]))
    expect([31337n, 1n, 0n, undefined].map(on)).deep.equal(['SPENDING_LIMIT', 'ALLOWED', 'SPENDING_LIMIT', 'SPENDING_LIMIT'])
    const anyChain = policyWith(`{window: 1d, amountMaxWei: '10'}`, '', '31337, 0')
    expect(codeOf(anyChain, ask({ value: 5n }, [past(6n, 1, { chainId: 1n })]))).equal('SPENDING_LIMIT')
  })

  it('limits: every limit and every maximum holds; a rule that is used up leaves the way to the next', () => {
    const both = policyWith(`{window: 1h, amountMaxWei: '10'}, {window: 1d, amountMaxWei: '20', countMax: 3}`)
    expect(codeOf(both, ask({ value: 10n }, [past(10n, 2 * HOUR)]))).equal('ALLOWED')
    expect(codeOf(both, ask({ value: 10n }, [past(11n, 2 * HOUR)]))).equal('SPENDING_LIMIT')
    expect(codeOf(both, ask({ value: 1n }, [past(0n, 1), past(0n, 2), past(0n, 3)]))).equal('COUNT_LIMIT')
    const next = `  - { name: wide, effect: allow, when: { chains: [31337], destinations: ['${SUPPLIER}'], amountMaxWei: '7' } }`
    expect(evaluate(policyWith(`{window: 1d, amountMaxWei: '10'}`, next), ask({ value: 7n }, [past(6n, 1)])).rule).equal('wide')
  })

  it('limits: a payload that moves nothing of an asset is not stopped by what others moved of it', () => {
    expect(codeOf(day, ask({ value: 0n }, [past(11n, 1)]))).equal('ALLOWED')
  })

  it('limits: without a history it is an error, without a sure clock it is said; both deny', () => {
    const { history, nowMs, ...bare } = ask({ value: 1n })
    expect(codeOf(day, { ...bare, nowMs })).equal('POLICY_ERROR')
    expect(codeOf(day, { ...bare, history })).equal('CLOCK_NOT_SURE')
    expect(codeOf(day, { ...bare, nowMs: Number.NaN, history })).equal('POLICY_ERROR')
    const lying = { total: () => -1n }
    expect(codeOf(day, { ...bare, nowMs, history: lying })).equal('POLICY_ERROR')
  })

  it('limits: what is decided and not yet written counts like the past', () => {
    const request = ask({ value: 5n }, [past(2n, 1)])
    const draft = spendOf('k1', 'pay', ask({ value: 3n }).payload)
    const history = plusSpends(request.history as SpendHistory, [draft])
    expect(codeOf(day, { ...request, history })).equal('ALLOWED')
    expect(codeOf(day, { ...request, history: plusSpends(history, [draft]) })).equal('SPENDING_LIMIT')
    const elsewhere = { ...draft, chainId: 1n }
    expect(codeOf(day, { ...request, history: plusSpends(history, [elsewhere]) })).equal('ALLOWED')
    const ofOthers = { ...draft, keyId: 'k2' }
    expect(codeOf(day, { ...request, history: plusSpends(history, [ofOthers]) })).equal('ALLOWED')
    expect([...draft.measures.keys()]).deep.equal(['count', 'wei', 'fee-wei'])
  })

  it('limits: the hash knows their meaning and not their layout', () => {
    const hash = (limits: string) => toHex(policyHash(policyWith(limits)))
    expect(hash(`{window: 24h, per: key, amountMaxWei: '10', countMax: 1}`)).equal(hash(`{countMax: 1, amountMaxWei: '10', window: 1d}`))
    const others = [`{window: 1d, amountMaxWei: '10'}`, `{window: 1d, amountMaxWei: '11'}`, `{window: 2d, amountMaxWei: '10'}`]
    const more = [`{window: 1d, per: rule, amountMaxWei: '10'}`, `{window: 1d, feeMaxWei: '10'}`, `{window: 1d, countMax: 10}`]
    expect(new Set([...others, ...more].map(hash)).size).equal(6)
  })

  it('limits: what is not complete or never measured is refused at its line', () => {
    for (const [limits, message] of [
      ["{amountMaxWei: '1'}", /must state "window"/],
      ['{window: 1d}', /without a maximum/],
      ['{window: 1d, countMax: 0}', /"countMax" is a whole number/],
      ['{window: 1d, countMax: 1.5}', /"countMax" is a whole number/],
      ['{window: 1d, amountMaxWei: 5}', /quoted whole number/],
      ["{window: 1d, amountMaxSat: '5'}", /does not say how much it moves of sat/],
      ["{window: 32d, amountMaxWei: '5'}", /a window is/],
      ["{window: 90s, amountMaxWei: '5'}", /a window is/],
      ["{window: 0h, amountMaxWei: '5'}", /a window is/],
      ["{window: 24, amountMaxWei: '5'}", /a window is/],
      ["{window: 1d, per: child, amountMaxWei: '5'}", /"per" is/],
      ["{window: 1d, amountMaxWei: '5', most: 1}", /unknown field "most"/],
      ["{window: 1d, tokenAmountsMax: {'0x1': '5'}}", /.+/],
      ['', /empty list/],
    ] as const)
      expect(() => policyWith(limits), limits).throw(new RegExp(`^policy:10: .*${message.source}`))
    const denied = `{version: 1, sequence: 1, rules: [{name: a, effect: deny, when: {limits: [{window: 1d, countMax: 1}]}}]}`
    expect(() => parsePolicy(denied)).throw(/"limits" belongs in an allow rule/)
  })
})

describe('limits: properties', () => {
  const wei = fc.oneof(
    fc.bigInt({ min: 0n, max: 20n }),
    fc.constantFrom((1n << 53n) - 1n, 1n << 53n, (1n << 63n) - 1n, 1n << 63n, (1n << 64n) - 1n, 1n << 64n, BIG - 1n, BIG),
  )
  const spends = fc
    .array(
      fc.record({ wei, agoMs: fc.integer({ min: -HOUR, max: 48 * HOUR }), k: fc.constantFrom('k1', 'k2'), r: fc.constantFrom('pay', 'b') }),
      {
        maxLength: 12,
      },
    )
    .map((all) => all.map(({ wei: w, agoMs, k, r }) => past(w, agoMs, { keyId: k, rule: r })))
  const limit = fc
    .record({ hours: fc.integer({ min: 1, max: 47 }), per: fc.constantFrom('key', 'rule'), max: wei })
    .map(({ hours, per, max }) => ({ hours, per, max, text: `{window: ${hours}h, per: ${per}, amountMaxWei: '${max}'}` }))

  it('limits: allowed if and only if the sum of the window stays within the maximum', () => {
    fc.assert(
      fc.property(spends, limit, wei, (all, { hours, per, max, text }, value) => {
        const mine = all.filter((s) => s.atMs > NOW - hours * HOUR && (per === 'key' ? s.keyId === 'k1' : s.rule === 'pay'))
        const sum = mine.reduce((n, s) => n + (s.measures.get('wei') as bigint), value)
        expect(codeOf(policyWith(text), ask({ value }, all))).equal(value === 0n || sum <= max ? 'ALLOWED' : 'SPENDING_LIMIT')
      }),
      { numRuns: 300 },
    )
  })

  it('limits: one more limit, or more that was spent, never allows more', () => {
    fc.assert(
      fc.property(spends, spends, limit, limit, wei, (all, more, one, two, value) => {
        if (codeOf(policyWith(one.text), ask({ value }, all)) === 'ALLOWED') return
        expect(codeOf(policyWith(one.text === two.text ? one.text : `${one.text}, ${two.text}`), ask({ value }, all))).not.equal('ALLOWED')
        expect(codeOf(policyWith(one.text), ask({ value }, [...all, ...more]))).not.equal('ALLOWED')
      }),
      { numRuns: 300 },
    )
  })

  it('limits: one more deny rule, for any times, never allows more', () => {
    const days = fc.subarray(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'], { minLength: 1 })
    fc.assert(
      fc.property(spends, limit, wei, days, (all, { text }, value, stated) => {
        const deny = `  - { name: no, effect: deny, when: { times: [{ zone: UTC, days: [${stated}] }] } }`
        const [before, after] = [policyWith(text), policyWith(text, deny)].map((policy) => codeOf(policy, ask({ value }, all)))
        if (stated.includes('sat')) expect(after).equal('POLICY_DENY_RULE')
        else expect(after).equal(before)
      }),
      { numRuns: 200 },
    )
  })
})
