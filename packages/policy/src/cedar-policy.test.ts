import { execFileSync } from 'node:child_process'
import * as cedar from '@cedar-policy/cedar-wasm/nodejs'
import { codeOf } from '@conclave/core'
import { expect } from 'chai'
import fc from 'fast-check'
import { loadPolicies } from './cedar-engine.ts'
import { compileRules } from './cedar-policy.ts'
import { quoted } from './cedar-text.ts'
import { decodePayload } from './decoded-payload.ts'
import { evaluate } from './evaluate.ts'
import type { SpendQuery } from './limits.ts'
import { SUPPLIER, unsigned } from './naive-rlp.fixture.ts'
import type { AllowRule, DenyRule, Policy, Rule } from './policy.ts'
import { parsePolicy } from './policy-file.ts'
import { written, rules as writtenRules } from './policy-worlds.fixture.ts'
import { cedarPolicy, preparePolicy } from './prepared-policy.ts'

const payload = decodePayload('evm.tx', unsigned())
const asked = { keyId: 'k1', path: [], payload }
const ETHER = 10n ** 18n

const allow = (when: Partial<AllowRule['when']> = {}, name = 'pay'): AllowRule => ({
  ...{ name, effect: 'allow' },
  when: { payload: 'evm.tx', chains: [31337n], destinations: [SUPPLIER], amountMaxWei: ETHER, data: 'none', ...when },
})
const deny = (when: DenyRule['when'], name = 'no'): DenyRule => ({ name, effect: 'deny', when })
const policyOf = (...rules: Rule[]): Policy => ({ version: 1, sequence: 1, rules })

/** Puts other policies in the place of those of `policy`, behind the back of all our code. */
function replace(policy: Policy, ...texts: readonly string[]): void {
  const { name } = preparePolicy(policy)
  const staticPolicies = Object.fromEntries(texts.map((text, i) => [`rule${i}`, text]))
  expect(cedar.preparsePolicySet(name, { staticPolicies }).type).equal('success')
}

/** Every string and entity id in the body of a policy, as Cedar's own parser has them. */
function literals(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(literals) : []
}

describe('cedar: the engine decides', () => {
  it('what Cedar denies is not allowed, whatever our own code says of it', () => {
    const policy = policyOf(allow())
    expect(evaluate(policy, asked).code).equal('ALLOWED')
    for (const text of ['permit (principal, action, resource) when { false };', 'forbid (principal, action, resource);']) {
      replace(policy, text)
      expect(evaluate(policy, asked).code, text).equal('POLICY_ERROR')
    }
  })

  it('what Cedar allows is not allowed where our own code would deny it', () => {
    const policies = [policyOf(allow({ amountMaxWei: 1n })), policyOf(deny({}), allow())]
    for (const policy of policies) {
      expect(evaluate(policy, asked).allowed).equal(false)
      replace(policy, ...policy.rules.map(() => 'permit (principal, action, resource);'))
      expect(evaluate(policy, asked).code).equal('POLICY_ERROR')
    }
  })

  it('what is allowed by another rule is not allowed: spending would be counted under the wrong one', () => {
    const policy = policyOf(allow(), allow({}, 'other'))
    replace(policy, 'permit (principal, action, resource) when { false };', 'permit (principal, action, resource);')
    expect(evaluate(policy, asked).code).equal('POLICY_ERROR')
  })

  it('a forbid that cannot be evaluated denies, though Cedar itself would pass over it', () => {
    const policy = policyOf(allow(), deny({ keys: ['k9'] }))
    expect(evaluate(policy, asked).code).equal('ALLOWED')
    replace(policy, compileRules(policy)[0]?.text as string, 'forbid (principal, action, resource) when { context.unheard };')
    expect(evaluate(policy, asked)).include({ code: 'POLICY_ERROR', allowed: false })
  })

  it('what may be so for a deny rule is not so for an allow rule of the same words', () => {
    const times = [{ zone: 'UTC', days: ['mon' as const], fromMinute: 0, toMinute: 60 }]
    expect(evaluate(policyOf(allow({ times }), deny({ times, keys: ['k9'] })), asked).code).equal('CLOCK_NOT_SURE')
    const paths = ['m/0/*']
    const two = { ...asked, payload: { ...payload, changePaths: [[0, 1]] } }
    expect(evaluate(policyOf(allow({ paths }), deny({ paths, keys: ['k9'] })), two).code).equal('PATH_NOT_ALLOWED')
  })

  it('a limit is one of its chains, and of its rule where it counts by rule', () => {
    const limits = [{ windowMs: 60_000, per: 'key' as const, maxima: new Map([['count', 1n]]) }]
    const history = { total: ({ isOn }: SpendQuery) => (isOn(10n) ? 1n : 0n) }
    const both = policyOf(allow({ limits, chains: [31337n, 10n] }, 'both'), allow({ limits }, 'one'))
    expect(evaluate(both, { ...asked, nowMs: 0, history })).include({ code: 'ALLOWED', rule: 'one' })
    const byRule = [{ windowMs: 60_000, per: 'rule' as const, maxima: new Map([['count', 1n]]) }]
    const spent = { total: ({ name }: SpendQuery) => (name === 'used' ? 1n : 0n) }
    const two = policyOf(allow({ limits: byRule }, 'used'), allow({ limits: byRule }, 'new'))
    expect(evaluate(two, { ...asked, nowMs: 0, history: spent })).include({ code: 'ALLOWED', rule: 'new' })
  })

  it('amounts are exact where the integers of Cedar, and doubles, end', () => {
    const fileRule = (amountMaxWei: string) => ({
      ...{ name: 'pay', effect: 'allow' },
      when: { chains: [31337], destinations: [SUPPLIER], amountMaxWei },
    })
    for (const max of [1n << 53n, 1n << 63n, 1n << 64n, (1n << 256n) - 2n, 0n]) {
      const policy = parsePolicy(JSON.stringify({ version: 1, sequence: 1, rules: [fileRule(String(max))] }))
      const moving = (wei: bigint) => ({ ...asked, payload: { ...payload, amounts: [{ asset: 'wei', amount: wei }] } })
      expect(evaluate(policy, moving(max)).code).equal('ALLOWED')
      expect(evaluate(policy, moving(max + 1n)).code).equal('AMOUNT_OVER_LIMIT')
      if (max > 0n) expect(evaluate(policy, moving(max - 1n)).code).equal('ALLOWED')
    }
  })
})

describe('cedar: the generated text', () => {
  it('a string stays one string, whatever is in it', () => {
    const units = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('"', '\\', '\n', '\0', '*', '//', '/*', '};', '\\u{22}', "'", 'é', '\u202e', '😀'),
    )
    fc.assert(
      fc.property(fc.array(units, { maxLength: 12 }), (parts) => {
        const text = parts.join('')
        const answer = cedar.policyToJson(`permit (principal, action, resource) when { context.call == ${quoted(text)} };`)
        expect(answer.type).equal('success')
        if (answer.type === 'success')
          expect(answer.json.conditions).deep.equal([
            { kind: 'when', body: { '==': { left: { '.': { left: { Var: 'context' }, attr: 'call' } }, right: { Value: text } } } },
          ])
      }),
    )
  })

  it('half a character is refused, and with it the policy', () => {
    expect(evaluate(policyOf(allow({ keys: ['\ud800'] })), asked).code).equal('POLICY_ERROR')
  })

  it('hostile names, keys and addresses are one policy a rule, and end no literal', () => {
    const hostile = fc
      .array(fc.constantFrom('"', '\\', ')', '}', ';', 'permit (principal, action, resource);', '//', '\n', 'x', '"]) || true || (["'), {
        minLength: 1,
        maxLength: 6,
      })
      .map((parts) => parts.join(''))
    fc.assert(
      fc.property(hostile, hostile, hostile, hostile, (name, key, place, method) => {
        const lists = { keys: [key], destinations: [place] }
        const texts = compileRules(policyOf(allow({ ...lists, data: 'known', methods: [method] }, name), deny(lists, `${name}-`))).map(
          (r) => r.text,
        )
        expect(cedar.policySetTextToParts(texts.join('\n')))
          .property('policies')
          .lengthOf(2)
        for (const [i, text] of texts.entries()) {
          const answer = cedar.policyToJson(text)
          expect(answer.type).equal('success')
          if (answer.type !== 'success') continue
          expect(answer.json.annotations).deep.equal({ id: i === 0 ? name : `${name}-` })
          expect(answer.json.effect).equal(i === 0 ? 'permit' : 'forbid')
          expect(literals(answer.json.conditions)).include.members(i === 0 ? [key, place, method] : [key, place])
        }
        const policy = policyOf(allow({ ...lists, data: 'known', methods: [method] }, name), deny({ keys: [`${key}?`] }, `${name}-`))
        expect(evaluate(policy, asked).code).equal('KEY_NOT_ALLOWED')
      }),
    )
  })

  it('every policy file keeps to the schema in strict mode', () => {
    fc.assert(
      fc.property(writtenRules, (list) => {
        const { schema, policies } = cedarPolicy(parsePolicy(written(list)))
        expect(policies.map((p) => p.rule)).deep.equal(list.map((r) => r.name))
        const staticPolicies = policies.map((p) => p.text).join('\n')
        const answer = cedar.validate({ schema, policies: { staticPolicies }, validationSettings: { mode: 'strict' } })
        expect(answer).deep.include({ type: 'success', validationErrors: [] })
      }),
      { numRuns: 50 },
    )
  })

  it('a rule that does not keep to the schema is refused', () => {
    for (const text of [
      'permit (principal, action, resource) when { context.amount < 5 };',
      'permit (principal, action, resource) when { context.chain == "1" };',
      'permit (principal, action, resource) when { context.call == 1 };',
      'permit (principal, action == Action::"sol.tx", resource);',
      'permit (principal, action, resource); permit (principal, action, resource);',
      'permit (principal, action, resource) when {',
      '',
    ]) {
      let code = 'LOADED'
      try {
        loadPolicies('refused', [text])
      } catch (error) {
        code = codeOf(error)
      }
      expect(code, text).equal('BAD_POLICY')
    }
    expect(() => preparePolicy(policyOf(allow({ keys: [] })))).throw(/Cedar refuses/)
  })

  it('a long list is a fact, and decides as a short one does', () => {
    const others = Array.from({ length: 100 }, (_, i) => `script:${i.toString(16).padStart(4, '0')}`)
    const long = policyOf(allow({ destinations: [...others, SUPPLIER] }))
    expect(compileRules(long)[0]?.text).match(/"every destination in 101 values with hash [0-9a-f]{64}"/)
    expect(evaluate(long, asked).code).equal('ALLOWED')
    expect(evaluate(policyOf(allow({ destinations: others })), asked).code).equal('DESTINATION_NOT_ALLOWED')
    expect(evaluate(policyOf(allow(), deny({ destinations: [...others, SUPPLIER] })), asked).code).equal('POLICY_DENY_RULE')
    expect(evaluate(policyOf(allow(), deny({ destinations: others })), asked).code).equal('ALLOWED')
    expect(compileRules(long)[0]?.text).not.equal(compileRules(policyOf(allow({ destinations: [...others, 'script:51'] })))[0]?.text)
  })
})

describe('cedar: what is kept ready', () => {
  it('many policies in turn each keep their meaning, and ones that are refused take no place', () => {
    const policies = Array.from({ length: 80 }, (_, i) => policyOf(allow(i % 2 === 0 ? {} : { keys: ['k2'] }, `rule-${i}`)))
    const refused = policyOf(allow({ keys: [] }))
    for (let round = 0; round < 2; round++) {
      for (const [i, policy] of policies.entries()) {
        expect(evaluate(policy, asked).code).equal(i % 2 === 0 ? 'ALLOWED' : 'KEY_NOT_ALLOWED')
        expect(evaluate(refused, asked).code).equal('POLICY_ERROR')
      }
    }
    const names = policies.map((p) => preparePolicy(p).name)
    expect(new Set(names).size).equal(32)
    expect(new Set(names.slice(-32)).size).equal(32)
  })

  it('who only decodes does not load the engine', () => {
    const script = `import { createRequire } from 'node:module'
      const { decodePayload, evaluate, parsePolicy } = await import('@conclave/policy')
      const loaded = () => Object.keys(createRequire(import.meta.url).cache).some((file) => file.includes('cedar-wasm'))
      const payload = decodePayload('raw', new Uint8Array(32))
      const policy = parsePolicy('{"version":1,"sequence":1,"rules":[]}')
      const before = loaded()
      evaluate(policy, { keyId: 'k', path: [], payload })
      process.stdout.write(JSON.stringify([before, loaded()]))`
    const out = execFileSync(process.execPath, ['--input-type=module', '-e', script], { cwd: import.meta.dirname, encoding: 'utf8' })
    expect(JSON.parse(out)).deep.equal([false, true])
  })
})
