import { expect } from 'chai'
import fc from 'fast-check'
import { evaluate } from './evaluate.ts'
import { type NaiveRequest, naiveVerdict } from './naive-policy.fixture.ts'
import { parsePolicy } from './policy-file.ts'
import { allowRules, denyRules, requests, rules, WORLD, written } from './policy-worlds.fixture.ts'

const RUNS = { numRuns: 150 }
const ASKED = 16
const many = fc.array(requests, { minLength: ASKED, maxLength: ASKED })

const policyOf = (list: Parameters<typeof written>[0]) => parsePolicy(written(list))
const isAllowed = (policy: ReturnType<typeof policyOf>, r: NaiveRequest) => {
  const verdict = evaluate(policy, r)
  expect(verdict.code, verdict.reason).not.equal('POLICY_ERROR')
  return verdict.allowed
}

describe('evaluate: against an evaluator that was written from the README', () => {
  it('both allow the same requests, by the same rule, and deny the same by a rule', () => {
    const seen = { allowed: 0, denied: 0, byNone: 0 }
    const claim = fc.property(rules, many, (list, asked) => {
      const policy = policyOf(list)
      for (const r of asked) {
        const naive = naiveVerdict(list, r, WORLD)
        const verdict = evaluate(policy, r)
        expect(verdict.code, verdict.reason).not.equal('POLICY_ERROR')
        expect(verdict.allowed, verdict.reason).equal(naive.allowed)
        if (naive.allowed) expect(verdict.rule).equal(naive.rules[0])
        else if (naive.rules.length > 0) expect(naive.rules).include(verdict.rule)
        seen[naive.allowed ? 'allowed' : naive.rules.length > 0 ? 'denied' : 'byNone']++
      }
    })
    fc.assert(claim, RUNS)
    for (const [kind, times] of Object.entries(seen)) expect(times, kind).greaterThan(20)
  })

  it('one more deny rule never allows more', () => {
    let forbade = 0
    const claim = fc.property(rules, denyRules, fc.nat(6), many, (list, one, at, asked) => {
      const [before, after] = [policyOf(list), policyOf(list.toSpliced(at, 0, { ...one, name: 'more' }))]
      for (const r of asked) {
        const [was, is] = [isAllowed(before, r), isAllowed(after, r)]
        expect(is && !was).equal(false)
        if (was && !is) forbade++
      }
    })
    fc.assert(claim, RUNS)
    expect(forbade, 'the property was about something').greaterThan(5)
  })

  it('one allow rule less never allows more', () => {
    let lost = 0
    const claim = fc.property(rules, allowRules, fc.nat(6), many, (list, one, at, asked) => {
      const [before, after] = [policyOf(list.toSpliced(at, 0, { ...one, name: 'less' })), policyOf(list)]
      for (const r of asked) {
        const [was, is] = [isAllowed(before, r), isAllowed(after, r)]
        expect(is && !was).equal(false)
        if (was && !is) lost++
      }
    })
    fc.assert(claim, RUNS)
    expect(lost, 'the property was about something').greaterThan(5)
  })
})
