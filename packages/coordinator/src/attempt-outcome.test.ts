import { type ConclaveError, Timeout, TransportError } from '@conclave/core'
import type { Signed, SignedItem } from '@conclave/wire'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { expect } from 'chai'
import { judgeAttempt } from './attempt-outcome.ts'
import { NodeFailure } from './node-calls.ts'

const secret = new Uint8Array(32).fill(5)
const publicKey = secp256k1.getPublicKey(secret)
const requestId = new Uint8Array(32).fill(1)
const digest = new Uint8Array(32).fill(2)
const expected = { requestId, items: [{ digest, publicKey }], signers: [1, 2, 4] }

function signItem(hash = digest, key = secret, extraEntropy?: Uint8Array): SignedItem {
  const options = { prehash: false, format: 'recovered', ...(extraEntropy === undefined ? {} : { extraEntropy }) } as const
  const bytes = secp256k1.sign(hash, key, options)
  return { digest: hash, signature: bytes.slice(1), recovery: bytes[0] as number }
}
const signed = (...items: readonly SignedItem[]): Signed => ({ requestId, items, bytesSent: 10 })
const sign = (...by: Parameters<typeof signItem>) => signed(signItem(...by))

/** s replaced by q - s: as valid to a lax verifier, and refused by Ethereum. */
function highS(item: SignedItem): SignedItem {
  const { r, s } = secp256k1.Signature.fromBytes(item.signature, 'compact')
  const flipped = new secp256k1.Signature(r, secp256k1.Point.Fn.neg(s)).toBytes('compact')
  return { ...item, signature: flipped, recovery: item.recovery ^ 1 }
}

const failed = (culprits: number[], waitingFor: number[] = []) =>
  new NodeFailure({ code: 'ABORTED', message: 'm', retriable: true, culprits, waitingFor })
const judge = (...answers: [number, Signed | ConclaveError][]) => judgeAttempt(new Map(answers), expected)
const lies: readonly [string, Signed][] = [
  ['WRONG_SIGNATURE', signed({ ...signItem(), signature: signItem().signature.with(40, 1) })],
  ['WRONG_SIGNATURE', signed({ ...signItem(), recovery: signItem().recovery ^ 1 })],
  ['WRONG_SIGNATURE', signed({ ...signItem(), recovery: 3 })],
  ['WRONG_SIGNATURE', signed({ ...signItem(), signature: new Uint8Array(64) })],
  ['WRONG_SIGNATURE', signed(highS(signItem()))],
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

  describe('several items', () => {
    const keys = [5, 6, 7].map((byte) => new Uint8Array(32).fill(byte))
    const hashes = [digest, new Uint8Array(32).fill(8), new Uint8Array(32).fill(9)]
    const of = (i: number) => signItem(hashes[i], keys[i])
    const items = hashes.map((hash, i) => ({ digest: hash, publicKey: secp256k1.getPublicKey(keys[i] as Uint8Array) }))
    const judgeAll = (...answers: [number, Signed][]) => judgeAttempt(new Map(answers), { ...expected, items })
    const all = signed(of(0), of(1), of(2))

    it('each signature under its own key, in their order, is signed', () => {
      const outcome = judgeAll([1, all], [2, all], [4, all])
      expect(outcome).deep.include({ code: null, culprits: [] })
      expect(outcome.signed).deep.equal(all)
    })

    const wrong = { ...of(1), signature: of(1).signature.with(40, 1) }
    const cases: readonly [string, string, Signed][] = [
      ['the second signature is wrong', 'WRONG_SIGNATURE', signed(of(0), wrong, of(2))],
      ['the last is that of another key', 'WRONG_SIGNATURE', signed(of(0), of(1), signItem(hashes[2], keys[1]))],
      ['the last has another recovery', 'WRONG_SIGNATURE', signed(of(0), of(1), { ...of(2), recovery: of(2).recovery ^ 1 })],
      ['the last is missing', 'WRONG_DIGEST', signed(of(0), of(1))],
      ['there is one more', 'WRONG_DIGEST', signed(of(0), of(1), of(2), of(2))],
      ['two have changed places', 'WRONG_DIGEST', signed(of(1), of(0), of(2))],
      ['one is there twice', 'WRONG_DIGEST', signed(of(0), of(0), of(2))],
    ]
    for (const [what, code, lie] of cases) {
      it(`${code}: ${what}, and nothing of it is believed`, () => {
        const alone = judgeAll([1, lie])
        expect(alone.signed).equal(undefined)
        expect(alone).deep.include({ code, culprits: [1] })
        const beside = judgeAll([1, lie], [2, all], [4, all])
        expect(beside.signed).deep.equal(all)
        expect(beside).deep.include({ code, culprits: [1] })
        // Also when one answer has been verified before.
        const later = judgeAttempt(new Map([[1, lie]]), { ...expected, items }, { known: all })
        expect(later).deep.include({ signed: undefined, code, culprits: [1] })
      })
    }

    it('OTHER_SIGNATURE: another valid signature of one item is not the same', () => {
      const other = signed(of(0), signItem(hashes[1], keys[1], new Uint8Array(32).fill(9)), of(2))
      expect(judgeAll([1, all], [2, other], [4, all])).deep.include({ signed: all, code: 'OTHER_SIGNATURE', culprits: [2] })
    })
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
