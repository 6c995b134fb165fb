/**
 * A dealer that does not follow sections 3 and 9, and everything else as the others expect it: its commitments fit its openings and
 * every peer gets the echoes that it waits for, so that only the check in question can fail.
 *
 * Written from the specification, not from deal.ts.
 */
import { type PartyId, type Random, tagged, u32 } from '@conclave/core'
import { DealCommit, DealOpen, DealSubshare, type SchnorrProof, type ValueOf } from '@conclave/wire'
import type { DealResult } from '../deal.ts'
import { type DealContext, dealersOf, describeDeal, lowestPower, quorumOf } from '../deal-context.ts'
import { dealConfig, dealSid } from '../key.ts'
import { mulBase, pointToBytes } from '../points.ts'
import { evaluate, type Polynomial } from '../polynomial.ts'
import { collect, echoHash, of, type Protocol, send } from '../protocol.ts'
import { proveKnowledge } from '../schnorr.ts'

const COMMIT = { number: 1, kind: 'broadcast', message: DealCommit } as const
const OPEN = { number: 2, kind: 'broadcast', message: DealOpen } as const
const SUBSHARE = { number: 3, kind: 'p2p', message: DealSubshare } as const
type Commit = ValueOf<typeof DealCommit>
type Opening = ValueOf<typeof DealOpen>

export interface Deviation {
  /** Constant term first. What subshares are dealt from and, unless overridden, what is committed to and proved. */
  readonly polynomial: Polynomial
  /** Commits to these encodings in place of `f_k G`. */
  readonly coefficients?: readonly Uint8Array[]
  /** Another salt to each peer: an equivocation whose every opening fits. */
  readonly saltTo?: (to: PartyId) => Uint8Array
  /** Waits for the openings of all others before its own: a rushing dealer. */
  readonly rushing?: boolean
  /** Changes the opening for one peer, after what others opened is known (when rushing). */
  readonly opening?: (mine: Opening, seen: Seen) => Opening
}

export interface Seen {
  readonly to: PartyId
  readonly sid: Uint8Array
  readonly openings: ReadonlyMap<PartyId, Opening>
  readonly random: Random
}

/** A valid proof for every coefficient of `f` from the power `first` on, as a dealer of index `self` makes them. */
export const proveAll = (f: Polynomial, sid: Uint8Array, self: PartyId, random: Random, first = 0): readonly SchnorrProof[] =>
  f.map((a, k) => proveKnowledge(a, mulBase(a), [sid, u32(self), u32(first + k)], random))

const digest = (o: Opening): Uint8Array =>
  tagged(
    'deal-opening',
    u32(o.coefficients.length),
    ...o.coefficients,
    o.chainCodePart,
    o.salt,
    ...o.proofs.flatMap((p) => [p.nonce, p.response]),
    o.echo,
  )

function* askOpenings(): Protocol<ReadonlyMap<PartyId, Opening>> {
  return (yield* collect(OPEN)).values
}

/** Rounds 1 to 3; it stops before it attests. */
export function* deviantDeal(ctx: DealContext, deviation: Deviation): Protocol<DealResult> {
  const { self, random } = ctx
  const quorum = quorumOf(ctx)
  const peers = quorum.filter((j) => j !== self)
  const f = deviation.polynomial
  const first = lowestPower(ctx)
  const coefficients = deviation.coefficients ?? f.slice(first).map((a) => pointToBytes(mulBase(a)))
  const [sidPart, salt] = [random.bytes(32), random.bytes(32)]
  const chainCodePart = random.bytes(ctx.dealing.kind === 'create' ? 32 : 0)
  const saltTo = (to: PartyId) => deviation.saltTo?.(to) ?? salt
  const commitTo = (to: PartyId): Commit => ({
    sidPart,
    commitment: tagged('deal-commit', sidPart, u32(self), ...coefficients, chainCodePart, saltTo(to)),
  })
  for (const j of peers) yield* send(COMMIT, j, commitTo(j))
  const { values: commits } = yield* collect(COMMIT)

  const config = dealConfig(describeDeal(ctx))
  const sid = dealSid(
    quorum.map((j) => (j === self ? sidPart : of(commits, j).sidPart)),
    config,
  )
  /** The echo of round 1 as `to` computes it. */
  const echoCommitsOf = (to: PartyId) => {
    const seen = new Map([...commits, [self, commitTo(to)] as const])
    return echoHash('deal-echo-commit', sid, new Map([...seen].map(([j, c]) => [j, tagged('deal-said', c.sidPart, c.commitment)])))
  }
  const proofs = proveAll(f.slice(first), sid, self, random, first)
  const early = deviation.rushing === true ? yield* askOpenings() : new Map<PartyId, Opening>()
  const shown = new Map<PartyId, Opening>()
  for (const to of peers) {
    const mine = { coefficients, chainCodePart, salt: saltTo(to), proofs, echo: echoCommitsOf(to) }
    const opening = deviation.opening?.(mine, { to, sid, openings: early, random }) ?? mine
    shown.set(to, opening)
    yield* send(OPEN, to, opening)
  }
  const openings = deviation.rushing === true ? early : yield* askOpenings()
  const deals = dealersOf(ctx).includes(self)

  for (const to of peers) {
    const seen = new Map([...openings, [self, of(shown, to)] as const])
    const echo = echoHash('deal-echo-open', sid, new Map([...seen].map(([j, o]) => [j, digest(o)])))
    yield* send(SUBSHARE, to, { subshare: deals && ctx.parties.includes(to) ? evaluate(f, to) : new Uint8Array(0), echo })
  }
  yield* collect(SUBSHARE)
  // Unreachable in a run in which an honest party has stopped; otherwise this dealer simply has no result.
  return undefined as never
}
