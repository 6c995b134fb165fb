import { inspect } from 'node:util'
import { expect } from 'chai'
import fc from 'fast-check'
import { concat, equalBytes, fromHex, toHex, u32, xor } from './bytes.ts'
import { InvalidArgument } from './errors.ts'
import { checkThreshold, parseKeyId, parsePartyId, parsePartySet } from './ids.ts'
import { seededRandom } from './random.ts'
import { SecretBytes, SecretScope, wipe } from './secret-bytes.ts'

const refused = (act: () => unknown, code: string) => expect(act).to.throw(InvalidArgument).with.property('code', code)

describe('core', () => {
  it('bytes: hex goes both ways and is strict', () => {
    fc.assert(fc.property(fc.uint8Array(), (b) => toHex(fromHex(toHex(b))) === toHex(b)))
    for (const bad of ['0', 'zz', '0x00', ' 00', '00\n']) refused(() => fromHex(bad), 'BAD_HEX')
    refused(() => fromHex('0000', 1), 'BAD_HEX')
  })

  it('bytes: equality, xor, concatenation, big-endian', () => {
    expect(equalBytes(fromHex('0102'), fromHex('0102'))).to.equal(true)
    expect(equalBytes(fromHex('0102'), fromHex('0103'))).to.equal(false)
    expect(equalBytes(fromHex('01'), fromHex('0101'))).to.equal(false)
    expect(toHex(xor(fromHex('ff00'), fromHex('0f0f')))).to.equal('f00f')
    refused(() => xor(fromHex('ff'), fromHex('')), 'BAD_LENGTH')
    expect(toHex(concat(fromHex('01'), fromHex(''), fromHex('0203')))).to.equal('010203')
    expect(toHex(u32(0x01020304))).to.equal('01020304')
    for (const bad of [-1, 2 ** 32, 0.5, Number.NaN]) refused(() => u32(bad), 'BAD_NUMBER')
  })

  it('ids: index 0, q, fractions, duplicates and bad thresholds are refused', () => {
    const q = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
    for (const bad of [0, -1, 10, 1.5, Number.NaN, Number(q)]) refused(() => parsePartyId(bad), 'BAD_PARTY')
    refused(() => parsePartyId(4, 3), 'BAD_PARTY')
    refused(() => parsePartySet([1, 2, 2]), 'BAD_PARTY_SET')
    expect(parsePartySet([5, 1, 3])).to.deep.equal([1, 3, 5])
    for (const [t, n] of [
      [1, 3],
      [4, 3],
      [3, 10],
      [2.5, 5],
    ] as const)
      refused(() => checkThreshold(t, n), 'BAD_THRESHOLD')
    for (const bad of ['', '-a', 'A', 'a/b', 'a'.repeat(64), 'a\n']) refused(() => parseKeyId(bad), 'BAD_KEY_ID')
  })

  it('secrets: never print, are wiped on dispose, and refuse use afterwards', () => {
    const bytes = fromHex('deadbeef')
    const secret = new SecretBytes(bytes)
    for (const shown of [`${secret}`, JSON.stringify({ secret }), inspect(secret), inspect({ secret })])
      expect(shown).to.not.match(/dead|222|173/)
    secret[Symbol.dispose]()
    expect(toHex(bytes)).to.equal('00000000')
    expect(() => secret.bytes)
      .to.throw()
      .with.property('code', 'SECRET_WIPED')
  })

  it('secrets: a scope wipes on throw', () => {
    const bytes = fromHex('0102')
    expect(() => {
      using scope = new SecretScope()
      scope.own(bytes)
      throw new Error('abort')
    }).to.throw('abort')
    expect(toHex(bytes)).to.equal('0000')
  })

  it('secrets: wiping a transferred buffer does nothing', () => {
    const bytes = new Uint8Array(4)
    structuredClone(bytes, { transfer: [bytes.buffer] })
    expect(() => wipe(bytes)).to.not.throw()
  })

  it('random: a seed decides everything, calls differ', () => {
    const [a, b] = [seededRandom(u32(1)), seededRandom(u32(1))]
    expect(toHex(a.bytes(40))).to.equal(toHex(b.bytes(40)))
    expect(toHex(a.bytes(40))).to.not.equal(toHex(a.bytes(40)))
    expect(toHex(seededRandom(u32(1)).bytes(8))).to.not.equal(toHex(seededRandom(u32(2)).bytes(8)))
  })
})
