import { concat, seededRandom, utf8 } from '@conclave/core'
import { expect } from 'chai'
import * as a from './arithmetic.ts'
import { assemble, digestScalar, nonceScalar, verifies } from './ecdsa.ts'
import { flip } from './testing/run.ts'
import { expectSignature, recovered, sha256 } from './testing/verify.fixture.ts'

const random = seededRandom(utf8('ecdsa'))
const x = a.randomScalar(random)
const publicKey = a.pointToBytes(a.mulBase(x))

/** Textbook ECDSA with the key in one hand, which only a test may do. */
function signPlainly(message: Uint8Array) {
  const k = a.randomScalar(random)
  const nonce = a.mulBase(k)
  const s = a.mulScalars(a.invertScalar(k), a.addScalars(digestScalar(sha256(message)), a.mulScalars(nonceScalar(nonce), x)))
  return { nonce, s, made: assemble(nonce, s) }
}

/** A nonce point whose x is q + 2: its r is 2, and recovery needs bit 1. */
const wrapped = a.pointFromBytes(concat(Uint8Array.of(2), Uint8Array.from(Buffer.from((a.q + 2n).toString(16), 'hex')))) as a.Point

describe('ecdsa', () => {
  it('ecdsa: assembled signatures verify elsewhere, with low s and the right recovery id, whatever s and the parity were', () => {
    const seen = new Set<string>()
    for (let i = 0; i < 24; i++) {
      const message = utf8(`message ${i}`)
      const { nonce, s, made } = signPlainly(message)
      expectSignature(publicKey, message, made)
      seen.add(`${s > a.q / 2n}/${nonce.toAffine().y & 1n}`)
    }
    expect(seen.size).to.equal(4)
  })

  it('ecdsa: s and q - s assemble to one signature', () => {
    const { nonce, s, made } = signPlainly(utf8('twice'))
    expect(assemble(nonce, a.q - s).signature).to.deep.equal(made.signature)
    expect(assemble(nonce, a.q - s).recovery).to.equal(made.recovery ^ 1)
    const half = a.q / 2n
    expect(a.toBigint(assemble(nonce, half).signature.subarray(32))).to.equal(half)
    expect(a.toBigint(assemble(nonce, half + 1n).signature.subarray(32))).to.equal(half)
  })

  it('ecdsa: a nonce point whose x is at least q has recovery bit 1, and the key is recovered from it', () => {
    expect(wrapped.toAffine().x).to.equal(a.q + 2n)
    expect(nonceScalar(wrapped)).to.equal(2n)
    const digest = sha256(utf8('wrapped'))
    for (const [nonce, s] of [
      [wrapped, 5n],
      [wrapped, a.q - 5n],
      [wrapped.negate(), 5n],
      [wrapped.negate(), a.q - 5n],
    ] as const) {
      const sum = a.subPoints(a.mulPublic(nonce, s), a.mulBase(digestScalar(digest)))
      const key = a.pointToBytes(a.mulPublic(sum, a.invertScalar(2n)))
      const made = assemble(nonce, s)
      expect(made.recovery & 2).to.equal(2)
      expect(verifies(key, digest, made.signature)).to.equal(true)
      expect(recovered(digest, made)).to.deep.equal(key)
    }
  })

  it('ecdsa: a digest of q or more is reduced', () => {
    expect(digestScalar(new Uint8Array(32).fill(255))).to.equal(2n ** 256n - 1n - a.q)
    expect(digestScalar(a.scalarToBytes(a.q - 1n))).to.equal(a.q - 1n)
  })

  it('ecdsa: high s, another digest, another key and any changed bit do not verify', () => {
    const { s, made } = signPlainly(utf8('m'))
    const digest = sha256(utf8('m'))
    expect(verifies(publicKey, digest, made.signature)).to.equal(true)
    const high = s > a.q / 2n ? s : a.q - s
    expect(verifies(publicKey, digest, concat(made.signature.subarray(0, 32), a.scalarToBytes(high)))).to.equal(false)
    expect(verifies(publicKey, sha256(utf8('n')), made.signature)).to.equal(false)
    expect(verifies(a.pointToBytes(a.G), digest, made.signature)).to.equal(false)
    for (let bit = 0; bit < 512; bit += 31) expect(verifies(publicKey, digest, flip(made.signature, bit))).to.equal(false)
  })

  it('ecdsa: what is no signature or no key is false, not a throw', () => {
    const digest = sha256(utf8('m'))
    for (const bytes of [new Uint8Array(0), new Uint8Array(63), new Uint8Array(64), new Uint8Array(65), new Uint8Array(64).fill(255)])
      expect(verifies(publicKey, digest, bytes)).to.equal(false)
    const { made } = signPlainly(utf8('m'))
    for (const key of [new Uint8Array(0), new Uint8Array(33), new Uint8Array(65)])
      expect(verifies(key, digest, made.signature)).to.equal(false)
  })
})
