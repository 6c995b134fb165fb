import { codeOf, fromHex, messageOf, utf8 } from '@conclave/core'
import { decodePayload, type Policy, parsePolicy } from '@conclave/policy'
import { PAYLOAD_BYTES_MAX, type ProposedItem } from '@conclave/wire'
import { expect } from 'chai'
import { ALLOWED } from './cluster.fixture.ts'
import { Judge } from './judge.ts'
import { inForce } from './policies/in-force.ts'
import { requestId, TERMS, transfer } from './requests.fixture.ts'

const policy = parsePolicy(`
version: 1
sequence: 1
rules:
  - name: pay
    effect: allow
    when: { paths: [m], chains: [31337], destinations: ['${ALLOWED}'], amountMaxWei: '10' }
  - name: sweep
    effect: allow
    when: { paths: ['m/0/*'], chains: [31337], destinations: ['${ALLOWED}'], amountMaxWei: '1000' }
  - name: frozen
    effect: deny
    when: { paths: [m/0/9] }
`)
const judge = new Judge({ clusterId: '11'.repeat(32), policies: { present: inForce(policy) } })
const KEY = { publicKey: fromHex('0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798'), chainCode: new Uint8Array(32) }
const item = (wei: bigint, path: readonly number[] = []): ProposedItem => ({ payload: transfer(wei), path })
const judged = (...items: readonly ProposedItem[]) =>
  judge.judge({ requestId: requestId(1), keyId: 'k', payloadType: 'evm.tx', items, terms: TERMS }, KEY)
const digestOf = ({ payload, path }: ProposedItem) => ({ digest: decodePayload('evm.tx', payload).digest, path })
const ONE = item(1n)

describe('judge', () => {
  it('judge: one item gets the verdict of the policy as it is', () => {
    expect(judged(ONE).verdict).to.include({ allowed: true, code: 'ALLOWED', rule: 'pay', reason: 'rule "pay" allows this' })
    const no = judged(item(11n)).verdict
    expect(no).to.include({ allowed: false, code: 'AMOUNT_OVER_LIMIT', rule: 'pay' })
    expect(no.reason).to.match(/^closest rule "pay": /)
  })

  it('judge: several items are allowed when each is, and have digests of their own, in their order', () => {
    const items = [item(2n), ONE, item(900n, [0, 5]), ONE]
    const { verdict, digests } = judged(...items)
    expect(digests).to.deep.equal(items.map(digestOf))
    expect(verdict).to.deep.equal({ allowed: true, code: 'ALLOWED', rule: 'pay, sweep', reason: 'rules "pay", "sweep" allow this' })
    expect(judged(ONE, item(2n)).verdict).to.include({ rule: 'pay', reason: 'rule "pay" allows this' })
  })

  it('judge: one item that is denied denies all, and the verdict names the first', () => {
    for (const [items, said, code, rule] of [
      [[ONE, item(11n), ONE], 'item 2 of 3: closest rule "pay": ', 'AMOUNT_OVER_LIMIT', 'pay'],
      [[ONE, item(900n)], 'item 2 of 2: closest rule "pay": ', 'AMOUNT_OVER_LIMIT', 'pay'],
      [[item(1n, [0, 9]), ONE, item(11n)], 'item 1 of 3: rule "frozen" denies this', 'POLICY_DENY_RULE', 'frozen'],
    ] as const) {
      const { verdict, digests } = judged(...items)
      expect(verdict).to.include({ allowed: false, code, rule })
      expect(verdict.reason.slice(0, said.length)).to.equal(said)
      expect(digests).to.deep.equal(items.map(digestOf))
    }
  })

  it('judge: an item that does not decode, or whose path leads nowhere, is named too', () => {
    const broken = { payload: utf8('x'), path: [] }
    for (const [items, said, code] of [
      [[broken], 'evm.tx: ', 'PAYLOAD_UNDECODABLE'],
      [[ONE, ONE, broken], 'item 3 of 3: evm.tx: ', 'PAYLOAD_UNDECODABLE'],
      [[item(1n, [2 ** 31]), ONE], 'item 1 of 2: ', 'BAD_PATH'],
    ] as const) {
      let error: unknown
      try {
        judged(...items)
      } catch (thrown) {
        error = thrown
      }
      expect(codeOf(error)).to.equal(code)
      expect(messageOf(error).slice(0, said.length)).to.equal(said)
    }
  })

  it('judge: who asks counts only where the policy says whose signature shows it', () => {
    const named = parsePolicy(`
version: 1
sequence: 1
requesters: [{ name: exchange, key: 'ed25519:d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a' }]
rules:
  - name: pay
    effect: allow
    when: { requesters: [exchange], chains: [31337], destinations: ['${ALLOWED}'], amountMaxWei: '10' }
`)
    const { requesters: _, ...unsigned } = named
    const codeFor = (rules: Policy, requester: string) =>
      new Judge({ clusterId: '11'.repeat(32), policies: { present: inForce(rules) } }).judge(
        { requestId: requestId(1), keyId: 'k', payloadType: 'evm.tx', items: [ONE], terms: { ...TERMS, requester } },
        KEY,
      ).verdict.code
    expect(codeFor(named, 'exchange')).to.equal('ALLOWED')
    expect(codeFor(named, 'payroll')).to.equal('REQUESTER_NOT_ALLOWED')
    expect(codeFor(unsigned, 'exchange')).to.equal('REQUESTER_NOT_ALLOWED')
  })

  it('judge: all payloads of a request together have a limit', () => {
    const half = { payload: new Uint8Array(PAYLOAD_BYTES_MAX / 2).fill(1), path: [] }
    const more = { payload: Uint8Array.of(1), path: [] }
    const codeFor = (...items: readonly ProposedItem[]) => {
      try {
        judged(...items)
        return 'allowed'
      } catch (error) {
        return codeOf(error)
      }
    }
    expect(codeFor(half, half)).to.equal('PAYLOAD_UNDECODABLE')
    expect(codeFor(half, half, more)).to.equal('PAYLOAD_TOO_LARGE')
  })
})
