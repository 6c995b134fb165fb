import { tagged, toHex } from '@conclave/core'
import { ed25519 } from '@noble/curves/ed25519.js'
import { expect } from 'chai'
import type { PolicyRequest } from './conditions.ts'
import { decodePayload } from './decoded-payload.ts'
import { evaluate } from './evaluate.ts'
import { SUPPLIER, unsigned } from './naive-rlp.fixture.ts'
import { policyHash } from './policy.ts'
import { parsePolicy } from './policy-file.ts'

const key = (seed: string) => `"ed25519:${toHex(ed25519.getPublicKey(tagged(seed)))}"`
const HEAD = `version: 1
sequence: 1
requesters: [{ name: exchange, key: ${key('exchange')} }, { name: payroll, key: ${key('payroll')} }]
approvers: [{ id: ann, groups: [treasury], keys: [${key('ann')}] }, { id: bob, groups: [treasury], keys: [${key('bob')}] }]
keys: [{ id: k1, role: treasury, tags: [eu, cold] }, { id: k2, role: deposit }, { id: k3, tags: [eu] }]
rules:
`
const PAY = `chains: [31337], destinations: ["${SUPPLIER}"], amountMaxWei: "1000000000000000000"`
const allowing = (conditions: string, name = 'pay') => `  - { name: ${name}, effect: allow, when: { ${PAY}, ${conditions} } }\n`
const denying = (conditions: string) => `  - { name: no, effect: deny, when: { ${conditions} } }\n`
const policyOf = (...rules: readonly string[]) => parsePolicy(HEAD + rules.join(''))

const payload = decodePayload('evm.tx', unsigned())
const ask = (rules: readonly string[], request: Partial<PolicyRequest> = {}) =>
  evaluate(policyOf(...rules), { keyId: 'k1', path: [], payload, ...request })
const codes = (rules: readonly string[], ...requests: readonly Partial<PolicyRequest>[]) => requests.map((r) => ask(rules, r).code)

describe('rules by name', () => {
  const KEYS = ['k1', 'k2', 'k3', 'k4'].map((keyId) => ({ keyId }))
  const NO = 'KEY_NOT_ALLOWED'

  it('roles: an allow rule is for keys of its roles, and not for one that has none', () => {
    expect(codes([allowing('roles: [treasury]')], ...KEYS)).deep.equal(['ALLOWED', NO, NO, NO])
    expect(codes([allowing('roles: [treasury, deposit]')], ...KEYS)).deep.equal(['ALLOWED', 'ALLOWED', NO, NO])
    expect(ask([allowing('roles: [deposit]')]).reason).equal('closest rule "pay": it is not for a key of role treasury, as k1 is')
    expect(ask([allowing('roles: [deposit]')], { keyId: 'k4' }).reason).match(/it is not for a key without a role, as k4 is$/)
  })

  it('tags: one of them is enough', () => {
    expect(codes([allowing('tags: [eu]')], ...KEYS)).deep.equal(['ALLOWED', NO, 'ALLOWED', NO])
    expect(codes([allowing('tags: [cold]')], ...KEYS)).deep.equal(['ALLOWED', NO, NO, NO])
  })

  it('roles and tags: a deny rule holds for the keys that have them', () => {
    const any = allowing('data: none')
    expect(codes([any, denying('roles: [deposit]')], ...KEYS)).deep.equal(['ALLOWED', 'POLICY_DENY_RULE', 'ALLOWED', 'ALLOWED'])
    expect(codes([any, denying('tags: [eu]')], ...KEYS)).deep.equal(['POLICY_DENY_RULE', 'ALLOWED', 'POLICY_DENY_RULE', 'ALLOWED'])
  })

  it('requesters: an allow rule is for those it names, and a deny rule also for whom nobody knows', () => {
    const asking = ['exchange', 'payroll', 'mallory', undefined].map((requester) => ({ requester }))
    const other = 'REQUESTER_NOT_ALLOWED'
    expect(codes([allowing('requesters: [exchange]')], ...asking)).deep.equal(['ALLOWED', other, other, other])
    const refused = [allowing('data: none'), denying('requesters: [payroll]')]
    expect(codes(refused, ...asking)).deep.equal(['ALLOWED', 'POLICY_DENY_RULE', 'ALLOWED', 'POLICY_DENY_RULE'])
    expect(ask([allowing('requesters: [exchange]')], { requester: 'payroll' }).reason).match(/it is not for requests of payroll$/)
    expect(ask([allowing('requesters: [exchange]')], { requester: '' }).code).equal(other)
  })

  it('names that stand nowhere, twice, or are no names are refused with their line', () => {
    for (const [conditions, message] of [
      ['roles: [tresury]', /^policy:8: .*no key has role "tresury"/],
      ['tags: [us]', /^policy:8: .*no key has tag "us"/],
      ['requesters: [mallory]', /^policy:8: .*the policy has no requester "mallory"/],
      ['roles: []', /^policy:8: .*empty list/],
      ['roles: [treasury, treasury]', /^policy:8: .*twice/],
      ['tags: [EU]', /^policy:8: .*a key id is/],
      ['requesters: exchange', /^policy:8: .*"requesters" is a list/],
    ] as const) {
      for (const rule of [allowing(conditions), denying(conditions)])
        expect(() => policyOf(allowing('data: none', 'first'), rule)).throw(message)
    }
    const withKeys = (keys: string) => () => parsePolicy(`version: 1\nsequence: 1\nkeys: ${keys}\nrules: []\n`)
    for (const keys of [
      '[]',
      '{}',
      '[{ id: k1 }, { id: k1 }]',
      '[{ id: K1 }]',
      '[{ role: treasury }]',
      '[{ id: k1, tags: [a, a] }]',
      '[{ id: k1, tag: a }]',
    ])
      expect(withKeys(keys), keys).throw(/^policy:3: /)
    expect(withKeys('[{ id: k1 }]')).not.throw()
  })

  it('names, and what the policy says of its keys, are in its hash; the order of keys is not', () => {
    const hash = (text: string) => toHex(policyHash(parsePolicy(text)))
    const base = HEAD + allowing('data: none')
    const hashes = [
      base,
      ...['roles: [treasury]', 'roles: [deposit]', 'tags: [eu]', 'tags: [cold]', 'requesters: [exchange]', 'requesters: [payroll]'].map(
        (conditions) => HEAD + allowing(`data: none, ${conditions}`),
      ),
      base.replace('role: deposit', 'role: treasury'),
      base.replace('role: deposit', 'tags: [deposit]'),
      base.replace(', role: deposit', ''),
      base.replace('tags: [eu, cold]', 'tags: [eu]'),
      base.replace('id: k3', 'id: k4'),
      base.replace(/keys: \[\{ id: k1.*\n/, ''),
    ].map(hash)
    expect(new Set(hashes).size).equal(hashes.length)
    const moved = '{ id: k3, tags: [eu] }, { id: k1, role: treasury, tags: [cold, eu] }, { id: k2, role: deposit }'
    expect(hash(base.replace(/keys: \[\{ id: k1.*\n/, `keys: [${moved}]\n`))).equal(hash(base))
  })
})

describe('approvals above an amount', () => {
  const SMALL = `  - { name: small, effect: allow, when: { chains: [31337], destinations: ["${SUPPLIER}"], amountMaxWei: "100" } }\n`
  const LARGE = `  - { name: large, effect: allow, when: { chains: [31337], destinations: ["${SUPPLIER}"], amountMaxWei: "5000", approvals: { required: 2, of: [treasury] } } }\n`
  const moving = (wei: bigint, ...approvedBy: readonly string[]) =>
    ask([SMALL, LARGE], { payload: decodePayload('evm.tx', unsigned({ value: wei })), approvedBy: new Set(approvedBy) })

  it('up to the amount nobody is asked, above it so many are, and above the larger one nobody can', () => {
    expect(moving(100n)).include({ code: 'ALLOWED', rule: 'small' })
    expect(moving(101n)).include({
      ...{ code: 'PENDING_APPROVAL', rule: 'large' },
      reason: 'closest rule "large": it waits for approvals: 2 of ann, bob',
    })
    expect(moving(101n, 'ann')).include({ code: 'PENDING_APPROVAL', rule: 'large' })
    expect(moving(5000n, 'ann', 'bob')).include({ code: 'ALLOWED', rule: 'large' })
    expect(moving(5001n, 'ann', 'bob')).include({
      ...{ code: 'AMOUNT_OVER_LIMIT', rule: 'large' },
      reason: 'closest rule "large": it allows 5000 wei and 5001 would be moved',
    })
  })

  it('in whatever order the two rules stand', () => {
    const wei = (value: bigint) => ({ payload: decodePayload('evm.tx', unsigned({ value })) })
    for (const rules of [
      [SMALL, LARGE],
      [LARGE, SMALL],
    ])
      expect(codes(rules, wei(100n), wei(101n), wei(5001n))).deep.equal(['ALLOWED', 'PENDING_APPROVAL', 'AMOUNT_OVER_LIMIT'])
  })
})
