import { concat, equalBytes, type PartyId, tagged } from '@conclave/core'
import { encode, KeyPublic, PairPublic } from '@conclave/wire'
import { encodeShareSecret, type KeyShare, parseKeyShare } from './key.ts'
import { encodePairSecret, type PairState, parsePairState } from './pair-state.ts'
import { expectSane } from './testing/claims.fixture.ts'
import { runDeal, runDkg, runPair, runSign, testRequest } from './testing/cluster.ts'
import { committee, keyOf, pairOf } from './testing/committee.ts'
import { runCorrelate, TestPool } from './testing/pool.ts'
import { refreshOf, reshareOf } from './testing/renewal.fixture.ts'
import type { InFlight, RunOptions } from './testing/run.ts'

function startKeyShare() {
  const share = keyOf(2, 3).shares.get(1) as KeyShare
  using sealed = encodeShareSecret(share)
  const x = sealed.bytes.slice(0, 32)
  const good = encode(KeyPublic, share.public)
  const run = (input: Uint8Array) => {
    // The binding hash is made to fit, or it would be all that is ever looked at.
    const parsed = parseKeyShare(input, concat(x, tagged('key-public', input)), 1)
    if (!equalBytes(encode(KeyPublic, parsed.public), input)) throw new Error('another public half than the one given')
  }
  return { seeds: [good, encode(KeyPublic, (keyOf(3, 5).shares.get(1) as KeyShare).public)], run }
}

function startPairState() {
  const pair = pairOf(1, 3).get(1) as PairState
  const secret = encodePairSecret(pair).bytes.slice(0, -32)
  const run = (input: Uint8Array) => parsePairState(input, concat(secret, tagged('pair-public', input)))
  return { seeds: [encode(PairPublic, pair.public)], run }
}

const PROTOCOLS = [
  { name: 'dkg', rounds: 4, runs: 6, play: (o: RunOptions) => runDkg([1, 2, 3], 2, 'fuzz', o) },
  { name: 'refresh', rounds: 3, runs: 4, play: (o: RunOptions) => runDeal(refreshOf(keyOf(2, 3).shares), 'fuzz', o) },
  { name: 'reshare', rounds: 3, runs: 4, play: (o: RunOptions) => runDeal(reshareOf(keyOf(2, 3).shares, [2, 3], [1, 2, 4], 2), 'fuzz', o) },
  { name: 'pair', rounds: 6, runs: 1, play: (o: RunOptions) => runPair(1, 3, 'fuzz', o) },
  { name: 'sign', rounds: 4, runs: 4, play: (o: RunOptions) => runSign(committee(2, 3, [1, 3]), testRequest([1, 3]), 'fuzz', o) },
  { name: 'correlate', rounds: 3, runs: 4, play: (o: RunOptions) => runCorrelate(1, 3, 'fuzz', 2, o) },
  { name: 'sign-pooled', rounds: 4, runs: 8, play: (o: RunOptions) => signPooled([1, 3], [3, 5], o) },
  // Party 3 is offered entries that it has not, and does not offer those that party 5 has: it speaks in every round.
  { name: 'sign-late', rounds: 6, runs: 3, play: (o: RunOptions) => signPooled([1], [5], o) },
]
/** Parties 1, 3 and 5 sign two digests; who keeps the entries of the pairs 1, 3 and 3, 5. Where one end has none, the other end has others. */
function signPooled(low: readonly PartyId[], high: readonly PartyId[], options: RunOptions) {
  const pool = new TestPool()
  pool.fill(1, 3, 'fuzz', 2, low)
  pool.fill(3, 5, 'fuzz', 2, high)
  if (low.length === 1) pool.fill(1, 3, 'fuzz others', 2, [3])
  const items = [0, 1].map((v) => ({ digest: new Uint8Array(32).fill(v), path: [v] }))
  const request = testRequest([1, 3, 5], { items })
  return runSign(committee(3, 5, [1, 3, 5]), request, 'fuzz', { ...options, ...pool.options([1, 3, 5], 2) })
}
type Play = (typeof PROTOCOLS)[number]['play']

/** What party 3 says in an honest run. */
const honest = new Map<Play, readonly InFlight[]>()

function saidBy3(play: Play): readonly InFlight[] {
  const known = honest.get(play)
  if (known !== undefined) return known
  const said: InFlight[] = []
  play({ watch: (m) => m.from === 3 && said.push(m) })
  honest.set(play, said)
  return said
}

/** Party 3 sends the input as its word of one round; the rest of it is honest. */
function startRound(round: number, play: Play) {
  const run = (input: Uint8Array) => expectSane(play({ tamper: (m) => (m.from === 3 && m.round === round ? input : m.body) }))
  const seeds = saidBy3(play).flatMap((m) => (m.round === round ? [m.body] : []))
  return { seeds, run }
}

export const TARGETS = [
  {
    ...{ name: 'mpc.key-share', kind: 'message', runs: 100, start: startKeyShare },
    codes: /^(WIRE_DECODE|BAD_KEY|BAD_KEY_ID|BAD_THRESHOLD|BAD_PARTY|BAD_PARTY_SET)$/,
  },
  {
    ...{ name: 'mpc.pair-state', kind: 'message', runs: 100, start: startPairState },
    codes: /^(WIRE_DECODE|BAD_PAIR_STATE|BAD_PARTY)$/,
  },
  // Nothing comes out of a session but its state.
  ...PROTOCOLS.flatMap(({ name, rounds, runs, play }) =>
    Array.from({ length: rounds }, (_, i) => ({
      ...{ name: `mpc.${name}-${i + 1}`, kind: 'message', runs, codes: /^$/ },
      start: () => startRound(i + 1, play),
    })),
  ),
]
