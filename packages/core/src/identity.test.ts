import { ed25519 } from '@noble/curves/ed25519.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { expect } from 'chai'
import { fromHex, toHex } from './bytes.ts'
import { ConfigError } from './errors.ts'
import { tagged } from './hash.ts'
import { type IdentityKey, parseIdentityKey, verifyIdentity } from './identity.ts'

const secret = new Uint8Array(32).fill(7)
const SIGNERS: readonly { readonly key: IdentityKey; readonly sign: (m: Uint8Array) => Uint8Array }[] = [
  { key: { type: 'ed25519', publicKey: ed25519.getPublicKey(secret) }, sign: (m) => ed25519.sign(m, secret) },
  { key: { type: 'secp256k1', publicKey: secp256k1.getPublicKey(secret) }, sign: (m) => secp256k1.sign(m, secret, { format: 'der' }) },
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
    expect(() => parseIdentityKey('secp256k1', new Uint8Array(33))).to.throw(ConfigError)
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
