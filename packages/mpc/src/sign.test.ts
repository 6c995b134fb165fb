import { type PartyId, seededRandom, utf8 } from '@conclave/core'
import { expect } from 'chai'
import { abortOf } from './abort.ts'
import { derive } from './derivation.ts'
import type { EcdsaSignature } from './ecdsa.ts'
import type { KeyPublic } from './key.ts'
import { of } from './protocol.ts'
import { sign } from './sign.ts'
import { type RequestChange, runSign, signerRandom, testRequest } from './testing/cluster.ts'
import { committee, keyOf, pairOf } from './testing/committee.ts'
import { witness } from './testing/run.ts'
import { expectSignature, opensslVerifies, sha256 } from './testing/verify.fixture.ts'

const MESSAGE = utf8('pay 5 to somebody')
const digest = sha256(MESSAGE)
const publicOf = (t: number, n: number) => keyOf(t, n).results.get(1)?.public as KeyPublic

/** Signs the message with every party honest; all end with one signature. */
function signed(t: number, n: number, quorum: readonly PartyId[], change: RequestChange = {}, seed = 'honest'): EcdsaSignature {
  const outcome = runSign(committee(t, n, quorum), testRequest(quorum, { digest, ...change }), seed)
  expect([...outcome.errors]).to.deep.equal([])
  const [first, ...others] = quorum.map((j) => of(outcome.results, j))
  for (const other of others) expect(other).to.deep.equal(first)
  for (const s of outcome.sessions.values()) expect(Object.values(s.dropped)).to.deep.equal([0, 0, 0, 0, 0])
  expect(first).to.have.length(1)
  return first?.[0] as EcdsaSignature
}

describe('sign', () => {
  for (const [t, n, quorum] of [
    [2, 2, [1, 2]],
    [2, 3, [1, 3]],
    [2, 3, [2, 3]],
    [3, 5, [1, 3, 5]],
    [3, 5, [2, 4, 5]],
  ] as const)
    it(`sign: ${t} of ${n}: parties ${quorum.join(', ')} sign, and noble, OpenSSL and key recovery agree`, () => {
      expectSignature(publicOf(t, n).publicKey, MESSAGE, signed(t, n, quorum))
    })

  it('sign: under a derived key the signature verifies for the child and not for the root', () => {
    const { publicKey, chainCode } = publicOf(2, 3)
    const path = [44, 60, 7]
    const made = signed(2, 3, [1, 3], { path })
    expectSignature(derive(publicKey, chainCode, path).publicKey, MESSAGE, made)
    expect(opensslVerifies(publicKey, MESSAGE, made.signature)).to.equal(false)
    expectSignature(derive(publicKey, chainCode, [0]).publicKey, MESSAGE, signed(2, 3, [2, 3], { path: [0] }))
  })

  it('sign: another seed or quorum gives another nonce', () => {
    const made = [signed(2, 3, [1, 3]), signed(2, 3, [1, 3], {}, 'another seed'), signed(2, 3, [2, 3])]
    expect(new Set(made.map((m) => Buffer.from(m.signature.subarray(0, 32)).toString('hex'))).size).to.equal(3)
    for (const m of made) expectSignature(publicOf(2, 3).publicKey, MESSAGE, m)
  })

  it('sign: the same seeds give the same signature in any order of delivery', () => {
    const expected = signed(2, 3, [1, 3])
    for (const seed of ['a', 'b', 'c']) {
      const { results } = runSign(committee(2, 3, [1, 3]), testRequest([1, 3], { digest }), 'honest', { order: seededRandom(utf8(seed)) })
      expect(results.get(1), seed).to.deep.equal([expected])
    }
    const three = signed(3, 5, [1, 3, 5])
    const { results } = runSign(committee(3, 5, [1, 3, 5]), testRequest([1, 3, 5], { digest }), 'honest', {
      order: seededRandom(utf8('e')),
    })
    for (const j of [1, 3, 5]) expect(results.get(j)).to.deep.equal([three])
  })

  it('sign: digests of zero and of q or more are signed as they are', () => {
    for (const fill of [0, 255]) {
      const made = signed(2, 3, [1, 3], { digest: new Uint8Array(32).fill(fill) })
      expect(made.signature).to.have.length(64)
    }
  })

  it('sign: share and pair states stay usable, they belong to the caller', () => {
    signed(2, 3, [1, 3])
    expect(
      keyOf(2, 3)
        .shares.get(1)
        ?.secret.bytes.some((v) => v !== 0),
    ).to.equal(true)
    expect(
      pairOf(1, 3)
        .get(1)
        ?.secret.bytes.some((v) => v !== 0),
    ).to.equal(true)
  })

  for (const stop of [1, 2, 3, 4, 5])
    it(`sign: nonces and choice bits are wiped when the run ${stop < 5 ? `is stopped in round ${stop}` : 'ends'}`, () => {
      const seen = new Map([1, 3].map((j) => [j, witness(signerRandom('wipe', j))]))
      const outcome = runSign(committee(2, 3, [1, 3]), testRequest([1, 3]), 'wipe', {
        deviants: new Map([1, 3].map((j) => [j, (ctx) => sign({ ...ctx, random: of(seen, j) })])),
        tamper: (m) => (m.round >= stop ? undefined : m.body),
      })
      for (const j of [1, 3]) {
        outcome.sessions.get(j)?.abort(abortOf('SIGN_ECHO'))
        // Two scalars (and three more once Alice has spoken) and the choice vector; salts are public.
        const secret = of(seen, j).given.filter((b) => b.length !== 32)
        expect(secret.map((b) => b.length)).to.deep.equal(stop === 1 ? [48, 48, 112] : [48, 48, 112, 48, 48, 48])
        expect(secret.every((b) => b.every((v) => v === 0))).to.equal(true)
      }
    })
})
