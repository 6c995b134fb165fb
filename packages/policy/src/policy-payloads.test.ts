import { codeOf, fromHex, messageOf, toHex } from '@conclave/core'
import { expect } from 'chai'
import type { DecodeContext } from './decode-context.ts'
import { decodePayload, type PayloadType } from './decoded-payload.ts'
import { evaluate } from './evaluate.ts'
import { SUPPLIER as TOKEN, unsigned, unsignedLegacy } from './naive-rlp.fixture.ts'
import { policyHash } from './policy.ts'
import { parsePolicy } from './policy-file.ts'

const PAYEE = '0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC'
const OTHER = '0x90F79bf6EB2c4f870365E785982E1f101E93b906'
const payee = PAYEE.slice(2).toLowerCase().padStart(64, '0')
const transfer = (units: number) => unsigned({ value: 0n, data: fromHex(`a9059cbb${payee}${units.toString(16).padStart(64, '0')}`) })
const approve = unsigned({ value: 0n, data: fromHex(`095ea7b3${payee}${'ff'.repeat(32)}`) })
const blind = unsigned({ value: 0n, data: Uint8Array.of(1, 2, 3, 4) })
const creation = unsigned({ to: '', data: Uint8Array.of(1) })

const policyOf = (...rules: readonly string[]) =>
  parsePolicy(`version: 1\nsequence: 1\nrules:\n${rules.map((rule, i) => `  - {name: r${i}, ${rule}}\n`).join('')}`)
const allow = (when: string) => `effect: allow, when: {chains: [31337], amountMaxWei: "1000000000000000000", ${when}}`
const deny = (when: string) => `effect: deny, when: {${when}}`

function verdict(rules: readonly string[], bytes: Uint8Array, type: PayloadType = 'evm.tx', context: DecodeContext = {}): string {
  return evaluate(policyOf(...rules), { keyId: 'k', path: [], payload: decodePayload(type, bytes, context) }).code
}

function problem(rule: string): string {
  try {
    policyOf(rule)
    return 'accepted'
  } catch (error) {
    expect(codeOf(error)).equal('BAD_POLICY')
    return messageOf(error)
  }
}

const both = `destinations: ["${TOKEN}", "${PAYEE}"]`
const limit = `tokenAmountsMax: {"${TOKEN.toLowerCase()}": "42"}`

describe('policy: payloads', () => {
  it('policy: an allow rule has to list every destination, the token and whom it goes to', () => {
    const rule = (destinations: string) => [allow(`${destinations}, data: known, ${limit}`)]
    expect(verdict(rule(both), transfer(42))).equal('ALLOWED')
    expect(verdict(rule(`destinations: ["${TOKEN}"]`), transfer(42))).equal('DESTINATION_NOT_ALLOWED')
    expect(verdict(rule(`destinations: ["${PAYEE}"]`), transfer(42))).equal('DESTINATION_NOT_ALLOWED')
  })

  it('policy: a deny rule holds for any destination', () => {
    const allowed = allow(`${both}, data: known, ${limit}`)
    for (const to of [TOKEN, PAYEE])
      expect(verdict([allowed, deny(`destinations: ["${to}", "${OTHER}"]`)], transfer(1))).equal('POLICY_DENY_RULE')
    expect(verdict([allowed, deny(`destinations: ["${OTHER}"]`)], transfer(1))).equal('ALLOWED')
  })

  it('policy: calls are allowed as far as they are understood', () => {
    const open = `destinations: ["${TOKEN}", "${PAYEE}", contract-creation], ${limit}`
    expect(verdict([allow(open)], transfer(1))).equal('DATA_NOT_ALLOWED')
    expect(verdict([allow(`${open}, data: known`)], transfer(1))).equal('ALLOWED')
    for (const bytes of [blind, creation]) {
      expect(verdict([allow(`${open}, data: known`)], bytes)).equal('DATA_NOT_ALLOWED')
      expect(verdict([allow(`${open}, data: any`)], bytes)).equal('ALLOWED')
    }
    expect(verdict([allow(`${both}, data: any`)], creation)).equal('DESTINATION_NOT_ALLOWED')
  })

  it('policy: methods that are not listed are refused, blind ones too', () => {
    const rule = (data: string) => [allow(`${both}, ${limit}, data: ${data}, methods: ["transfer(address,uint256)"]`)]
    expect(verdict(rule('known'), transfer(1))).equal('ALLOWED')
    expect(verdict(rule('known'), approve)).equal('METHOD_NOT_ALLOWED')
    expect(verdict(rule('any'), blind)).equal('METHOD_NOT_ALLOWED')
    expect(verdict(rule('any'), unsigned())).equal('ALLOWED')
  })

  it('policy: tokens move up to the limit of their contract, and not without one', () => {
    expect(verdict([allow(`${both}, data: known, ${limit}`)], transfer(43))).equal('AMOUNT_OVER_LIMIT')
    expect(verdict([allow(`${both}, data: known, ${limit}`)], approve)).equal('AMOUNT_OVER_LIMIT')
    expect(verdict([allow(`${both}, data: any, ${limit}`)], transfer(43))).equal('AMOUNT_OVER_LIMIT')
    expect(verdict([allow(`${both}, data: known, tokenAmountsMax: {"${OTHER}": "42"}`)], transfer(1))).equal('TOKEN_NOT_ALLOWED')
    expect(verdict([allow(`${both}, data: known`)], transfer(1))).equal('TOKEN_NOT_ALLOWED')
    expect(verdict([allow(`${both}, data: any`)], transfer(1))).equal('ALLOWED')
  })

  it('policy: a transaction of every chain needs chain 0, and any chain denies it', () => {
    const to = `destinations: ["${TOKEN}"], amountMaxWei: "1000000000000000000"`
    const chains = (list: string) => `effect: allow, when: {chains: [${list}], ${to}}`
    expect(verdict([chains('31337')], unsignedLegacy())).equal('CHAIN_NOT_ALLOWED')
    expect(verdict([chains('0')], unsignedLegacy())).equal('ALLOWED')
    expect(verdict([chains('0')], unsigned())).equal('CHAIN_NOT_ALLOWED')
    expect(verdict([chains('0'), deny('chains: [1]')], unsignedLegacy())).equal('POLICY_DENY_RULE')
    expect(verdict([chains('31337'), deny('chains: [1]')], unsigned())).equal('ALLOWED')
  })

  it('policy: a bare digest needs a rule of its own, and whatever denies anything denies it', () => {
    const digest = new Uint8Array(32).fill(7)
    const raw = 'effect: allow, when: {payload: raw}'
    expect(verdict([allow(`${both}, data: any`)], digest, 'raw')).equal('PAYLOAD_NOT_ALLOWED')
    expect(verdict([raw], digest, 'raw')).equal('ALLOWED')
    expect(verdict([raw], unsigned())).equal('PAYLOAD_NOT_ALLOWED')
    for (const when of ['', 'chains: [1]', `destinations: ["${OTHER}"]`, `chains: [1], destinations: ["${OTHER}"]`])
      expect(verdict([raw, deny(when)], digest, 'raw')).equal('POLICY_DENY_RULE')
    expect(verdict([raw, deny(`payload: evm.tx, destinations: ["${OTHER}"]`)], digest, 'raw')).equal('ALLOWED')
    const rule = evaluate(
      { version: 1, sequence: 1, rules: [{ name: 'r', effect: 'allow', when: { payload: 'raw', destinations: [OTHER] } }] },
      { keyId: 'k', path: [], payload: decodePayload('raw', digest) },
    )
    expect(rule.code).equal('DESTINATION_NOT_ALLOWED')
  })

  it('raw: a digest is 32 bytes and is shown whole', () => {
    const digest = new Uint8Array(32).fill(7)
    expect(decodePayload('raw', digest)).deep.include({
      digest,
      digests: [{ digest, path: undefined }],
      call: 'blind',
      destinations: undefined,
    })
    expect(decodePayload('raw', digest).summary.at(-1)?.value).equal(`0x${toHex(digest)}`)
    for (const bytes of [new Uint8Array(31), new Uint8Array(33), new Uint8Array(0)])
      expect(() => decodePayload('raw', bytes)).throw(/32 bytes/)
  })

  it('policy: an allow rule states what its payload needs and nothing that it does not have', () => {
    expect(problem('effect: allow, when: {}')).match(/an allow rule must state "chains"/)
    expect(problem(`effect: allow, when: {chains: [1], destinations: ["${PAYEE}"]}`)).match(/must state "amountMaxWei"/)
    expect(problem('effect: allow, when: {payload: raw, chains: [1]}')).match(/"chains" is not a condition of payload raw/)
    expect(problem(allow(`${both}, amountMaxSat: "1"`))).match(/"amountMaxSat" is not a condition of payload evm.tx/)
    expect(problem(allow(`${both}, methods: ["transfer"]`))).match(/a method is its signature/)
    expect(problem(allow(`${both}, tokenAmountsMax: {}`))).match(/1 to 10000 tokens/)
    expect(problem(allow(`${both}, tokenAmountsMax: {"0x12": "1"}`))).match(/40 hexadecimal digits/)
    expect(problem(allow(`${both}, tokenAmountsMax: {"${TOKEN}": 1}`))).match(/quoted whole number/)
    expect(problem(allow(`${both}, tokenAmountsMax: {"${TOKEN}": "1", "${TOKEN.toLowerCase()}": "2"}`))).match(/listed twice/)
    for (const name of ['tokenAmountsMax', 'methods', 'primaryTypes', 'feeMaxSat'])
      expect(problem(deny(`${name}: [a]`))).match(/belongs in an allow rule/)
  })

  it('policy: what a rule says of tokens and methods is in the hash', () => {
    const rules = [
      both,
      `${both}, data: known`,
      `${both}, data: known, ${limit}`,
      `${both}, data: known, tokenAmountsMax: {"${TOKEN}": "43"}`,
      `${both}, data: known, tokenAmountsMax: {"${OTHER}": "42"}`,
      `${both}, data: known, methods: ["a()"]`,
      `${both}, data: known, methods: ["b()"]`,
    ]
    const hashes = rules.map((rule) => toHex(policyHash(policyOf(allow(rule)))))
    expect(new Set(hashes).size).equal(rules.length)
    expect(toHex(policyHash(policyOf(allow(`${both}, data: known, tokenAmountsMax: {"${TOKEN}": "42"}`))))).equal(hashes[2])
  })
})
