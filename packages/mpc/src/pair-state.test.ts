import { InvalidArgument, seededRandom, tagged, utf8, xor } from '@conclave/core'
import { encode, PairPublic } from '@conclave/wire'
import { expect } from 'chai'
import { bitOf } from './bits.ts'
import { KAPPA, SEED_BYTES } from './constants.ts'
import { encodePairSecret, joinSecrets, type PairState, pairContext, pairId, parsePairState, secretsOf } from './pair-state.ts'
import { CLUSTER_CONTEXT } from './testing/cluster.ts'
import { pairOf } from './testing/committee.ts'
import { flip } from './testing/run.ts'
import { q } from './testing/scalars.fixture.ts'

const hex = (b: Uint8Array) => Buffer.from(b).toString('hex')

describe('pair state', () => {
  it('pair state: it is the same after it was sealed and opened, and owns its bytes', () => {
    const pair = pairOf(1, 3).get(1) as PairState
    const opened = encodePairSecret(pair).bytes
    const again = parsePairState(encode(PairPublic, pair.public), opened)
    opened.fill(0)
    expect(again.public).to.deep.equal(pair.public)
    expect(again.secret.bytes).to.deep.equal(pair.secret.bytes)
    expect(JSON.stringify(again.secret) + String(again.secret)).to.equal('"[secret]"[secret]')
  })

  it('pair state: parts are views in the order in which they were joined', () => {
    const random = seededRandom(utf8('parts'))
    const seeds = () => random.bytes(KAPPA * SEED_BYTES)
    const parts = { delta: random.bytes(16), aliceSeeds: seeds(), bobSeeds0: seeds(), bobSeeds1: seeds(), zeroSeed: random.bytes(32) }
    const secret = joinSecrets(parts)
    const state: PairState = {
      public: { self: 1, peer: 2, pairEpoch: 1, transcript: new Uint8Array(32), clusterContext: CLUSTER_CONTEXT },
      secret,
    }
    expect(secretsOf(state)).to.deep.equal(parts)
    secret[Symbol.dispose]()
    expect(() => secretsOf(state))
      .to.throw()
      .with.property('code', 'SECRET_WIPED')
  })

  it('pair state: each end holds as sender one of the two seeds that the other holds as receiver, chosen by its own bits', () => {
    const [a, b] = [pairOf(1, 3).get(1) as PairState, pairOf(1, 3).get(3) as PairState]
    for (const [alice, bob] of [
      [secretsOf(a), secretsOf(b)],
      [secretsOf(b), secretsOf(a)],
    ] as const) {
      const cut = (s: Uint8Array, i: number) => hex(s.subarray(i * SEED_BYTES, (i + 1) * SEED_BYTES))
      for (let i = 0; i < KAPPA; i++) {
        const [chosen, other] = bitOf(alice.delta, i) === 1 ? [bob.bobSeeds1, bob.bobSeeds0] : [bob.bobSeeds0, bob.bobSeeds1]
        expect(cut(alice.aliceSeeds, i)).to.equal(cut(chosen, i))
        expect(cut(alice.aliceSeeds, i)).not.to.equal(cut(other, i))
      }
    }
    expect(secretsOf(a).zeroSeed).to.deep.equal(secretsOf(b).zeroSeed)
    expect(xor(secretsOf(a).delta, secretsOf(b).delta).some((v) => v !== 0)).to.equal(true)
  })

  it('pair state: a wrong length, index or self-pair is refused', () => {
    const pair = pairOf(1, 3).get(1) as PairState
    const sealed = encodePairSecret(pair).bytes
    const bad = (change: Partial<PairPublic>, bytes: Uint8Array, code: string) =>
      expect(() => parsePairState(encode(PairPublic, { ...pair.public, ...change }), bytes))
        .to.throw(InvalidArgument)
        .with.property('code', code)
    for (const n of [0, 1, 32, sealed.length - 32, sealed.length - 1]) bad({}, sealed.subarray(0, n), 'BAD_PAIR_STATE')
    bad({}, Uint8Array.from([...sealed, 0]), 'BAD_PAIR_STATE')
    const selfPair = { ...pair, public: { ...pair.public, peer: 1 } }
    bad({ peer: 1 }, encodePairSecret(selfPair).bytes, 'BAD_PAIR_STATE')
    bad({ self: 0 }, sealed, 'BAD_PARTY')
    bad({ peer: 0 }, sealed, 'BAD_PARTY')
    for (const peer of [10, 1.5, Number(q), 3 + Number(q)])
      expect(() => encode(PairPublic, { ...pair.public, peer }))
        .to.throw()
        .with.property('code', 'WIRE_ENCODE')
  })

  it('pair state: any other public half than the one sealed with the secret is refused', () => {
    const pair = pairOf(1, 3).get(1) as PairState
    const sealed = encodePairSecret(pair).bytes
    for (const change of [
      { self: 2 },
      { peer: 2 },
      { pairEpoch: 2 },
      { transcript: flip(pair.public.transcript) },
      { clusterContext: tagged('other') },
    ])
      expect(() => parsePairState(encode(PairPublic, { ...pair.public, ...change }), sealed))
        .to.throw(InvalidArgument)
        .with.property('code', 'BAD_PAIR_STATE')
  })

  it('pair state: context and id bind cluster, epoch, parties and transcript; the context also who sends', () => {
    const p = { self: 1, peer: 3, pairEpoch: 1, transcript: new Uint8Array(32), clusterContext: CLUSTER_CONTEXT }
    const contexts = [
      pairContext(p, 1, 3),
      pairContext(p, 3, 1),
      pairContext(p, 1, 2),
      pairContext({ ...p, clusterContext: tagged('other') }, 1, 3),
      pairContext({ ...p, pairEpoch: 2 }, 1, 3),
      pairContext({ ...p, transcript: flip(p.transcript) }, 1, 3),
    ]
    expect(new Set(contexts.map(hex)).size).to.equal(contexts.length)
    const ids = [
      pairId(p),
      pairId({ ...p, clusterContext: tagged('other') }),
      pairId({ ...p, peer: 2 }),
      pairId({ ...p, pairEpoch: 2 }),
      pairId({ ...p, transcript: flip(p.transcript) }),
    ]
    expect(new Set(ids.map(hex)).size).to.equal(ids.length)
    expect(pairId({ ...p, self: 3, peer: 1 })).to.deep.equal(pairId(p))
  })
})
