import { ConfigError, toHex } from '@conclave/core'
import { expect } from 'chai'
import fc from 'fast-check'
import { SUPPLIER } from './naive-rlp.fixture.ts'
import { policyHash } from './policy.ts'
import { POLICY_CHARS_MAX, parsePolicy } from './policy-file.ts'

const EXAMPLE = `version: 1
sequence: 1
rules:
  - name: pay-suppliers
    effect: allow            # or deny
    when:
      keys: [treasury-1]
      payload: evm.tx
      chains: [31337]
      destinations: ['${SUPPLIER}']
      amountMaxWei: '1000000000000000000'
      feeMaxWei: '1000000000000000'
      data: none
  - name: frozen
    effect: deny
    when:
      keys: [treasury-9]
`

function refusal(text: string): ConfigError {
  try {
    parsePolicy(text, 'policy.yaml')
  } catch (error) {
    expect(error, String(error)).instanceOf(ConfigError)
    return error as ConfigError
  }
  expect.fail(`accepted:\n${text}`)
}

/** EXAMPLE with `from` replaced is refused at `line` with `message`. */
function expectRefused(from: string | RegExp, to: string, line: number, message: RegExp): void {
  const text = EXAMPLE.replace(from, to)
  expect(text).not.equal(EXAMPLE)
  const error = refusal(text)
  expect(error.code).equal('BAD_POLICY')
  expect(error.message).match(message)
  expect(error.message.startsWith(`policy.yaml:${line}: `), error.message).equal(true)
  expect(error.details).deep.include({ file: 'policy.yaml', line })
}

describe('parsePolicy', () => {
  it('a policy is read with exact amounts and checksummed addresses', () => {
    const when = { keys: ['treasury-1'], payload: 'evm.tx', chains: [31337n], destinations: [SUPPLIER], data: 'none' }
    expect(parsePolicy(EXAMPLE)).deep.equal({
      version: 1,
      sequence: 1,
      rules: [
        { name: 'pay-suppliers', effect: 'allow', when: { ...when, amountMaxWei: 10n ** 18n, feeMaxWei: 10n ** 15n } },
        { name: 'frozen', effect: 'deny', when: { keys: ['treasury-9'] } },
      ],
    })
  })

  it('an allow rule without optional conditions means any key, evm.tx, no data', () => {
    const when = `{chains: [1], destinations: ['${SUPPLIER.toLowerCase()}'], amountMaxWei: '0'}`
    const [rule] = parsePolicy(`{version: 1, sequence: 2, rules: [{name: a, effect: allow, when: ${when}}]}`).rules
    expect(rule?.when).deep.equal({ payload: 'evm.tx', chains: [1n], destinations: [SUPPLIER], amountMaxWei: 0n, data: 'none' })
  })

  it('a policy without rules and a deny rule without conditions are complete', () => {
    expect(parsePolicy('{version: 1, sequence: 1, rules: []}').rules).deep.equal([])
    expect(parsePolicy('{version: 1, sequence: 1, rules: [{name: halt, effect: deny, when: {}}]}').rules[0]?.when).deep.equal({})
  })

  it('unknown fields are refused at their line', () => {
    expectRefused('sequence: 1\n', 'sequence: 1\nseqence: 2\n', 3, /unknown field "seqence"/)
    expectRefused('    effect: allow', '    comment: x\n    effect: allow', 5, /rules\[0\]: unknown field "comment"/)
    expectRefused('      data: none', '      date: none', 13, /rules\[0\]\.when: unknown field "date"/)
    expectRefused('keys: [treasury-9]', 'keyz: [treasury-9]', 17, /unknown field "keyz"/)
    for (const name of ['__proto__', 'constructor', 'toString']) {
      expectRefused('sequence: 1\n', `sequence: 1\n${name}: {}\n`, 3, new RegExp(`unknown field "${name}"`))
    }
  })

  it('an allow rule without a bound is refused at its conditions', () => {
    expectRefused(/ {6}chains.*\n/, '', 6, /rules\[0\]\.when\.chains: an allow rule must state "chains"/)
    expectRefused(/ {6}destinations.*\n/, '', 6, /must state "destinations"/)
    expectRefused(/ {6}amountMaxWei.*\n/, '', 6, /must state "amountMaxWei"/)
    expectRefused(/ {4}when:\n( {6}.*\n)+ {2}-/, '  -', 4, /must state "when"/)
    expectRefused('chains: [31337]', 'chains: []', 9, /empty list/)
    expectRefused(`['${SUPPLIER}']`, '[]', 10, /empty list/)
    expectRefused('keys: [treasury-1]', 'keys: []', 7, /empty list/)
    expectRefused('keys: [treasury-1]', 'keys:', 7, /"keys" is a list/)
  })

  it('a deny rule with a bound is refused: it would let larger amounts through', () => {
    for (const bound of ["amountMaxWei: '5'", "feeMaxWei: '5'", 'data: none', 'data: any']) {
      expectRefused('keys: [treasury-9]', bound, 17, /belongs in an allow rule/)
    }
  })

  it('an amount that is not a quoted whole number is refused', () => {
    const bad = [
      '1000000000000000000',
      '1.5',
      '1e18',
      '0x10',
      'true',
      '[]',
      '~',
      "'1.5'",
      "'1e18'",
      "'01'",
      "'-1'",
      "'+1'",
      "'1_000'",
      "' 1'",
      "''",
    ]
    for (const text of [...bad, "'0x10'", "'\u0661'", '"1\\n"']) {
      expectRefused("'1000000000000000000'", text, 11, /quoted whole number of base units/)
      expectRefused("'1000000000000000'", text, 12, /quoted whole number of base units/)
    }
    expectRefused("'1000000000000000000'", `'${1n << 256n}'`, 11, /below 2\^256/)
    expect(parsePolicy(EXAMPLE.replace("'1000000000000000000'", `'${(1n << 256n) - 1n}'`)).rules.length).equal(2)
  })

  it('an address that is unquoted, mistyped or listed twice is refused', () => {
    expectRefused(`'${SUPPLIER}'`, SUPPLIER, 10, /put it in quotes/)
    expectRefused(SUPPLIER, SUPPLIER.replace('C8', 'c8'), 10, /checksum/)
    expectRefused(SUPPLIER, SUPPLIER.slice(0, -2), 10, /40 hexadecimal digits/)
    expectRefused(`'${SUPPLIER}'`, `'${SUPPLIER}', '${SUPPLIER.toLowerCase()}'`, 10, /listed twice/)
  })

  it('chain ids, keys, names and enumerations are validated', () => {
    for (const text of ['[1.5]', '[-1]', "['1']", '[9007199254740993]', '[.inf]', '[~]']) {
      expectRefused('[31337]', text, 9, /chain id/)
    }
    expectRefused('[31337]', '[1, 1]', 9, /listed twice/)
    expectRefused('[treasury-1]', '[Treasury]', 7, /key id/)
    expectRefused('[treasury-1]', '[17]', 7, /put it in quotes/)
    expectRefused('name: pay-suppliers', 'name: Pay suppliers', 4, /rule name/)
    expectRefused('name: frozen', 'name: pay-suppliers', 14, /two rules are named "pay-suppliers"/)
    expectRefused('effect: deny', 'effect: block', 15, /"allow" or "deny"/)
    expectRefused('payload: evm.tx', 'payload: sol.tx', 8, /"payload" is one of: evm.tx/)
    expectRefused('data: none', 'data: some', 13, /"none", "known" or "any"/)
    expectRefused('version: 1', 'version: 2', 1, /"version" must be 1/)
    for (const sequence of ['0', '-1', '1.5', '4294967296', "'1'"]) expectRefused('sequence: 1', `sequence: ${sequence}`, 2, /"sequence"/)
    expectRefused('sequence: 1\n', '', 1, /"sequence" is missing/)
  })

  it('YAML that says two things is refused', () => {
    expectRefused('sequence: 1\n', 'sequence: 1\nsequence: 2\n', 3, /stated twice/)
    expectRefused('      data: none', "      amountMaxWei: '9'", 13, /stated twice/)
    expectRefused('sequence: 1\n', 'sequence: 1\n"sequence": 2\n', 3, /"sequence" is stated twice/)
    expectRefused('data: none', 'data: {1: a, "1": b}', 13, /"1" is stated twice/)
    expectRefused('[treasury-1]', '&a [treasury-1]', 7, /anchors/)
    expectRefused('when:\n      keys: [treasury-9]', 'when: &a\n      keys: [treasury-9]', 17, /anchors/)
    expectRefused('when:\n      keys: [treasury-9]', 'when: !!map\n      keys: [treasury-9]', 17, /tags/)
    expectRefused('sequence: 1', '&k sequence: 1', 2, /anchors/)
    expectRefused('[treasury-1]', '[&a treasury-1]', 7, /anchors/)
    expectRefused('    when:\n      keys: [treasury-9]', '    when: *x', 16, /alias/i)
    expectRefused('keys: [treasury-9]', '<<: {keys: [treasury-9]}', 17, /unknown field "<<"/)
    expectRefused("'1000000000000000000'", '!!str 1000000000000000000', 11, /tags/)
    expectRefused('[treasury-1]', '!mine [treasury-1]', 7, /./)
    expectRefused('version: 1\n', '%YAML 1.1\n---\nversion: 1\n', 1, /directives/)
    expectRefused('version: 1\n', '%TAG ! tag:x,2000:\n---\nversion: 1\n', 1, /directives/)
    expect(refusal(`${EXAMPLE}---\nversion: 1\n`).message).match(/^policy.yaml:18: .*multiple documents/)
    expectRefused('version: 1', '? [a]\n: 1', 1, /strings/)
  })

  it('what is no policy at all is refused', () => {
    for (const text of ['', '~', '[]', 'policy', '\0', '{', '%', '\t- x', '['.repeat(5000), '- '.repeat(5000)]) {
      expect(refusal(text).code).equal('BAD_POLICY')
    }
    expect(refusal(' '.repeat(POLICY_CHARS_MAX + 1)).message).match(/longer than/)
    const rules = Array.from({ length: 257 }, (_, i) => `{name: r${i}, effect: deny, when: {}}`)
    expect(parsePolicy(`{version: 1, sequence: 1, rules: [${rules.slice(1).join(', ')}]}`).rules.length).equal(256)
    expect(refusal(`{version: 1, sequence: 1, rules: [${rules.join(', ')}]}`).message).match(/more than 256 rules/)
  })

  it('random edits of a file: only BAD_POLICY escapes', () => {
    const piece = fc.oneof(
      fc.string({ maxLength: 5 }),
      fc.constantFrom('\n', '  ', '- ', ': ', '&a ', '*a', '!!x ', "'", '"', '[', '{', '#', '|', '%'),
    )
    fc.assert(
      fc.property(fc.nat(EXAMPLE.length), fc.nat(6), piece, (at, remove, insert) => {
        try {
          parsePolicy(EXAMPLE.slice(0, at) + insert + EXAMPLE.slice(at + remove))
        } catch (error) {
          expect(error, String(error)).instanceOf(ConfigError)
        }
      }),
      { numRuns: 1000 },
    )
  })
})

describe('policyHash', () => {
  const hash = (text: string) => toHex(policyHash(parsePolicy(text)))

  it('layout, comments, letter case, stated defaults and list order do not count', () => {
    const two = EXAMPLE.replace('[31337]', '[31337, 1]')
    expect(hash(two)).equal(hash(EXAMPLE.replace('[31337]', '[1, 31337]')))
    expect(hash(EXAMPLE.replace('      data: none\n', '').replace(' # or deny', ''))).equal(hash(EXAMPLE))
    expect(hash(EXAMPLE.replace(SUPPLIER, SUPPLIER.toLowerCase()))).equal(hash(EXAMPLE))
  })

  it('everything else counts', () => {
    const changes: readonly (readonly [string | RegExp, string])[] = [
      ['sequence: 1', 'sequence: 2'],
      ['name: pay-suppliers', 'name: pay'],
      [/ {6}keys: \[treasury-1\]\n/, ''],
      ['keys: [treasury-1]', 'keys: [treasury-2]'],
      ['keys: [treasury-1]', 'keys: [treasury-1, treasury-2]'],
      ['[31337]', '[31338]'],
      ['[31337]', '[31337, 31338]'],
      ['70997970C51812dc3A010C7d01b50e0d17dc79C8', '70997970c51812dc3a010c7d01b50e0d17dc79c9'],
      ["'1000000000000000000'", "'1000000000000000001'"],
      ["'1000000000000000'", "'1000000000000001'"],
      [/ {6}feeMaxWei.*\n/, ''],
      ['data: none', 'data: any'],
      ['keys: [treasury-9]', 'chains: [9]'],
      ['keys: [treasury-9]', 'keys: [treasury-9]\n      payload: evm.tx'],
      [/ {2}- name: frozen\n.*\n.*\n.*\n/, ''],
    ]
    const hashes = changes.map(([from, to]) => hash(EXAMPLE.replace(from, to)))
    expect(new Set([hash(EXAMPLE), ...hashes]).size).equal(changes.length + 1)
  })

  it('rules have a place', () => {
    const rule = (name: string) => `{name: ${name}, effect: deny, when: {}}`
    const policy = (...names: string[]) => hash(`{version: 1, sequence: 1, rules: [${names.map(rule).join(', ')}]}`)
    expect(policy('a', 'b')).not.equal(policy('b', 'a'))
  })

  it('the format is frozen', () => {
    // Computed apart, in Python, from the definition of T and the order of the fields.
    expect(hash(EXAMPLE)).equal('fbf5a4c276c2eca196791c0deb3a3a80bc71d804b2da6e3bc4f443e6f1a02912')
  })
})
