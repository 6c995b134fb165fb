import { expect } from 'chai'
import { policyChanges, policyLines } from './policy-diff.ts'
import { parsePolicy } from './policy-file.ts'

const KEY = 'ed25519:d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a'
const TO = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8'
const allow = (name: string, max: number) =>
  `  - { name: ${name}, effect: allow, when: { chains: [1], destinations: ['${TO}'], amountMaxWei: '${max}', limits: [{ window: 1h, amountMaxWei: '9' }] } }\n`
const deny = '  - { name: stop, effect: deny, when: { keys: [k1] } }\n'
const policy = (rules: string, people = '') => parsePolicy(`version: 1\nsequence: 1\nrules:\n${rules}${people}`)
const people = `requesters:\n  - { name: exchange, key: '${KEY}' }\n`

describe('policy changes', () => {
  it('policy changes: what is added, removed and changed has a line; what is the same has none', () => {
    const before = policy(allow('a', 5) + deny)
    expect(policyChanges(before, policy(allow('a', 5) + deny))).to.deep.equal([])
    expect(policyChanges(before, policy(allow('a', 6) + allow('b', 1)))).to.have.length(4)
    const [gone, was, is, added] = policyChanges(before, policy(allow('a', 6) + allow('b', 1)))
    expect(gone).to.equal('- rule "stop": deny when {"keys":["k1"]}')
    expect(was).to.match(/^- rule "a": allow .*"amountMaxWei":"5"/)
    expect(is).to.match(/^\+ rule "a": allow .*"amountMaxWei":"6".*"maxima":\{"wei":"9"\}/)
    expect(added).to.match(/^\+ rule "b"/)
  })

  it('policy changes: another order, and whether requests need a signature', () => {
    const before = policy(allow('a', 5) + deny)
    expect(policyChanges(before, policy(deny + allow('a', 5)))).to.deep.equal(['~ the order is another'])
    const [gate, who] = policyChanges(before, policy(allow('a', 5) + deny, people))
    expect(gate).to.equal('+ requests need a signature')
    expect(who).to.match(/^\+ requester exchange: .*d75a98/)
    expect(policyChanges(policy(deny, people), policy(deny))[0]).to.equal('- requests need a signature')
  })

  it('policy changes: what a key is labelled, in whatever order its tags stand', () => {
    const labelled = (tags: string, role = 'treasury') => policy(deny, `keys:\n  - { id: k1, role: ${role}, tags: [${tags}] }\n`)
    expect(policyChanges(labelled('a, b'), labelled('b, a'))).to.deep.equal([])
    expect(policyChanges(policy(deny), labelled('a'))).to.deep.equal(['+ key k1: {"id":"k1","role":"treasury","tags":["a"]}'])
    expect(policyChanges(labelled('a'), labelled('a', 'deposit'))).to.have.length(2)
  })

  it('policy lines: a line for each rule and each person', () => {
    expect(policyLines(policy(allow('a', 5) + deny, people)).map((line) => line.split(':')[0])).to.deep.equal([
      'rule "a"',
      'rule "stop"',
      'requester exchange',
    ])
  })
})
