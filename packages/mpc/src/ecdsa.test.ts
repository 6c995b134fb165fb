import { concat, seededRandom, utf8 } from '@conclave/core'
import { expect } from 'chai'
import { addScalars, invertScalar, mulScalars, randomScalar, type Scalar } from './arithmetic.ts'
import { assemble, digestScalar, nonceScalar, verifies, verifiesUnder } from './ecdsa.ts'
import { G, mulBase, mulPublic, O, type Point, pointFromBytes, pointToBytes, subPoints } from './points.ts'
import { flip } from './testing/run.ts'
import { bytesOf, q, scalar, toBigint } from './testing/scalars.fixture.ts'
import { expectSignature, recovered, sha256 } from './testing/verify.fixture.ts'

const random = seededRandom(utf8('ecdsa'))
const x = randomScalar(random)
const publicKey = pointToBytes(mulBase(x))

/** Textbook ECDSA with the key in one hand, which only a test may do. */
function signPlainly(message: Uint8Array) {
  const k = randomScalar(random)
  const nonce = mulBase(k)
  const s = mulScalars(invertScalar(k), addScalars(digestScalar(sha256(message)), mulScalars(nonceScalar(nonce), x)))
  return { nonce, s, made: assemble(nonce, s) }
}

/** A nonce point whose x is q + 2: its r is 2, and recovery needs bit 1. */
const wrapped = pointFromBytes(concat(Uint8Array.of(2), bytesOf(q + 2n))) as Point
const isOdd = (p: Point) => pointToBytes(p)[0] === 3
const isHigh = (s: Scalar) => toBigint(s) > q / 2n
const opposite = (s: Scalar) => scalar(-toBigint(s))

describe('ecdsa', () => {
  it('ecdsa: assembled signatures verify elsewhere, with low s and the right recovery id, whatever s and the parity were', () => {
    const seen = new Set<string>()
    for (let i = 0; i < 24; i++) {
      const message = utf8(`message ${i}`)
      const { nonce, s, made } = signPlainly(message)
      expectSignature(publicKey, message, made)
      seen.add(`${isHigh(s)}/${isOdd(nonce)}`)
    }
    expect(seen.size).to.equal(4)
  })

  it('ecdsa: s and q - s assemble to one signature', () => {
    const { nonce, s, made } = signPlainly(utf8('twice'))
    expect(assemble(nonce, opposite(s)).signature).to.deep.equal(made.signature)
    expect(assemble(nonce, opposite(s)).recovery).to.equal(made.recovery ^ 1)
    const half = q / 2n
    expect(toBigint(assemble(nonce, scalar(half)).signature.subarray(32))).to.equal(half)
    expect(toBigint(assemble(nonce, scalar(half + 1n)).signature.subarray(32))).to.equal(half)
  })

  it('ecdsa: a nonce point whose x is at least q has recovery bit 1, and the key is recovered from it', () => {
    expect(toBigint(pointToBytes(wrapped).subarray(1))).to.equal(q + 2n)
    expect(toBigint(nonceScalar(wrapped))).to.equal(2n)
    const digest = sha256(utf8('wrapped'))
    for (const [nonce, s] of [
      [wrapped, scalar(5n)],
      [wrapped, scalar(-5n)],
      [subPoints(O, wrapped), scalar(5n)],
      [subPoints(O, wrapped), scalar(-5n)],
    ] as const) {
      const sum = subPoints(mulPublic(nonce, s), mulBase(digestScalar(digest)))
      const key = pointToBytes(mulPublic(sum, invertScalar(scalar(2n))))
      const made = assemble(nonce, s)
      expect(made.recovery & 2).to.equal(2)
      expect(verifies(key, digest, made.signature)).to.equal(true)
      expect(recovered(digest, made)).to.deep.equal(key)
    }
  })

  it('ecdsa: a hint at the inverse of s changes no answer, be it right, opposite or wrong', () => {
    const [message, key] = [utf8('hint'), mulBase(x)]
    const { signature } = signPlainly(message).made
    const inverse = invertScalar(signature.subarray(32))
    for (const hint of [undefined, inverse, opposite(inverse), scalar(0n), scalar(1n), x]) {
      expect(verifiesUnder(key, sha256(message), signature, hint)).to.equal(true)
      expect(verifiesUnder(key, sha256(utf8('other')), signature, hint)).to.equal(false)
      expect(verifiesUnder(mulBase(scalar(3n)), sha256(message), signature, hint)).to.equal(false)
    }
  })

  it('ecdsa: a digest of q or more is reduced', () => {
    expect(digestScalar(new Uint8Array(32).fill(255))).to.deep.equal(scalar(2n ** 256n - 1n))
    expect(digestScalar(bytesOf(q - 1n))).to.deep.equal(bytesOf(q - 1n))
    expect(digestScalar(bytesOf(q))).to.deep.equal(scalar(0n))
  })

  it('ecdsa: high s, another digest, another key and any changed bit do not verify', () => {
    const { s, made } = signPlainly(utf8('m'))
    const digest = sha256(utf8('m'))
    expect(verifies(publicKey, digest, made.signature)).to.equal(true)
    const high = isHigh(s) ? s : opposite(s)
    expect(verifies(publicKey, digest, concat(made.signature.subarray(0, 32), high))).to.equal(false)
    expect(verifies(publicKey, sha256(utf8('n')), made.signature)).to.equal(false)
    expect(verifies(pointToBytes(G), digest, made.signature)).to.equal(false)
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
