import { generateKeyPairSync, sign } from 'node:crypto'
import { ed25519 } from '@noble/curves/ed25519.js'
import { p256 } from '@noble/curves/nist.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { expect } from 'chai'
import { fromHex, toHex } from './bytes.ts'
import { ConfigError } from './errors.ts'
import { tagged } from './hash.ts'
import { IDENTITY_SIGNATURE_BYTES_MAX, type IdentityKey, parseIdentityKey, sameIdentity, verifyIdentity } from './identity.ts'

const secret = new Uint8Array(32).fill(7)
const SIGNERS: readonly { readonly key: IdentityKey; readonly sign: (m: Uint8Array) => Uint8Array }[] = [
  { key: { type: 'ed25519', publicKey: ed25519.getPublicKey(secret) }, sign: (m) => ed25519.sign(m, secret) },
  { key: { type: 'secp256k1', publicKey: secp256k1.getPublicKey(secret) }, sign: (m) => secp256k1.sign(m, secret, { format: 'der' }) },
  {
    key: { type: 'p256', publicKey: p256.getPublicKey(secret) },
    sign: (m) => p256.sign(m, secret, { prehash: true, lowS: true, format: 'der' }),
  },
]

describe('identity', () => {
  it('identity: malformed signatures and keys are false or typed, never a crash', () => {
    for (const { key, sign } of SIGNERS) {
      const message = tagged('m')
      const good = sign(message)
      expect(verifyIdentity(key, message, good)).to.equal(true)
      expect(verifyIdentity(key, tagged('n'), good)).to.equal(false)
      for (const bad of [new Uint8Array(0), new Uint8Array(64), good.subarray(1), Uint8Array.from([...good, 0])])
        expect(verifyIdentity(key, message, bad)).to.equal(false)
    }
    expect(() => parseIdentityKey('rsa', new Uint8Array(32))).to.throw(ConfigError)
    for (const type of ['secp256k1', 'p256']) {
      for (const bad of [new Uint8Array(33), new Uint8Array(65), Uint8Array.of(2, ...new Uint8Array(32).fill(0xff))])
        expect(() => parseIdentityKey(type, bad))
          .to.throw(ConfigError)
          .with.property('code', 'BAD_IDENTITY')
    }
  })

  it('identity: a key of one curve is none of the other, and a signature neither', () => {
    const [, k1, r1] = SIGNERS as [(typeof SIGNERS)[0], (typeof SIGNERS)[0], (typeof SIGNERS)[0]]
    const message = tagged('m')
    for (const [a, b] of [
      [k1, r1],
      [r1, k1],
    ] as const) {
      expect(verifyIdentity({ type: b.key.type, publicKey: a.key.publicKey }, message, a.sign(message))).to.equal(false)
      expect(sameIdentity({ type: b.key.type, publicKey: a.key.publicKey }, a.key)).to.equal(false)
    }
  })

  it('identity: an ECDSA signature has one form: DER, low s, every number at its shortest', () => {
    const message = tagged('m')
    for (const [type, curve] of [
      ['secp256k1', secp256k1],
      ['p256', p256],
    ] as const) {
      const key = { type, publicKey: curve.getPublicKey(secret) }
      const { r, s } = curve.Signature.fromBytes(curve.sign(message, secret, { prehash: true, lowS: true }), 'compact')
      const good = new curve.Signature(r, s)
      expect(verifyIdentity(key, message, good.toBytes('der'))).to.equal(true)
      const twin = new curve.Signature(r, curve.Point.Fn.ORDER - s)
      expect(twin.hasHighS()).to.equal(true)
      // The same numbers: what a token gives, the other s, a zero before r, lengths in the long form, something behind the end.
      const der = good.toBytes('der')
      const rLength = der[3] as number
      const forms = {
        raw: good.toBytes('compact'),
        recovered: Uint8Array.of(0, ...good.toBytes('compact')),
        'high s': twin.toBytes('der'),
        'long number': Uint8Array.of(0x30, (der[1] as number) + 1, 2, rLength + 1, 0, ...der.slice(4)),
        'long length': Uint8Array.of(0x30, 0x81, ...der.slice(1)),
        trailing: Uint8Array.of(...der, 0),
        'trailing inside': Uint8Array.of(0x30, (der[1] as number) + 2, ...der.slice(2), 5, 0),
        negative: Uint8Array.of(0x30, der[1] as number, 2, rLength, 0x80 | (der[4] as number), ...der.slice(5)),
      }
      for (const [what, form] of Object.entries(forms)) expect(verifyIdentity(key, message, form), `${type}: ${what}`).to.equal(false)
      expect(der.length).to.be.at.most(IDENTITY_SIGNATURE_BYTES_MAX)
    }
  })

  it('identity: P-256 verifies what OpenSSL signs, once its s is low', () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const { x, y } = publicKey.export({ format: 'jwk' })
    const point = Buffer.concat([Uint8Array.of(4), ...[x, y].map((c) => Buffer.from(c ?? '', 'base64url'))])
    const key = parseIdentityKey('p256', p256.Point.fromBytes(Uint8Array.from(point)).toBytes(true))
    let high = 0
    for (let i = 0; i < 24; i++) {
      const message = tagged('openssl', Uint8Array.of(i))
      const theirs = p256.Signature.fromBytes(Uint8Array.from(sign('sha256', message, privateKey)), 'der')
      if (theirs.hasHighS()) high++
      expect(verifyIdentity(key, message, theirs.toBytes('der'))).to.equal(!theirs.hasHighS())
      const low = theirs.hasHighS() ? new p256.Signature(theirs.r, p256.Point.Fn.ORDER - theirs.s) : theirs
      expect(verifyIdentity(key, message, low.toBytes('der'))).to.equal(true)
    }
    expect(high).to.be.within(1, 23)
  })

  it('identity: a key under which anybody can sign, or with a second encoding, is refused', () => {
    // The identity, the point of order 2, one of order 4, one of order 8 (RFC 7748's curve, Edwards form), and y = p + 3.
    for (const hex of [
      `01${'00'.repeat(31)}`,
      `ec${'ff'.repeat(30)}7f`,
      '00'.repeat(32),
      'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
      `f0${'ff'.repeat(30)}7f`,
    ])
      expect(() => parseIdentityKey('ed25519', fromHex(hex)), hex).to.throw(ConfigError)
  })

  it('identity: an Ed25519 signature has one form, and RFC 8032 says which', () => {
    // RFC 8032, 7.1, test 2.
    const key = parseIdentityKey('ed25519', fromHex('3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c'))
    const signature = fromHex(
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
    )
    expect(verifyIdentity(key, fromHex('72'), signature)).to.equal(true)
    for (let bit = 0; bit < 512; bit += 7) {
      const flipped = signature.map((b, i) => (i === bit >> 3 ? b ^ (1 << (bit & 7)) : b))
      expect(verifyIdentity(key, fromHex('72'), flipped), `bit ${bit}`).to.equal(false)
    }
    // S + L is the same number mod L.
    const order = 2n ** 252n + 27742317777372353535851937790883648493n
    const s = BigInt(`0x${toHex(signature.slice(32).reverse())}`) + order
    const twin = Uint8Array.from([...signature.slice(0, 32), ...fromHex(s.toString(16).padStart(64, '0')).reverse()])
    expect(verifyIdentity(key, fromHex('72'), twin)).to.equal(false)
  })
})
