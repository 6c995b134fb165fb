import { codeOf, messageOf, toHex, utf8 } from '@conclave/core'
import { expect } from 'chai'
import { TypedDataEncoder } from 'ethers/hash'
import fc from 'fast-check'
import { decodePayload } from './decoded-payload.ts'
import { evaluate } from './evaluate.ts'
import { parsePolicy } from './policy-file.ts'
import { MAIL, MAIL_DIGEST, permit, typedBytes } from './typed-data.fixture.ts'
import { confirmTypedData, TYPED_DATA_BYTES_MAX } from './typed-data.ts'
import { TYPED_LEAVES_MAX } from './typed-data-fields.ts'

const CONTRACT = MAIL.domain.verifyingContract
const SPENDER = '0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC'
const decode = (typed: unknown) => decodePayload('eip712', typedBytes(typed))

function codeFor(run: () => unknown): string {
  try {
    run()
    return 'accepted'
  } catch (error) {
    return codeOf(error)
  }
}
function refused(typed: unknown, why = /./): void {
  try {
    decode(typed)
  } catch (error) {
    expect(codeOf(error)).equal('PAYLOAD_UNDECODABLE')
    expect(messageOf(error)).match(why)
    return
  }
  throw new Error(`accepted: ${JSON.stringify(typed)}`)
}

/** The example with one member of one type, whose value is `value`. */
const one = (type: string, value: unknown) => ({
  types: { EIP712Domain: MAIL.types.EIP712Domain, One: [{ name: 'x', type }] },
  primaryType: 'One',
  domain: MAIL.domain,
  message: { x: value },
})
const shownOf = (type: string, value: unknown) => decode(one(type, value)).leaves.map((leaf) => leaf.text)

describe('eip712', () => {
  it('eip712: the example of the EIP has the digest of the EIP', () => {
    const typed = decode(MAIL)
    expect(toHex(typed.digest)).equal(MAIL_DIGEST)
    expect(typed).deep.include({ chainId: 1n, primaryType: 'Mail', method: 'Mail', verifyingContract: CONTRACT, call: 'known' })
    expect(typed.destinations).deep.equal([{ id: CONTRACT, text: CONTRACT }])
    expect(typed.summary.map(({ label, value }) => `${label}: ${value}`)).deep.equal([
      'Type: EIP-712 typed data',
      'Chain id: 1',
      `Verifying contract: ${CONTRACT}`,
      'Domain name: "Ether Mail"',
      'Domain version: "1"',
      'Primary type: Mail',
      'Field from.name (string): "Cow"',
      `Field from.wallet (address): ${MAIL.message.from.wallet}`,
      'Field to.name (string): "Bob"',
      `Field to.wallet (address): ${MAIL.message.to.wallet}`,
      'Field contents (string): "Hello, Bob!"',
      `Digest: 0x${MAIL_DIGEST}`,
    ])
  })

  it('eip712: text that is not the one text of its JSON is refused', () => {
    const text = new TextDecoder().decode(typedBytes(MAIL))
    const decodedText = (changed: string) => codeFor(() => decodePayload('eip712', utf8(changed)))
    expect(decodedText(text)).equal('accepted')
    for (const changed of [
      ...[JSON.stringify(MAIL), ` ${text}`, `${text}\n`, `\ufeff${text}`, text.replace('"chainId":1', '"chainId":1.0'), ''],
      text.replace('"contents":', '"contents":"Send all","contents":'),
      text.replace('Hello', '\\u0048ello'),
      text.replace('"chainId":1', '"chainId":1e0'),
      ...['null', '1', '[]', '{}', '"x"', '{'],
    ])
      expect(decodedText(changed), changed).equal('PAYLOAD_UNDECODABLE')
    expect(codeFor(() => decodePayload('eip712', typedBytes(MAIL).with(9, 0xff)))).equal('PAYLOAD_UNDECODABLE')
    expect(decodedText('['.repeat(TYPED_DATA_BYTES_MAX / 2) + ']'.repeat(TYPED_DATA_BYTES_MAX / 2))).equal('PAYLOAD_UNDECODABLE')
    expect(codeFor(() => decode(one('string', 'a'.repeat(TYPED_DATA_BYTES_MAX))))).equal('PAYLOAD_UNDECODABLE')
  })

  it('eip712: members that are missing or not declared are refused', () => {
    const { from: _, ...rest } = MAIL.message
    refused({ ...MAIL, message: rest })
    refused({ ...MAIL, message: { ...MAIL.message, more: 1 } })
    refused({ ...MAIL, message: { ...MAIL.message, from: { ...MAIL.message.from, more: 1 } } })
    refused({ ...MAIL, more: 1 })
    refused({ ...MAIL, domain: { ...MAIL.domain, salt: `0x${'00'.repeat(32)}` } })
    refused({ ...MAIL, domain: { name: 'Ether Mail', version: '1', chainId: 1 } })
  })

  it('eip712: types that are unused, circular, misnamed or not declared are refused', () => {
    const withTypes = (types: object) => ({ ...MAIL, types: { ...MAIL.types, ...types } })
    refused(withTypes({ Other: [{ name: 'x', type: 'bool' }] }))
    refused({ ...MAIL, primaryType: 'Person', message: MAIL.message.from }, /a type that the message does not use/)
    refused({ ...MAIL, primaryType: 'EIP712Domain', message: MAIL.domain })
    refused({ ...MAIL, primaryType: 'toString' })
    refused({ ...MAIL, primaryType: 1 })
    refused(withTypes({ Person: [...MAIL.types.Person, { name: 'mail', type: 'Mail' }] }))
    refused(withTypes({ Person: [...MAIL.types.Person, MAIL.types.Person[0]] }))
    refused(withTypes({ Person: [] }))
    refused(withTypes({ Person: [{ name: 'name', type: 'string', more: 1 }] }))
    for (const name of ['', '1a', 'a b', 'a,b', '__proto__', 'constructor', 'x)']) {
      refused(withTypes({ Person: [{ name, type: 'string' }] }), /a name is/)
      refused(withTypes({ [name]: [{ name: 'x', type: 'string' }] }))
    }
    for (const type of ['bool', 'address', 'uint256', 'bytes', 'string', 'bytes4'])
      refused({ ...one(type, { y: true }), types: { ...one(type, 0).types, [type]: [{ name: 'y', type: 'bool' }] } }, /built-in/)
    for (const type of ['uint', 'int', 'uint7', 'uint264', 'bytes0', 'bytes33', 'Person', 'float', 'bool[', 'bool[0]', 'bool[]]', ''])
      refused(one(type, 1))
  })

  it('eip712: a domain has the members of EIP-712, in its order', () => {
    const withDomain = (fields: readonly object[], domain: object) => ({ ...MAIL, types: { ...MAIL.types, EIP712Domain: fields }, domain })
    const [name, version, chainId, contract] = MAIL.types.EIP712Domain
    const salt = { name: 'salt', type: 'bytes32' }
    const zero = `0x${'00'.repeat(32)}`
    expect(decode(withDomain([name], { name: 'x' }))).deep.include({ chainId: 0n, verifyingContract: undefined })
    expect(decode(withDomain([name, salt], { name: 'x', salt: zero })).summary.map((l) => l.value)).include('none: valid on EVERY chain')
    expect(decode(withDomain([salt], { salt: zero })).destinations).deep.equal([{ id: 'no-contract', text: 'no-contract' }])
    refused(withDomain([version, name], { name: 'x', version: '1' }), /EIP712Domain has members|1 to 128 members/)
    refused(withDomain([{ name: 'name', type: 'bytes' }], { name: '0x' }), /EIP712Domain has members|1 to 128 members/)
    refused(withDomain([name, { name: 'more', type: 'string' }], { name: 'x', more: 'y' }), /EIP712Domain has members|1 to 128 members/)
    refused(withDomain([name, name], { name: 'x' }))
    refused(withDomain([], {}), /EIP712Domain has members|1 to 128 members/)
    refused(withDomain([chainId], { chainId: 0 }))
    refused(withDomain([chainId], { chainId: '0x' }))
    refused(withDomain([contract], { verifyingContract: CONTRACT.slice(2) }))
    const { EIP712Domain: _, ...types } = MAIL.types
    refused({ ...MAIL, types })
  })

  it('eip712: values are shown as their types say, and nothing else passes', () => {
    const word = (byte: string, n: number) => `0x${byte.repeat(n)}`
    const good: readonly (readonly [string, unknown, readonly string[]])[] = [
      ['uint8', 255, ['255']],
      ['uint256', ((1n << 256n) - 1n).toString(), [((1n << 256n) - 1n).toString()]],
      ['uint256', '0xff', ['255']],
      ['int8', -128, ['-128']],
      ['int8', '127', ['127']],
      ['bool', false, ['false']],
      ['bytes', '0xAB', ['0xab']],
      ['bytes4', '0x01020304', ['0x01020304']],
      ['address', SPENDER.toLowerCase(), [SPENDER]],
      ['string', 'a\n\u202e', ['"a\\n\\u202e"']],
      ['uint8[]', [1, 2], ['1', '2']],
      ['uint8[]', [], ['empty']],
      ['uint8[2][]', [[1, 2]], ['1', '2']],
    ]
    for (const [type, value, texts] of good) expect(shownOf(type, value), type).deep.equal(texts)
    const bad: readonly (readonly [string, unknown])[] = [
      ...([
        ['uint8', 256],
        ['uint8', -1],
        ['uint8', '256'],
        ['uint8', 1.5],
        ['uint8', ''],
        ['uint8', '01'],
        ['uint8', '1 '],
        ['uint8', true],
      ] as const),
      ...([
        ['uint8', null],
        ['uint8', '-0x1'],
        ['uint8', [1]],
        ['int8', 128],
        ['int8', -129],
        ['uint256', 2 ** 53],
      ] as const),
      ...([
        ['bool', 1],
        ['bool', 'false'],
        ['bool', null],
        ['address', SPENDER.replace('C44', 'c44')],
        ['address', word('00', 19)],
      ] as const),
      ...([
        ['address', 1],
        ['bytes', 'ab'],
        ['bytes', '0xa'],
        ['bytes', [1]],
        ['bytes4', '0x010203'],
        ['bytes4', '0x0102030405'],
      ] as const),
      ...([
        ['string', 1],
        ['string', null],
        ['string', '\ud800'],
        ['uint8[]', 1],
        ['uint8[]', { 0: 1 }],
        ['uint8[2]', [1]],
        ['uint8[2]', [1, 2, 3]],
      ] as const),
    ]
    for (const [type, value] of bad) refused(one(type, value))
    for (const [type, value] of [
      ['uint8', -1],
      ['int8', -129],
    ] as const)
      refused(one(type, value), /out of the range/)
    for (const value of [[1], [1, 2, 3]]) refused(one('uint8[2]', value), /another length/)
  })

  it('eip712: more values than a person reads are refused', () => {
    expect(shownOf('bool[]', Array<boolean>(TYPED_LEAVES_MAX).fill(true)).length).equal(TYPED_LEAVES_MAX)
    refused(one('bool[]', Array<boolean>(TYPED_LEAVES_MAX + 1).fill(true)))
  })

  it('eip712: what two libraries do not hash alike is refused', () => {
    // 1290 members of types that no value has: one of the libraries counts them, the other does not.
    const names = Array.from({ length: 10 }, (_, i) => `T${i}`)
    const members = Array.from({ length: 128 }, (_, i) => ({ name: `m${i}`, type: 'bool' }))
    const lists = names.map((name) => ({ name: name.toLowerCase(), type: `${name}[]` }))
    const types = { EIP712Domain: MAIL.types.EIP712Domain, Main: lists, ...Object.fromEntries(names.map((name) => [name, members])) }
    const message = Object.fromEntries(lists.map(({ name }) => [name, []]))
    refused({ types, primaryType: 'Main', domain: MAIL.domain, message }, /not a valid eip712 payload/)
    const { digest } = decode(MAIL)
    expect(codeFor(() => confirmTypedData(MAIL, digest))).equal('accepted')
    expect(codeFor(() => confirmTypedData(MAIL, digest.with(31, 0)))).equal('PAYLOAD_UNDECODABLE')
  })

  it('eip712: every value is in the digest, which is that of a library', () => {
    const digests = new Set<string>()
    const values = fc.record({
      a: fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }),
      b: fc.array(fc.string(), { maxLength: 3 }),
      c: fc.boolean(),
    })
    const types = {
      T: ['a:uint256', 'b:string[]', 'c:bool'].map((f) => f.split(':') as [string, string]).map(([name, type]) => ({ name, type })),
    }
    fc.assert(
      fc.property(fc.uniqueArray(values, { maxLength: 2, selector: (v) => `${v.a} ${JSON.stringify(v.b)} ${v.c}` }), (list) => {
        digests.clear()
        for (const { a, b, c } of list) {
          const message = { a: a.toString(), b, c }
          const typed = decode({
            types: { EIP712Domain: MAIL.types.EIP712Domain, ...types },
            primaryType: 'T',
            domain: MAIL.domain,
            message,
          })
          expect(`0x${toHex(typed.digest)}`).equal(TypedDataEncoder.hash(MAIL.domain, types, message))
          digests.add(toHex(typed.digest))
        }
        expect(digests.size).equal(list.length)
      }),
      { numRuns: 50 },
    )
  })

  it('eip712: a permit says whom it empowers and with how much', () => {
    const typed = decode(permit(SPENDER, '42'))
    expect(typed.destinations?.map((d) => d.id)).deep.equal([CONTRACT, SPENDER])
    expect(typed.amounts).deep.equal([{ asset: CONTRACT, amount: 42n }])
    const other = permit(SPENDER, '42')
    const renamed = { ...other, types: { EIP712Domain: MAIL.types.EIP712Domain, Allow: other.types.Permit }, primaryType: 'Allow' }
    expect(decode(renamed).amounts).deep.equal([])
  })

  it('eip712: rules name contracts and primary types, and bound what a permit gives away', () => {
    const when = (more: string) => `{payload: eip712, chains: [1], ${more}}`
    const code = (rule: string, typed: unknown) => {
      const policy = parsePolicy(`version: 1\nsequence: 1\nrules:\n  - {name: r, effect: allow, when: ${rule}}\n`)
      return evaluate(policy, { keyId: 'k', path: [], payload: decode(typed) }).code
    }
    const contract = `destinations: ["${CONTRACT}", "${SPENDER}"]`
    expect(code(when(`${contract}, primaryTypes: [Mail]`), MAIL)).equal('ALLOWED')
    expect(code(when(`${contract}, primaryTypes: [Permit]`), MAIL)).equal('METHOD_NOT_ALLOWED')
    expect(code(when(`destinations: ["${SPENDER}"], primaryTypes: [Mail]`), MAIL)).equal('DESTINATION_NOT_ALLOWED')
    const bounded = when(`${contract}, primaryTypes: [Permit], tokenAmountsMax: {"${CONTRACT}": "42"}`)
    expect(code(bounded, permit(SPENDER, '42'))).equal('ALLOWED')
    expect(code(bounded, permit(SPENDER, '43'))).equal('AMOUNT_OVER_LIMIT')
    expect(code(bounded, permit(MAIL.message.to.wallet, '1'))).equal('DESTINATION_NOT_ALLOWED')
    expect(code(when(`${contract}, primaryTypes: [Permit]`), permit(SPENDER, '1'))).equal('TOKEN_NOT_ALLOWED')
  })
})
