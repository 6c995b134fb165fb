import { InvalidArgument, type PartyId, seededRandom, utf8 } from '@conclave/core'
import { decode, SignCommit } from '@conclave/wire'
import { expect } from 'chai'
import fc from 'fast-check'
import { PATH_DEPTH_MAX } from './derivation.ts'
import * as api from './index.ts'
import type { KeyPublic, KeyShare } from './key.ts'
import { of } from './protocol.ts'
import { Session } from './session.ts'
import { SIGN_ROUNDS, sign } from './sign.ts'
import { type SignContext, type SignItem, type SignRequest, signSid } from './sign-request.ts'
import { CLUSTER_CONTEXT, NO_POOL, type RequestChange, testRequest } from './testing/cluster.ts'
import { committee, keyOf } from './testing/committee.ts'
import { always } from './testing/property.fixture.ts'
import { flip } from './testing/run.ts'

const key = (keyOf(2, 3).shares.get(1) as KeyShare).public
const hex = (b: Uint8Array) => Buffer.from(b).toString('hex')
const sid = (r: SignRequest, k: KeyPublic = key) => hex(signSid(CLUSTER_CONTEXT, k, r))

/** Party 1's first messages for a request, or the code with which it is refused before it says anything. */
function begin(request: SignRequest, change: Partial<SignContext> = {}) {
  const cluster = committee(2, 3, [1, 3])
  const base = {
    clusterContext: CLUSTER_CONTEXT,
    share: of(cluster.shares, 1),
    pairs: of(cluster.pairs, 1),
    random: seededRandom(utf8('b')),
    ...NO_POOL,
  }
  const protocol = sign({ ...base, request, ...change })
  const session = new Session({ self: 1, peers: [3], rounds: SIGN_ROUNDS, protocol })
  const sent = session.start()
  if (session.error !== undefined) {
    expect(sent).to.deep.equal([])
    expect(session.error).to.be.instanceOf(InvalidArgument)
  }
  return { sent, code: session.error?.code }
}

describe('sign request', () => {
  it('sign request: an honest one is begun', () => {
    const { sent, code } = begin(testRequest([1, 3]))
    expect(code).to.equal(undefined)
    expect(sent.map((o) => [o.round, o.to])).to.deep.equal([[1, 3]])
  })

  it('sign request: quorums with the index 0, q, i + q, a duplicate or a stranger are refused before anything is said', () => {
    const q = Number(2n ** 256n)
    for (const signers of [
      [0, 1],
      [1, 1],
      [1, 3, 3],
      [1, -3],
      [1, 1.5],
      [1, Number.NaN],
      [1, q],
      [1, 3 + q],
      [1, 10],
    ])
      expect(begin(testRequest(signers)).code, String(signers)).to.be.oneOf(['BAD_PARTY', 'BAD_PARTY_SET'])
    for (const signers of [[3, 1], [1, 4], [2, 3], [1, 2, 3], [1], []])
      expect(begin(testRequest(signers)).code, String(signers)).to.equal('BAD_QUORUM')
  })

  it('sign request: without pair state with every peer, or with that of another pair, it is refused', () => {
    const pairs = of(committee(2, 3, [1, 2, 3]).pairs, 1)
    expect(begin(testRequest([1, 3]), { pairs: new Map() }).code).to.equal('BAD_QUORUM')
    expect(begin(testRequest([1, 3]), { pairs: new Map([[3, of(pairs, 2)]]) }).code).to.equal('BAD_QUORUM')
    const theirs = of(of(committee(2, 3, [1, 3]).pairs, 3), 1)
    expect(begin(testRequest([1, 3]), { pairs: new Map([[3, theirs]]) }).code).to.equal('BAD_QUORUM')
  })

  it('sign request: digests and request ids of another length are refused', () => {
    for (const n of [0, 20, 31, 33, 64]) {
      expect(begin(testRequest([1, 3], { digest: new Uint8Array(n) })).code).to.equal('BAD_DIGEST')
      expect(begin(testRequest([1, 3], { requestId: new Uint8Array(n) })).code).to.equal('BAD_DIGEST')
      expect(begin(testRequest([1, 3], { statement: new Uint8Array(n) })).code).to.equal('BAD_DIGEST')
    }
  })

  it('sign request: hardened, fractional and too long paths, and attempts that are no 32-bit number, are refused', () => {
    for (const path of [[0x80000000], new Array(PATH_DEPTH_MAX + 1).fill(0)])
      expect(begin(testRequest([1, 3], { path })).code).to.equal('BAD_PATH')
    for (const path of [[-1], [0.5], [2 ** 32]]) expect(begin(testRequest([1, 3], { path })).code).to.be.oneOf(['BAD_PATH', 'BAD_NUMBER'])
    for (const attempt of [-1, 0.5, 2 ** 32, Number.NaN]) expect(begin(testRequest([1, 3], { attempt })).code).to.equal('BAD_NUMBER')
  })

  it('key-purpose confusion: every part of a request, and of the key, is in the session id', () => {
    const base = testRequest([1, 3])
    const { requestId, statement } = base
    const [item] = base.items as [SignItem]
    const changed = (change: RequestChange) => sid(testRequest([1, 3], change))
    const ids = [
      sid(base),
      changed({ purpose: 'evm.message' }),
      changed({ purpose: '' }),
      changed({ digest: flip(item.digest) }),
      changed({ requestId: flip(requestId) }),
      changed({ statement: flip(statement) }),
      changed({ statement: requestId, requestId: statement }),
      changed({ digest: requestId, requestId: item.digest }),
      changed({ path: [0] }),
      changed({ path: [0, 0] }),
      changed({ attempt: 1 }),
      changed({ items: [item, item] }),
      changed({ items: [item, { ...item, path: [0] }] }),
      changed({ items: [{ ...item, path: [0] }, item] }),
      sid({ ...base, signers: [1, 2] }),
      sid(base, { ...key, epoch: 1 }),
      sid(base, { ...key, keyId: 'other' }),
      sid(base, { ...key, chainCode: flip(key.chainCode) }),
      hex(signSid(flip(CLUSTER_CONTEXT), key, base)),
    ]
    expect(new Set(ids).size).to.equal(ids.length)
  })

  it('key-purpose confusion: two requests have one session id only when they are equal', () => {
    const bytes = fc.uint8Array({ minLength: 32, maxLength: 32 })
    const few = fc.constantFrom('', 'a', 'b', 'ab')
    const item = fc.record({
      digest: fc.oneof(fc.constant(new Uint8Array(32)), bytes),
      path: fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 3 }),
    })
    const request = fc.record({
      requestId: fc.oneof(fc.constant(new Uint8Array(32)), bytes),
      statement: fc.oneof(fc.constant(new Uint8Array(32)), bytes),
      items: fc.array(item, { minLength: 1, maxLength: 3 }),
      signers: fc.constantFrom<readonly PartyId[]>([1, 2], [1, 3], [2, 3]),
      purpose: few,
      attempt: fc.integer({ min: 0, max: 2 }),
    })
    const text = (r: SignRequest) =>
      JSON.stringify([hex(r.requestId), hex(r.statement), r.items.map((i) => [hex(i.digest), i.path]), r.signers, r.purpose, r.attempt])
    always(
      fc.property(request, request, (a, b) => {
        expect(sid(a) === sid(b)).to.equal(text(a) === text(b))
      }),
      { numRuns: 300 },
    )
  })

  it('presignature plus raw signing: the first word of a signer already depends on the digest', () => {
    const first = (digest: Uint8Array) => decode(SignCommit, begin(testRequest([1, 3], { digest })).sent[0]?.body ?? new Uint8Array(0))
    const [a, b] = [first(new Uint8Array(32)), first(flip(new Uint8Array(32)))]
    // The same randomness, so the same nonce: only the digest is another one.
    expect(a.commitments).not.to.deep.equal(b.commitments)
    expect(a.context).not.to.deep.equal(b.context)
  })

  it('presignature plus raw signing: nothing is exported that takes a digest after a nonce is known', () => {
    const names = Object.keys(api)
    expect(
      names.filter((name) => /sign|nonce|commit|open|partial|combine|assemble|begin|multiply|vole|presig/i.test(name)).sort(),
    ).to.deep.equal(['SIGN_ROUNDS', 'sign', 'signSid'])
    // `sign` takes one value that has the digest in it, and so does the name of its session.
    expect([sign.length, signSid.length]).to.deep.equal([1, 3])
  })
})
