import { equalBytes, InvalidArgument, type PartyId, type Random, SecretBytes, SecretScope, tagged, u32 } from '@conclave/core'
import { CorrelateConfirm, CorrelateOt, CorrelateVole, DIGESTS_MAX } from '@conclave/wire'
import { abortOf, blame } from './abort.ts'
import { type Correlation, correlationName, productBytes } from './correlation.ts'
import { Multiplications } from './multiplications.ts'
import { type PairPublic, type PairState, pairId } from './pair-state.ts'
import { collect, of, type Protocol, type Round, send } from './protocol.ts'

const OT = { number: 1, kind: 'p2p', message: CorrelateOt } as const
const VOLE = { number: 2, kind: 'p2p', message: CorrelateVole } as const
const CONFIRM = { number: 3, kind: 'p2p', message: CorrelateConfirm } as const
export const CORRELATE_ROUNDS: readonly Round[] = [OT, VOLE, CONFIRM]

/** Entries that one run makes at most. */
export const CORRELATE_MAX: number = DIGESTS_MAX

export interface CorrelateContext {
  readonly self: PartyId
  readonly peer: PartyId
  readonly pair: PairState
  /** 32 bytes, fresh for this run, the same at both ends. */
  readonly nonce: Uint8Array
  /** 1 to {@link CORRELATE_MAX}, the same at both ends. */
  readonly count: number
  readonly random: Random
}

/** The name of the session. */
export const correlateSid = (pair: PairPublic, nonce: Uint8Array): Uint8Array => tagged('correlate', pairId(pair), nonce)

function check({ self, peer, pair, nonce, count }: CorrelateContext): void {
  if (pair.public.self !== self || pair.public.peer !== peer) throw new InvalidArgument('BAD_PARTY', 'the pair state is of another pair')
  if (nonce.length !== 32) throw new InvalidArgument('BAD_NONCE', 'a nonce has 32 bytes')
  if (!Number.isInteger(count) || count < 1 || count > CORRELATE_MAX)
    throw new InvalidArgument('BAD_BATCH', `a run makes 1 to ${CORRELATE_MAX} entries`)
}

/**
 * Makes `count` entries of the correlation pool with one peer: the multiplications of section 5 ahead of need, in both directions.
 * Three messages each way.
 *
 * Guarantees: an end that finishes holds, under each name, the half that fits what the other end computed under that name. Both finish
 * unless the last message is lost; who has an entry alone finds out when it is named, and nothing is lost but the entry.
 * Entries are in no particular order of use. The pair state stays the caller's.
 *
 * @throws {ProtocolAbort} OT_CHECK, VOLE_CHECK, SIGN_MALFORMED, CORRELATE_*. {InvalidArgument} BAD_PARTY, BAD_NONCE, BAD_BATCH.
 */
export function* correlate(ctx: CorrelateContext): Protocol<readonly Correlation[]> {
  using scope = new SecretScope()
  check(ctx)
  const { self, peer, pair, nonce, count, random } = ctx
  const id = pairId(pair.public)
  const ids = Array.from({ length: count }, (_, k) => tagged('pool', id, nonce, u32(k)))
  const run = new Multiplications({ pair, ids, random, scope })

  // What must be equal at both ends before 3.1 means anything, as in signing.
  const context = tagged('correlate-context', correlateSid(pair.public, nonce), u32(count))
  yield* send(OT, peer, { context, ots: run.ots() })
  const start = of((yield* collect(OT)).values, peer)
  if (!equalBytes(start.context, context)) throw abortOf('CORRELATE_MISMATCH')
  if (start.ots.length !== count) throw abortOf('SIGN_MALFORMED', [peer])
  if (!run.hearOts(start.ots)) throw abortOf('OT_CHECK', [peer])

  yield* send(VOLE, peer, { voles: run.voles() })
  const { voles } = of((yield* collect(VOLE)).values, peer)
  const verdict = voles.length === count ? run.hearVoles(voles) : 'malformed'
  blame('SIGN_MALFORMED', verdict === 'malformed' ? [peer] : [])
  blame('VOLE_CHECK', verdict === 'inconsistent' ? [peer] : [])

  const made = run.products().map((product, k) => {
    const { ours, theirs } = run.salts(k)
    const [low, high] = self < peer ? [ours, theirs] : [theirs, ours]
    return { name: correlationName(pair.public, nonce, k, low, high), bytes: scope.own(productBytes(product)) }
  })
  const names = tagged('correlate-names', context, ...made.map((m) => m.name))
  yield* send(CONFIRM, peer, { names })
  const confirmed = of((yield* collect(CONFIRM)).values, peer)
  if (!equalBytes(confirmed.names, names)) throw abortOf('CORRELATE_UNCONFIRMED')
  return made.map(({ name, bytes }) => ({ name, secret: new SecretBytes(Uint8Array.from(bytes)) }))
}
