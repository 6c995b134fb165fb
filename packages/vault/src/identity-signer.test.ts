import { ConfigError, toHex, utf8, VaultError, verifyIdentity } from '@conclave/core'
import { ed25519 } from '@noble/curves/ed25519.js'
import { p256 } from '@noble/curves/nist.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { expect } from 'chai'
import { refusal } from './conformance.ts'
import { parseEcPoint, tokenSigner } from './identity-signer.ts'
import { MemoryDevice } from './memory-hsm.ts'

const SECRET_KEY = new Uint8Array(32).fill(9)
const ED = ed25519.getPublicKey(SECRET_KEY)
const CURVES = { secp256k1, p256 } as const
const EC = ['secp256k1', 'p256'] as const
const octets = (point: Uint8Array) => Uint8Array.of(0x04, point.length, ...point)

async function signerOf(type: 'ed25519' | 'secp256k1' | 'p256') {
  const device = new MemoryDevice({ name: 'primary', identityType: type })
  const hsm = device.connect()
  return { device, hsm, signer: tokenSigner(hsm, 'identity', (await hsm.describe()).identity!) }
}

describe('identity signer', () => {
  it('parseEcPoint: takes the DER OCTET STRING of the standard and the bare point of some vendors', () => {
    for (const form of [ED, octets(ED)]) expect(toHex(parseEcPoint('ed25519', form).publicKey)).to.equal(toHex(ED))
    for (const type of EC) {
      const [compressed, uncompressed] = [true, false].map((short) => CURVES[type].getPublicKey(SECRET_KEY, short)) as [
        Uint8Array,
        Uint8Array,
      ]
      for (const form of [compressed, uncompressed, octets(compressed), octets(uncompressed)]) {
        expect(toHex(parseEcPoint(type, form).publicKey)).to.equal(toHex(compressed))
        // Of the other curve it is no point, or another one.
        expect(() => parseEcPoint(type === 'p256' ? 'secp256k1' : 'p256', uncompressed)).to.throw()
      }
    }
  })

  it('parseEcPoint: an Ed25519 key that begins like an OCTET STRING is not shortened', () => {
    // Some key whose first bytes are 04 1e, the header of a string that would fill the rest.
    for (let i = 0; i < 256; i++) {
      const point = Uint8Array.from(ED)
      point.set([0x04, 0x1e, i])
      try {
        ed25519.Point.fromBytes(point).assertValidity()
      } catch {
        continue
      }
      expect(toHex(parseEcPoint('ed25519', point).publicKey)).to.equal(toHex(point))
      return
    }
    throw new Error('no such point')
  })

  it('parseEcPoint: refuses other lengths and points off the curve', () => {
    for (const bytes of [new Uint8Array(0), ED.subarray(1), Uint8Array.of(...ED, 0), octets(ED.subarray(1)), new Uint8Array(57)]) {
      expect(() => parseEcPoint('ed25519', bytes)).to.throw(VaultError)
    }
    for (const type of EC) {
      const off = CURVES[type].getPublicKey(SECRET_KEY, false)
      off[64]! ^= 1
      expect(() => parseEcPoint(type, off)).to.throw(ConfigError)
      expect(() => parseEcPoint(type, Uint8Array.of(2, ...new Uint8Array(32).fill(0xff)))).to.throw(ConfigError)
    }
  })

  for (const type of EC) {
    it(`sign: ${type} is low-s DER whatever the token gave`, async () => {
      const { hsm, signer } = await signerOf(type)
      const { Signature } = CURVES[type]
      let high = 0
      for (let i = 0; i < 24; i++) {
        const message = utf8(`message ${i}`)
        if (Signature.fromBytes(await hsm.sign('identity', message), 'compact').hasHighS()) high++
        const signature = await signer.sign(message)
        expect(Signature.fromBytes(signature, 'der').hasHighS()).to.equal(false)
        expect(verifyIdentity(signer.key, message, signature)).to.equal(true)
      }
      // Otherwise the test did not meet the case that it is about.
      expect(high).to.be.greaterThan(0)
    })
  }

  for (const type of ['ed25519', ...EC] as const) {
    it(`sign: a wrong ${type} signature of the token is not handed out`, async () => {
      const { device, signer } = await signerOf(type)
      device.corruptNextSignature()
      expect((await refusal(signer.sign(utf8('x')))).code).to.equal('TAMPER')
      expect(verifyIdentity(signer.key, utf8('x'), await signer.sign(utf8('x')))).to.equal(true)
    })
  }

  it('sign: what one key signed does not pass for the other key of the same token', async () => {
    const { hsm } = await signerOf('p256')
    const { identity, checkpoint } = await hsm.describe()
    expect((await refusal(tokenSigner(hsm, 'checkpoint', identity!).sign(utf8('x')))).code).to.equal('TAMPER')
    expect(verifyIdentity(checkpoint!, utf8('x'), await tokenSigner(hsm, 'checkpoint', checkpoint!).sign(utf8('x')))).to.equal(true)
  })

  it('sign: a token with another key is found out', async () => {
    const [a, b] = [await signerOf('ed25519'), await signerOf('ed25519')]
    expect((await refusal(tokenSigner(a.hsm, 'identity', b.signer.key).sign(utf8('x')))).code).to.equal('TAMPER')
  })
})
