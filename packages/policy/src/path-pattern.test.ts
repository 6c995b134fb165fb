import { InvalidArgument, parsePath, toHex } from '@conclave/core'
import { expect } from 'chai'
import { decodePayload } from './decoded-payload.ts'
import { evaluate } from './evaluate.ts'
import { SUPPLIER, unsigned } from './naive-rlp.fixture.ts'
import { matchesPath, parsePathPattern } from './path-pattern.ts'
import { policyHash } from './policy.ts'
import { parsePolicy } from './policy-file.ts'

const payload = decodePayload('evm.tx', unsigned({}))

/** A policy whose allow rule would let the standard payload through, with these conditions more. */
const yaml = (allowPaths: string, denyWhen = '{keys: [other]}') => `version: 1
sequence: 1
rules:
  - name: sweep
    effect: allow
    when: {chains: [31337], destinations: ['${SUPPLIER}'], amountMaxWei: '1000000000000000000'${allowPaths}}
  - name: frozen
    effect: deny
    when: ${denyWhen}
`

const codeAt = (policy: string, path: string) => evaluate(parsePolicy(policy), { keyId: 'main', path: parsePath(path), payload }).code

describe('path patterns', () => {
  it('a pattern stands for the paths that its text says', () => {
    const all = ['m', 'm/0', 'm/1', 'm/0/5', 'm/0/6', 'm/1/5', 'm/0/5/0', 'm/0/55', 'm/10/5', 'm/0/5/0/1']
    const meant: readonly (readonly [string, readonly string[]])[] = [
      ['m', ['m']],
      ['m/0', ['m/0']],
      ['m/0/5', ['m/0/5']],
      ['m/0/*', ['m/0/5', 'm/0/6', 'm/0/55']],
      ['m/*', ['m/0', 'm/1']],
      ['m/*/5', ['m/0/5', 'm/1/5', 'm/10/5']],
      ['m/*/*/*', ['m/0/5/0']],
      ['m/**', all.slice(1)],
      ['m/0/**', ['m/0/5', 'm/0/6', 'm/0/5/0', 'm/0/55', 'm/0/5/0/1']],
      ['m/0/*/**', ['m/0/5/0', 'm/0/5/0/1']],
      ['m/7/**', []],
    ]
    for (const [pattern, paths] of meant)
      expect(
        all.filter((path) => matchesPath(parsePathPattern(pattern), parsePath(path))),
        pattern,
      ).deep.equal(paths)
  })

  it('what is no pattern is refused', () => {
    for (const text of [
      '',
      '*',
      '**',
      'm/',
      'm/**/0',
      'm/***',
      'm/0*',
      'm/01',
      "m/0'",
      'm/*h',
      'm/2147483648',
      'M/0',
      `m${'/*'.repeat(9)}`,
    ])
      expect(() => parsePathPattern(text), text)
        .to.throw(InvalidArgument)
        .with.property('code', 'BAD_PATH')
  })
})

describe('policies with paths', () => {
  it('a rule that does not name paths is for every path', () => {
    for (const path of ['m', 'm/0', 'm/0/5', 'm/0/1/2/3/4/5/6/7']) {
      expect(codeAt(yaml(''), path)).equal('ALLOWED')
      expect(codeAt(yaml('', '{chains: [31337]}'), path)).equal('POLICY_DENY_RULE')
    }
  })

  it('an allow rule with paths allows those and no others', () => {
    const policy = yaml(", paths: [m, 'm/0/*']")
    for (const path of ['m', 'm/0/5', 'm/0/6']) expect(codeAt(policy, path), path).equal('ALLOWED')
    for (const path of ['m/0', 'm/1/5', 'm/0/5/0']) expect(codeAt(policy, path), path).equal('PATH_NOT_ALLOWED')
    const verdict = evaluate(parsePolicy(policy), { keyId: 'main', path: [1, 5], payload })
    expect(verdict).deep.equal({
      allowed: false,
      code: 'PATH_NOT_ALLOWED',
      reason: 'closest rule "sweep": it is not for path m/1/5',
      rule: 'sweep',
    })
  })

  it('a deny rule with paths freezes those and no others', () => {
    const policy = yaml('', "{paths: [m/0/5, 'm/1/**']}")
    for (const path of ['m/0/5', 'm/1/0', 'm/1/2/3']) expect(codeAt(policy, path), path).equal('POLICY_DENY_RULE')
    for (const path of ['m', 'm/1', 'm/0/6']) expect(codeAt(policy, path), path).equal('ALLOWED')
    expect(codeAt(yaml('', "{paths: ['m/**'], keys: [other]}"), 'm/0')).equal('ALLOWED')
  })

  it('a pattern that is mistyped, hardened or listed twice is refused with its line', () => {
    const refusal = (paths: string) => {
      try {
        parsePolicy(yaml(`, paths: ${paths}`), 'policy.yaml')
      } catch (error) {
        return (error as Error).message
      }
      return 'accepted'
    }
    expect(refusal("[m/44']")).match(/^policy.yaml:6: .*private key, which nobody holds/)
    expect(refusal('[0/5]')).match(/^policy.yaml:6: .*begins at the root/)
    expect(refusal("['m/**/1']")).match(/only the last level/)
    expect(refusal('[m, m]')).match(/listed twice/)
    expect(refusal('[]')).match(/empty list/)
    expect(refusal('m/0')).match(/"paths" is a list/)
    expect(refusal('[5]')).match(/put it in quotes/)
    expect(refusal("['m/0/*']")).equal('accepted')
  })

  it('paths count in the hash of a policy, their order does not', () => {
    const hash = (paths: string) => toHex(policyHash(parsePolicy(yaml(paths))))
    expect(hash(', paths: [m, m/0]')).equal(hash(', paths: [m/0, m]'))
    expect(new Set([hash(''), hash(', paths: [m]'), hash(", paths: ['m/**']"), hash(', paths: [m, m/0]')]).size).equal(4)
  })
})
