import { type ConclaveError, Timeout, TransportError } from '@conclave/core'
import type { Signed } from '@conclave/wire'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { expect } from 'chai'
import { judgeAttempt } from './attempt-outcome.ts'
import { NodeFailure } from './node-calls.ts'

const secret = new Uint8Array(32).fill(5)
const publicKey = secp256k1.getPublicKey(secret)
const requestId = new Uint8Array(32).fill(1)
const digest = new Uint8Array(32).fill(2)
const expected = { requestId, digest, publicKey, signers: [1, 2, 4] }

function sign(hash = digest, key = secret, extraEntropy?: Uint8Array): Signed {
  const options = { prehash: false, format: 'recovered', ...(extraEntropy === undefined ? {} : { extraEntropy }) } as const
  const bytes = secp256k1.sign(hash, key, options)
  return { requestId, digest: hash, signature: bytes.slice(1), recovery: bytes[0] as number, bytesSent: 10 }
}

/** s replaced by q - s: as valid to a lax verifier, and refused by Ethereum. */
function highS(signed: Signed): Signed {
  const { r, s } = secp256k1.Signature.fromBytes(signed.signature, 'compact')
  const flipped = new secp256k1.Signature(r, secp256k1.Point.Fn.neg(s)).toBytes('compact')
  return { ...signed, signature: flipped, recovery: signed.recovery ^ 1 }
}

const failed = (culprits: number[], waitingFor: number[] = []) =>
  new NodeFailure({ code: 'ABORTED', message: 'm', retriable: true, culprits, waitingFor })
const judge = (...answers: [number, Signed | ConclaveError][]) => judgeAttempt(new Map(answers), expected)
const lies: readonly [string, Signed][] = [
  ['WRONG_SIGNATURE', { ...sign(), signature: sign().signature.with(40, 1) }],
  ['WRONG_SIGNATURE', { ...sign(), recovery: sign().recovery ^ 1 }],
  ['WRONG_SIGNATURE', { ...sign(), recovery: 3 }],
  ['WRONG_SIGNATURE', { ...sign(), signature: new Uint8Array(64) }],
  ['WRONG_SIGNATURE', highS(sign())],
  ['WRONG_SIGNATURE', sign(digest, new Uint8Array(32).fill(6))],
  ['WRONG_DIGEST', sign(new Uint8Array(32).fill(3))],
  ['WRONG_REQUEST', { ...sign(), requestId: digest }],
]

describe('judgeAttempt', () => {
  it('the same valid signature from every signer is signed', () => {
    const outcome = judge([1, sign()], [2, sign()], [4, sign()])
    expect(outcome).deep.include({ code: null, culprits: [], waitingFor: [], refusedBy: [], bytesOnWire: 30 })
    expect(outcome.signed).deep.equal(sign())
  })

  for (const [i, [code, lie]] of lies.entries()) {
    it(`${code} (${i}): the liar is the culprit and nothing is believed`, () => {
      const alone = judge([1, lie], [2, failed([])], [4, failed([])])
      expect(alone.signed).equal(undefined)
      expect(alone).deep.include({ code, culprits: [1] })
    })

    it(`${code} (${i}): a valid signature settles the request beside a lie`, () => {
      const outcome = judge([1, lie], [2, sign()], [4, sign()])
      expect(outcome.signed).deep.equal(sign())
      expect(outcome).deep.include({ code, culprits: [1] })
    })
  }

  it('OTHER_SIGNATURE: a second valid signature is not the same', () => {
    const outcome = judge([1, sign()], [2, sign(digest, secret, new Uint8Array(32).fill(9))], [4, sign()])
    expect(outcome.signed).deep.equal(sign())
    expect(outcome).deep.include({ code: 'OTHER_SIGNATURE', culprits: [2] })
  })

  it('failures: those named are blamed or waited for, if they were signers', () => {
    const outcome = judge([1, failed([4, 3])], [2, failed([2], [4, 1])], [4, failed([])])
    expect(outcome).deep.include({ code: 'ABORTED', culprits: [4], waitingFor: [1, 4], refusedBy: [4] })
  })

  it('silence, timeouts and lost links are waited for, and a node that says why comes first', () => {
    const lost = new TransportError('LINK_DOWN', 'm', { retriable: true })
    expect(judge([1, new Timeout('NODE_TIMEOUT', 'm', [1])])).deep.include({ code: 'NODE_TIMEOUT', waitingFor: [1, 2, 4] })
    expect(judge([2, lost])).deep.include({ code: 'LINK_DOWN', waitingFor: [1, 2, 4], culprits: [] })
  })
})
