import { fromHex, toHex } from '@conclave/core'
import { expect } from 'chai'
import fc from 'fast-check'
import type { PolicyRequest } from './conditions.ts'
import { decodePayload } from './decoded-payload.ts'
import { evaluate, type PolicyCode } from './evaluate.ts'
import { parseEvmAddress } from './evm-address.ts'
import type { DecodedEvmTransaction } from './evm-transaction.ts'
import { SUPPLIER, type UnsignedFields, unsigned } from './naive-rlp.fixture.ts'
import type { AllowRule, DenyRule, Policy, Rule } from './policy.ts'

const FEE = 630_000_000_000_000n
const ETHER = 10n ** 18n
const OTHER = parseEvmAddress('0x3c44cdddb6a900fa2b585dd299e03d12fa4293bc')

type EvmRequest = PolicyRequest & { readonly payload: DecodedEvmTransaction }

function request(changes: Partial<UnsignedFields> = {}, keyId = 'treasury-1', path: PolicyRequest['path'] = []): EvmRequest {
  return { keyId, path, payload: decodePayload('evm.tx', unsigned(changes)) }
}

/** Exactly the standard request: every bound is met with nothing to spare. */
function allow(when: Partial<AllowRule['when']> = {}, name = 'pay-suppliers'): AllowRule {
  const bounds = { keys: ['treasury-1'], chains: [31337n], destinations: [SUPPLIER], amountMaxWei: ETHER, feeMaxWei: FEE }
  return { name, effect: 'allow', when: { ...bounds, payload: 'evm.tx', data: 'none', ...when } }
}

function deny(when: DenyRule['when'] = {}, name = 'no'): DenyRule {
  return { name, effect: 'deny', when }
}

function policy(...rules: Rule[]): Policy {
  return { version: 1, sequence: 1, rules }
}

function expectCode(p: Policy, r: PolicyRequest, code: PolicyCode, rule?: string): string {
  const verdict = evaluate(p, r)
  expect(verdict.code, verdict.reason).equal(code)
  expect(verdict.allowed).equal(code === 'ALLOWED')
  expect(verdict.reason).match(/^[\x20-\x7e]+$/)
  if (rule !== undefined) expect(verdict.rule).equal(rule)
  return verdict.reason
}

describe('evaluate', () => {
  it('a request that meets every bound exactly is allowed', () => {
    expectCode(policy(allow()), request(), 'ALLOWED', 'pay-suppliers')
  })

  it('each bound broken by the least possible refuses with its own code', () => {
    const p = policy(allow())
    expectCode(p, request({}, 'treasury-2'), 'KEY_NOT_ALLOWED')
    expectCode(p, request({ chainId: 31338n }), 'CHAIN_NOT_ALLOWED')
    expectCode(p, request({ to: OTHER.slice(2) }), 'DESTINATION_NOT_ALLOWED')
    expectCode(p, request({ data: new Uint8Array(1) }), 'DATA_NOT_ALLOWED')
    const reason = expectCode(p, request({ value: ETHER + 1n }), 'AMOUNT_OVER_LIMIT', 'pay-suppliers')
    expect(reason).equal('closest rule "pay-suppliers": it allows 1000000000000000000 wei and 1000000000000000001 would be moved')
    expectCode(p, request({ gasLimit: 21_001n }), 'FEE_OVER_LIMIT')
    expectCode(p, request({ maxFeePerGas: 30_000_000_001n }), 'FEE_OVER_LIMIT')
    expectCode(policy(allow({ paths: ['m/0/*'] })), request({}, 'treasury-1', [1, 5]), 'PATH_NOT_ALLOWED')
    const strange = { ...request().payload, type: 'sol.tx' } as unknown as PolicyRequest['payload']
    expectCode(p, { keyId: 'treasury-1', path: [], payload: strange }, 'PAYLOAD_NOT_ALLOWED')
  })

  it('a bound that is not stated does not bind', () => {
    expectCode(policy(allow({ keys: undefined })), request({}, 'anything'), 'ALLOWED')
    expectCode(policy(allow({ feeMaxWei: undefined })), request({ gasLimit: 10n ** 9n }), 'ALLOWED')
    expectCode(policy(allow({ data: 'any', feeMaxWei: undefined })), request({ data: new Uint8Array(9) }), 'ALLOWED')
  })

  it('amounts are compared exactly where floating point would not see the difference', () => {
    const max = (1n << 200n) - 1n
    expectCode(policy(allow({ amountMaxWei: max })), request({ value: max }), 'ALLOWED')
    expectCode(policy(allow({ amountMaxWei: max })), request({ value: max + 1n }), 'AMOUNT_OVER_LIMIT')
  })

  it('without an allow rule everything is refused', () => {
    expectCode(policy(), request(), 'POLICY_NO_RULE', '')
    expectCode(policy(deny({ keys: ['another'] })), request(), 'POLICY_NO_RULE', '')
  })

  it('a deny rule matches on any subset of its conditions', () => {
    const sets: readonly DenyRule['when'][] = [
      {},
      { keys: ['treasury-1'] },
      { payload: 'evm.tx' },
      { chains: [1n, 31337n] },
      { destinations: [OTHER, SUPPLIER] },
      { keys: ['treasury-1'], payload: 'evm.tx', chains: [31337n], destinations: [SUPPLIER] },
    ]
    for (const when of sets) {
      expectCode(policy(allow(), deny(when)), request(), 'POLICY_DENY_RULE', 'no')
      // Data does not slip past a deny rule that says nothing of data.
      expectCode(policy(allow({ data: 'any' }), deny(when)), request({ data: new Uint8Array(1) }), 'POLICY_DENY_RULE', 'no')
    }
    expectCode(policy(allow(), deny({ keys: ['treasury-1'], chains: [1n] })), request(), 'ALLOWED')
  })

  it('the refusal is that of the rule that came closest', () => {
    const elsewhere = allow({ destinations: [OTHER] }, 'elsewhere')
    const small = allow({ amountMaxWei: 1n, feeMaxWei: 1n }, 'small')
    const medium = allow({ amountMaxWei: 5n, feeMaxWei: 1n }, 'medium')
    const cheap = allow({ feeMaxWei: 1n }, 'cheap')
    const noData = allow({ amountMaxWei: ETHER }, 'no-data')
    const over = request({ value: 2n * ETHER })
    expectCode(policy(elsewhere, small), over, 'AMOUNT_OVER_LIMIT', 'small')
    expectCode(policy(elsewhere, small, medium), over, 'AMOUNT_OVER_LIMIT', 'medium')
    expectCode(policy(medium, small), over, 'AMOUNT_OVER_LIMIT', 'medium')
    expectCode(policy(small, cheap, elsewhere), request(), 'FEE_OVER_LIMIT', 'cheap')
    // Equal in the first condition that broke: the one with fewer broken conditions.
    expectCode(policy(small, noData), request({ data: new Uint8Array(1) }), 'DATA_NOT_ALLOWED', 'no-data')
    // Equal in everything: the earlier one.
    expectCode(policy(allow({}, 'first'), allow({}, 'second')), over, 'AMOUNT_OVER_LIMIT', 'first')
  })

  it('an error in evaluation is a denial, wherever it happens', () => {
    const explode = (): never => {
      throw new Error('boom')
    }
    const when = Object.defineProperty({}, 'keys', { get: explode }) as DenyRule['when']
    const reason = expectCode(policy(allow(), deny(when)), request(), 'POLICY_ERROR', '')
    expect(reason).match(/boom/)
    expectCode(Object.defineProperty(policy(), 'rules', { get: explode }), request(), 'POLICY_ERROR')
    expectCode(undefined as unknown as Policy, request(), 'POLICY_ERROR')
    expectCode(policy(allow()), undefined as unknown as PolicyRequest, 'POLICY_ERROR')
  })

  it('a payload that no decoder made is not allowed by accident', () => {
    const { payload } = request()
    for (const amount of [undefined, Number.NaN, 5, '5', null, -1n]) {
      const forged = { ...payload, amounts: [{ asset: 'wei', amount }] } as unknown as PolicyRequest['payload']
      expectCode(policy(allow()), { keyId: 'treasury-1', path: [], payload: forged }, 'POLICY_ERROR')
    }
    for (const field of ['chainId', 'destinations', 'call', 'amounts', 'feeMax', 'type']) {
      const forged = { ...payload, [field]: undefined } as unknown as PolicyRequest['payload']
      expect(evaluate(policy(allow()), { keyId: 'treasury-1', path: [], payload: forged }).allowed, field).equal(false)
    }
  })
})

describe('evaluate: properties', () => {
  // Small worlds, so that rules and requests meet often.
  const KEYS = ['k1', 'k2', 'k3']
  const CHAINS = [1n, 10n, 31337n]
  const PLACES = [1, 2, 3].map((n) => parseEvmAddress(`0x${toHex(new Uint8Array(20).fill(n))}`))
  const some = <T>(from: readonly T[]) => fc.subarray([...from], { minLength: 1 })
  const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined })
  const wei = fc.bigInt({ min: 0n, max: 6n })

  const allows = fc.record({
    keys: maybe(some(KEYS)),
    payload: fc.constant('evm.tx' as const),
    chains: some(CHAINS),
    destinations: some(PLACES),
    amountMaxWei: wei,
    feeMaxWei: maybe(wei),
    data: fc.constantFrom('none' as const, 'any' as const),
  })
  const denies = fc.record({ keys: maybe(some(KEYS)), chains: maybe(some(CHAINS)), destinations: maybe(some(PLACES)) })
  const requests = fc
    .record({
      keyId: fc.constantFrom(...KEYS),
      chainId: fc.constantFrom(...CHAINS),
      to: fc.constantFrom(...PLACES),
      value: wei,
      fee: wei,
      dataBytes: fc.nat(1),
    })
    .map(({ keyId, chainId, to, value, fee, dataBytes }) => {
      const gas = { gasLimit: 1n, maxFeePerGas: fee, maxPriorityFeePerGas: 0n }
      return request({ chainId, to: to.slice(2), value, data: new Uint8Array(dataBytes), ...gas }, keyId)
    })
  // Cedar reads a policy once: several requests of each.
  const many = fc.array(requests, { minLength: 15, maxLength: 15 })
  const rules = (allowMax = 4, denyMax = 2) =>
    fc
      .tuple(fc.array(allows, { maxLength: allowMax }), fc.array(denies, { maxLength: denyMax }))
      .map(([a, d]): Rule[] => [...a.map((when, i) => allow(when, `a${i}`)), ...d.map((when, i) => deny(when, `d${i}`))])

  /** The policy language again, as a sentence. */
  function meets({ when }: AllowRule, { keyId, payload }: EvmRequest): boolean {
    if (when.keys !== undefined && !when.keys.includes(keyId)) return false
    if (!when.chains?.includes(payload.chainId) || !when.destinations?.includes(payload.to as string)) return false
    if (payload.valueWei > (when.amountMaxWei as bigint) || (when.feeMaxWei !== undefined && payload.feeMaxWei > when.feeMaxWei))
      return false
    return when.data === 'any' || payload.data.length === 0
  }

  it('allowed if and only if some allow rule has no broken bound and no deny rule matches', () => {
    let allowed = 0
    const claim = fc.property(rules(), many, (list, asked) => {
      const p = policy(...list)
      for (const r of asked) check(p, list, r)
    })
    const check = (p: Policy, list: readonly Rule[], r: EvmRequest) => {
      const verdict = evaluate(p, r)
      const denied = list.some(({ effect, when }) => {
        const listed = [
          [when.keys, r.keyId] as const,
          [when.chains, r.payload.chainId] as const,
          [when.destinations, r.payload.to] as const,
        ]
        return effect === 'deny' && listed.every(([set, value]) => set === undefined || (set as readonly unknown[]).includes(value))
      })
      const met = list.some((rule) => rule.effect === 'allow' && meets(rule, r))
      expect(verdict.allowed).equal(met && !denied)
      expect(verdict.code === 'ALLOWED').equal(verdict.allowed)
      if (verdict.allowed) allowed++
    }
    fc.assert(claim, { numRuns: 200 })
    expect(allowed, 'the property was about something').greaterThan(50)
  })

  it('deny beats allow wherever it stands', () => {
    fc.assert(
      fc.property(rules(4, 0), requests, fc.nat(4), (list, r, at) => {
        const withDeny = list.toSpliced(at, 0, deny({ keys: [r.keyId], destinations: [r.payload.to as string] }))
        expect(evaluate(policy(...withDeny), r).code).equal('POLICY_DENY_RULE')
      }),
    )
  })

  it('the order of the rules does not change what is allowed', () => {
    const shuffled = rules().chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })))
    fc.assert(
      fc.property(shuffled, many, ([list, other], asked) => {
        const [one, another] = [policy(...list), policy(...other)]
        for (const r of asked) expect(evaluate(another, r).allowed).equal(evaluate(one, r).allowed)
      }),
    )
  })

  it('the same question has the same verdict, to the letter', () => {
    fc.assert(
      fc.property(rules(), requests, (list, r) => {
        expect(evaluate(policy(...structuredClone(list)), structuredClone(r))).deep.equal(evaluate(policy(...list), r))
      }),
    )
  })

  it('an address is one address in whatever letter case the transaction was made', () => {
    expect(request({ to: toHex(fromHex(SUPPLIER.slice(2))) }).payload.to).equal(SUPPLIER)
  })
})
