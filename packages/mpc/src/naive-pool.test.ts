import { type PartyId, tagged, toHex, u32, utf8 } from '@conclave/core'
import { CorrelateOt, CorrelateVole, decode, encode, type MessageField, SignCommit, SignOpen, SignPartial, SignVole } from '@conclave/wire'
import { expect } from 'chai'
import type { EcdsaSignature } from './ecdsa.ts'
import { of } from './protocol.ts'
import type { SignItem } from './sign-request.ts'
import { CLUSTER_CONTEXT, runSign, testRequest } from './testing/cluster.ts'
import { committee, keyOf, pairOf } from './testing/committee.ts'
import { NaiveSigner, type NaiveStock, readEntry, readPair } from './testing/naive.fixture.ts'
import { type NaiveEntry, type NaivePair, NaiveRun } from './testing/naive-item.fixture.ts'
import { bytesOf, compressed, G, join, T, times } from './testing/naive-maths.fixture.ts'
import { runCorrelate, TestPool } from './testing/pool.ts'
import { partyRandom, recorder, slotOf } from './testing/run.ts'

const SIGNERS: readonly PartyId[] = [1, 2, 4]
const PAIRS = [
  [1, 2],
  [1, 4],
  [2, 4],
] as const
const SEED = 'naive pool'
const naivePair = (self: PartyId, peer: PartyId): NaivePair => {
  const state = of(pairOf(self, peer), self)
  return readPair(state.public, state.secret.bytes)
}
const hex = (bytes: Uint8Array | undefined) => toHex(bytes ?? new Uint8Array(0))

/** An entry as the pool keeps it. */
const bytesOfEntry = ({ alpha, t, beta, r }: NaiveEntry) =>
  join([...[...alpha, ...t, beta, ...r].map((v) => bytesOf(v, 32)), ...t.map((v) => compressed(times(G, v)))])

describe('naive: the pool', () => {
  it('given the randomness of a run, both ends say the same bytes and keep the same entries under the same names', () => {
    const count = 2
    const said = recorder()
    const { results } = runCorrelate(2, 4, SEED, count, { watch: said.watch })
    const nonce = tagged('correlate-nonce', utf8(SEED))
    const pair = naivePair(2, 4)
    const pairId = T('pair-id', CLUSTER_CONTEXT, u32(pair.pairEpoch), u32(2), u32(4), pair.transcript)
    for (const self of [2, 4]) {
      const peer = 6 - self
      const random = partyRandom(`pool/${SEED}/${peer}`, self)
      const ids = Array.from({ length: count }, (_, k) => T('pool', pairId, nonce, u32(k)))
      const runs = ids.map((id) => new NaiveRun(CLUSTER_CONTEXT, naivePair(self, peer), [self, peer], id))
      const context = T('correlate-context', T('correlate', pairId, nonce), u32(count))
      const ots = runs.map((run) => run.ot(random))
      expect(hex(encode(CorrelateOt, { context, ots }))).to.equal(hex(said.sent.get(slotOf(1, self, peer))))
      const heard = decode(CorrelateOt, said.sent.get(slotOf(1, peer, self)) as Uint8Array)
      for (const [k, ot] of heard.ots.entries()) runs[k]?.hearOt(ot)
      const voles = runs.map((run) => run.answer(random))
      expect(hex(encode(CorrelateVole, { voles }))).to.equal(hex(said.sent.get(slotOf(2, self, peer))))
      const answers = decode(CorrelateVole, said.sent.get(slotOf(2, peer, self)) as Uint8Array)
      for (const [k, vole] of answers.voles.entries()) runs[k]?.hearVole(vole)
      for (const [k, entry] of of(results, self).entries()) {
        const own = [ots[k]?.salt, voles[k]?.salt] as Uint8Array[]
        const theirs = [heard.ots[k]?.salt, answers.voles[k]?.salt] as Uint8Array[]
        const salts = self < peer ? [...own, ...theirs] : [...theirs, ...own]
        expect(hex(entry.name)).to.equal(hex(T('correlation', pairId, nonce, u32(k), ...salts)))
        const { vole, product } = runs[k] as NaiveRun
        expect(hex(entry.secret.bytes)).to.equal(hex(bytesOfEntry({ ...vole, ...product })))
      }
    }
  })

  const items: readonly SignItem[] = [
    { digest: tagged('first'), path: [0, 7] },
    { digest: tagged('second'), path: [] },
  ]
  for (const [what, pooled] of [
    ['no pair', []],
    ['every pair', PAIRS],
    ['one pair', [[1, 4]]],
  ] as const)
    for (const count of [1, 2])
      it(`given the randomness of a run of ${count} items, ${what} pooled, every message of every party and the signatures are the same bytes`, () => {
        const pool = new TestPool()
        for (const [a, b] of pooled) pool.fill(a, b, SEED, count)
        const stocks = new Map(SIGNERS.map((self) => [self, stockOf(pool, self)]))
        const request = testRequest(SIGNERS, { items: items.slice(0, count), attempt: 3 })
        const said = recorder()
        const { results } = runSign(committee(3, 4, SIGNERS), request, SEED, { ...pool.options(SIGNERS, count), watch: said.watch })
        const key = of(keyOf(3, 4).shares, 1).public
        for (const self of SIGNERS) {
          const peers = SIGNERS.filter((j) => j !== self)
          const share = of(keyOf(3, 4).shares, self).secret.bytes
          const pairs = new Map(peers.map((j) => [j, naivePair(self, j)]))
          const random = partyRandom(`sign/${SEED}`, self)
          const signer = new NaiveSigner({
            clusterCtx: CLUSTER_CONTEXT,
            self,
            key,
            share,
            pairs,
            pooled: of(stocks, self),
            request,
            random,
          })
          const says = <M extends MessageField>(round: number, type: M, message: (j: PartyId) => unknown) => {
            for (const j of peers)
              expect(hex(encode(type, message(j) as never)), `party ${self} to ${j}, round ${round}`).to.equal(
                hex(said.sent.get(slotOf(round, self, j))),
              )
            return new Map(peers.map((j) => [j, decode(type, said.sent.get(slotOf(round, j, self)) as Uint8Array)]))
          }
          const first = signer.round1()
          const commits = says(1, SignCommit, (j) => first.get(j))
          const second = signer.round2(commits)
          const voles = says(2, SignVole, (j) => second.get(j))
          const third = signer.round3(voles)
          const opens = says(3, SignOpen, (j) => third.get(j))
          const partial = signer.round4(opens)
          const made: readonly EcdsaSignature[] = signer.finish(says(4, SignPartial, () => partial))
          expect(made).to.deep.equal(of(results, self))
        }
      })
})

/** What a party has in stock, before a run takes it. */
function stockOf(pool: TestPool, self: PartyId): ReadonlyMap<PartyId, readonly NaiveStock[]> {
  const peers = SIGNERS.filter((j) => pool.size(self, j) > 0)
  return new Map(peers.map((j) => [j, pool.look(self, j).map(({ name, secret }) => ({ name, entry: readEntry(secret.bytes) }))]))
}
