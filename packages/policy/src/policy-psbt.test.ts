import { expect } from 'chai'
import { decodePayload } from './decoded-payload.ts'
import { evaluate } from './evaluate.ts'
import { parsePolicy } from './policy-file.ts'
import { type FixtureOutput, type FixturePsbt, PAYEE, psbtOf, ROOT } from './psbt.fixture.ts'

const OTHER = '1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH'
const allow = (more: string) => `effect: allow, when: {payload: btc.psbt, ${more}}`
const sats = (amount: number, fee: number) => `amountMaxSat: "${amount}", feeMaxSat: "${fee}"`
const to = (...addresses: readonly string[]) => `destinations: [${addresses.map((a) => `"${a}"`).join()}]`

function code(rules: readonly string[], plan: FixturePsbt = {}): string {
  const policy = parsePolicy(`version: 1\nsequence: 1\nrules:\n${rules.map((rule, i) => `  - {name: r${i}, ${rule}}\n`).join('')}`)
  const payload = decodePayload('btc.psbt', psbtOf(plan), { key: ROOT })
  return evaluate(policy, { keyId: 'k', path: [], payload }).code
}

const paying = (...outputs: readonly FixtureOutput[]): FixturePsbt => ({ outputs })
const exact = allow(`${to(PAYEE)}, ${sats(80_000, 1000)}`)

describe('policy: psbt', () => {
  it('policy: a PSBT is allowed up to what a rule states, and not a satoshi more', () => {
    expect(code([exact])).equal('ALLOWED')
    expect(code([allow(`${to(PAYEE)}, ${sats(79_999, 1000)}`)])).equal('AMOUNT_OVER_LIMIT')
    expect(code([allow(`${to(PAYEE)}, ${sats(80_000, 999)}`)])).equal('FEE_OVER_LIMIT')
  })

  it('policy: every output that is not change has to be listed, by the address of any network', () => {
    const plan = paying({ to: PAYEE, amountSat: 1n }, { to: OTHER, amountSat: 2n })
    const limits = sats(3, 200_000)
    expect(code([allow(`${to(PAYEE)}, ${limits}`)], plan)).equal('DESTINATION_NOT_ALLOWED')
    expect(code([allow(`${to(PAYEE, OTHER)}, ${limits}`)], plan)).equal('ALLOWED')
    const regtest = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080'
    expect(code([allow(`${to(regtest, OTHER)}, ${limits}`)], plan)).equal('ALLOWED')
    expect(code([allow(`${to('script:0014751e76e8199196d454941c45d1b3a323f1433bd6', OTHER)}, ${limits}`)], plan)).equal('ALLOWED')
    expect(code([allow(`${to(PAYEE, OTHER)}, ${limits}`), `effect: deny, when: {${to(OTHER)}}`], plan)).equal('POLICY_DENY_RULE')
  })

  it('policy: money that only moves within the key is bounded by its fee', () => {
    const plan = paying({ to: [1, 0], amountSat: 109_000n })
    expect(code([allow(`${to(PAYEE)}, ${sats(0, 1000)}`)], plan)).equal('ALLOWED')
    expect(code([allow(`${to(PAYEE)}, ${sats(0, 999)}`)], plan)).equal('FEE_OVER_LIMIT')
  })

  it('policy: a rule is for every child that signs and for every child that gets change', () => {
    const rule = (paths: string) => [allow(`paths: [${paths}], ${to(PAYEE)}, ${sats(80_000, 1000)}`)]
    expect(code(rule('"m/0/*", "m/1/*"'))).equal('ALLOWED')
    expect(code(rule('"m/0/*"'))).equal('PATH_NOT_ALLOWED')
    expect(code(rule('"m/0/5", "m/1/0"'))).equal('PATH_NOT_ALLOWED')
    for (const path of ['m/0/5', 'm/0/6', 'm/1/0'])
      expect(code([exact, `effect: deny, when: {paths: ["${path}"]}`])).equal('POLICY_DENY_RULE')
    for (const path of ['m', 'm/0/7']) expect(code([exact, `effect: deny, when: {paths: ["${path}"]}`])).equal('ALLOWED')
  })

  it('policy: a chain of Ethereum says nothing of Bitcoin', () => {
    expect(code([exact, 'effect: deny, when: {chains: [1]}'])).equal('ALLOWED')
    expect(() => code([allow(`${to(PAYEE)}, ${sats(1, 1)}, chains: [1]`)])).throw(/not a condition of payload btc.psbt/)
    expect(() => code([allow(`${to(PAYEE)}, amountMaxSat: "1"`)])).throw(/must state "feeMaxSat"/)
  })
})
