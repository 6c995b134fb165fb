import { equalBytes, type PartyId, parsePartySet, type Random, SecretScope, tagged, u32 } from '@conclave/core'
import {
  encode,
  type MessageField,
  PairAnswer,
  PairChallenge,
  PairChoose,
  PairConfirm,
  PairReveal,
  PairStart,
  type ValueOf,
} from '@conclave/wire'
import { abortOf } from './abort.ts'
import { answer, challenge, choose, reveal, revealFits, seedsOf, startSender } from './base-ot.ts'
import { joinSecrets, type PairPublic, type PairState, pairId } from './pair-state.ts'
import { collect, of, type Protocol, type Round } from './protocol.ts'

const START = { number: 1, kind: 'p2p', message: PairStart, exact: true } as const
const CHOOSE = { number: 2, kind: 'p2p', message: PairChoose, exact: true } as const
const CHALLENGE = { number: 3, kind: 'p2p', message: PairChallenge, exact: true } as const
const ANSWER = { number: 4, kind: 'p2p', message: PairAnswer, exact: true } as const
const REVEAL = { number: 5, kind: 'p2p', message: PairReveal, exact: true } as const
const CONFIRM = { number: 6, kind: 'p2p', message: PairConfirm, exact: true } as const
export const PAIR_ROUNDS: readonly Round[] = [START, CHOOSE, CHALLENGE, ANSWER, REVEAL, CONFIRM]

export interface PairContext {
  readonly self: PartyId
  readonly peer: PartyId
  readonly clusterContext: Uint8Array
  /** Grows with every setup of this pair. */
  readonly pairEpoch: number
  /** 32 bytes, fresh for this run, the same at both ends. */
  readonly nonce: Uint8Array
  readonly random: Random
}

const zeroCommitment = (ctx: Uint8Array, j: PartyId, o: Pick<ValueOf<typeof PairChoose>, 'zeroPart' | 'zeroSalt'>): Uint8Array =>
  tagged('zero-commit', ctx, u32(j), o.zeroPart, o.zeroSalt)

/**
 * Pair setup, section 2: base OTs in both directions at once, and a common seed for zero shares. Six messages each way.
 *
 * Both ends finish with equal {@link pairId} or not at all; a failure voids this setup and never a key.
 *
 * @throws {ProtocolAbort} PAIR_*. {InvalidArgument} BAD_PARTY, BAD_PARTY_SET.
 */
export function* pairSetup(ctx: PairContext): Protocol<PairState> {
  using scope = new SecretScope()
  const { self, peer, random } = ctx
  parsePartySet([self, peer])
  const low = Math.min(self, peer)
  const session = tagged('pair-session', ctx.clusterContext, u32(ctx.pairEpoch), u32(low), u32(self + peer - low), ctx.nonce)
  const direction = (baseSender: PartyId, baseReceiver: PartyId) => tagged('pair-direction', session, u32(baseSender), u32(baseReceiver))
  const out = direction(self, peer)
  const into = direction(peer, self)
  const said: Uint8Array[] = []
  function* exchange<M extends MessageField>(round: Round<M>, mine: ValueOf<M>): Protocol<ValueOf<M>> {
    const own = encode(round.message, mine)
    yield { send: { round: round.number, to: peer, body: own } }
    const { values, bodies } = yield* collect(round)
    said.push(...(self === low ? [own, of(bodies, peer)] : [of(bodies, peer), own]))
    return of(values, peer)
  }

  const sender = startSender(out, random)
  scope.own(sender.secret)
  const zero = { zeroPart: scope.own(random.bytes(32)), zeroSalt: random.bytes(32) }
  const start = yield* exchange(START, { base: sender.baseBytes, proof: sender.proof, zeroCommitment: zeroCommitment(session, self, zero) })

  const choice = choose(into, start.base, start.proof, random)
  if (choice === undefined) throw abortOf('PAIR_BAD_PROOF', [peer])
  scope.own(choice.bits)
  scope.own(choice.pads)
  const chosen = yield* exchange(CHOOSE, { points: choice.points, ...zero })
  scope.own(chosen.zeroPart)
  if (!equalBytes(zeroCommitment(session, peer, chosen), start.zeroCommitment)) throw abortOf('PAIR_BAD_OPENING', [peer])

  const made = challenge(out, sender, chosen.points)
  if (made === undefined) throw abortOf('PAIR_BAD_POINT', [peer])
  scope.own(made.pads0)
  scope.own(made.pads1)
  const { challenges } = yield* exchange(CHALLENGE, { challenges: made.challenges })

  const { answers } = yield* exchange(ANSWER, { answers: answer(into, choice, challenges) })
  const pads = reveal(out, made, answers)
  if (pads === undefined) throw abortOf('PAIR_BAD_ANSWER', [peer])

  const revealed = yield* exchange(REVEAL, { pads })
  if (!revealFits(into, choice, challenges, revealed.pads)) throw abortOf('PAIR_BAD_REVEAL', [peer])

  const { pairEpoch, clusterContext } = ctx
  const transcript = tagged('pair-transcript', session, ...said)
  const described: PairPublic = { self, peer, pairEpoch, transcript, clusterContext }
  const id = pairId(described)
  const confirmed = yield* exchange(CONFIRM, { pairId: id })
  if (!equalBytes(confirmed.pairId, id)) throw abortOf('PAIR_UNCONFIRMED')

  // The secret is joined last: before this line an abort finds nothing that the scope does not wipe.
  const [lowPart, highPart] = self === low ? [zero.zeroPart, chosen.zeroPart] : [chosen.zeroPart, zero.zeroPart]
  return {
    public: described,
    secret: joinSecrets({
      delta: choice.bits,
      aliceSeeds: scope.own(seedsOf(into, choice.pads)),
      bobSeeds0: scope.own(seedsOf(out, made.pads0)),
      bobSeeds1: scope.own(seedsOf(out, made.pads1)),
      zeroSeed: scope.own(tagged('zero-seed', session, lowPart, highPart)),
    }),
  }
}
