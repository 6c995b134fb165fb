import { seededRandom, u32, utf8 } from '@conclave/core'
import { expect } from 'chai'
import { addScalars } from './arithmetic.ts'
import { mulBase, O, pointToBytes, subPoints } from './points.ts'
import { proveKnowledge, verifyKnowledge } from './schnorr.ts'
import { flip } from './testing/run.ts'
import { bytesOf, q, scalar } from './testing/scalars.fixture.ts'

const random = seededRandom(utf8('schnorr'))
const secret = scalar(0x1234567890abcdefn)
const statement = mulBase(secret)
const context = [utf8('session'), u32(2), u32(0)]
const proof = proveKnowledge(secret, statement, context, random)

describe('schnorr', () => {
  it('schnorr: an honest proof verifies, and a second one of the same secret is different', () => {
    expect(verifyKnowledge(proof, statement, context)).to.equal(true)
    const second = proveKnowledge(secret, statement, context, random)
    expect(second.nonce).not.to.deep.equal(proof.nonce)
    expect(verifyKnowledge(second, statement, context)).to.equal(true)
  })

  it('schnorr: a proof copied to another session, party, position or statement is refused', () => {
    const others = [
      [utf8('other'), u32(2), u32(0)],
      [utf8('session'), u32(3), u32(0)],
      [utf8('session'), u32(2), u32(1)],
      [utf8('session'), u32(2)],
      [],
    ]
    for (const other of others) expect(verifyKnowledge(proof, statement, other)).to.equal(false)
    expect(verifyKnowledge(proof, mulBase(addScalars(secret, scalar(1n))), context)).to.equal(false)
    expect(verifyKnowledge(proof, subPoints(O, statement), context)).to.equal(false)
  })

  it('schnorr: every field is bound', () => {
    for (let bit = 0; bit < 264; bit += 13)
      expect(verifyKnowledge({ ...proof, nonce: flip(proof.nonce, bit) }, statement, context)).to.equal(false)
    for (let bit = 0; bit < 256; bit += 13)
      expect(verifyKnowledge({ ...proof, response: flip(proof.response, bit) }, statement, context)).to.equal(false)
  })

  it('schnorr: a response of q or more and a nonce that is no point are refused', () => {
    // A proof with a small response has a second encoding unless responses are canonical.
    const small = { nonce: pointToBytes(mulBase(addScalars(scalar(5n), scalar(-1n)))), response: bytesOf(q + 5n) }
    expect(verifyKnowledge(small, statement, context)).to.equal(false)
    expect(verifyKnowledge({ ...proof, response: bytesOf(q) }, statement, context)).to.equal(false)
    expect(verifyKnowledge({ ...proof, response: new Uint8Array(32).fill(255) }, statement, context)).to.equal(false)
    expect(verifyKnowledge({ ...proof, nonce: new Uint8Array(33) }, statement, context)).to.equal(false)
    expect(verifyKnowledge(proof, statement, context)).to.equal(true)
  })
})
