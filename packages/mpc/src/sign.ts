import { concat, equalBytes, type PartyId, SecretScope } from '@conclave/core'
import { SignCommit, type SignCommit as SignCommitMessage, SignLate, SignOpen, SignPartial, SignVole } from '@conclave/wire'
import { abortOf, blame } from './abort.ts'
import type { Correlation, Product } from './correlation.ts'
import type { EcdsaSignature } from './ecdsa.ts'
import { collect, echoHash, of, type Protocol, type Round, send, take } from './protocol.ts'
import { begin, type Checked, checkOpenings, combine, commitmentOf, openTo, type Products, partialOf, type Run } from './sign-maths.ts'
import { hearTurns, SignPair } from './sign-pair.ts'
import type { SignContext } from './sign-request.ts'

const COMMIT = { number: 1, kind: 'p2p', message: SignCommit } as const
const VOLE = { number: 2, kind: 'p2p', message: SignVole } as const
const OPEN = { number: 3, kind: 'p2p', message: SignOpen } as const
const PARTIAL = { number: 4, kind: 'broadcast', message: SignPartial } as const
/** Between rounds 2 and 3, and only where the pool was expected to serve a pair and did not. */
const LATE = { number: 5, kind: 'p2p', message: SignLate } as const
const LAST = { number: 6, kind: 'p2p', message: SignLate } as const
export const SIGN_ROUNDS: readonly Round[] = [COMMIT, VOLE, OPEN, PARTIAL, LATE, LAST]

type Pairs = ReadonlyMap<PartyId, SignPair>

/**
 * Threshold signing, section 6: four rounds among exactly `threshold` parties, for one or several digests at once.
 *
 * Guarantees: every signature verifies under the (derived) public key of its item, or nothing is returned. No signature share is sent
 * before every peer has proved twice that it saw the same nonce commitments. Pool entries that are offered or taken are used for nothing
 * else and wiped. Pair states and the share stay the caller's to dispose.
 *
 * @returns one signature for each item, in their order.
 * @throws {ProtocolAbort} OT_CHECK, VOLE_CHECK, SIGN_*. {InvalidArgument} BAD_QUORUM, BAD_BATCH, BAD_DIGEST, BAD_PATH, BAD_OFFER.
 */
export function* sign(ctx: SignContext): Protocol<readonly EcdsaSignature[]> {
  using scope = new SecretScope()
  using entries = new DisposableStack()
  const own = (list: readonly Correlation[]) => list.map((entry) => entries.use(entry.secret))
  for (const offer of ctx.offers.values()) own(offer)
  const run = begin(ctx, scope)
  const { self, peers, sid, items } = run
  const mine = items.map((item) => commitmentOf(item.id, self, item.opening))

  const pairs: Pairs = new Map(
    peers.map((j) => {
      const poolOf = { offer: ctx.offers.get(j), stocked: ctx.stocked.has(j) }
      return [j, new SignPair({ pair: of(ctx.pairs, j), ids: items.map((item) => item.id), random: ctx.random, scope, ...poolOf })]
    }),
  )
  for (const j of peers) yield* send(COMMIT, j, { context: of(run.contexts, j), commitments: mine, ...of(pairs, j).first() })
  const { values: commits } = yield* collect(COMMIT)
  hearCommits(run, pairs, commits)
  const named = new Map([...pairs].map(([j, pair]) => [j, pair.named] as const).filter(([, names]) => names.length > 0))
  if (named.size > 0) {
    const found = yield* take(named)
    for (const list of found.values()) own(list)
    for (const j of named.keys()) of(pairs, j).taken(found.get(j))
  }
  blame(
    'OT_CHECK',
    peers.filter((j) => !of(pairs, j).hearOts(of(commits, j).ots)),
  )
  const commitments = new Map([...commits].map(([j, m]) => [j, m.commitments] as const)).set(self, mine)
  const echo = echoHash('sign-echo', sid, new Map([...commitments].map(([j, list]) => [j, concat(...list)])))

  for (const j of peers) yield* send(VOLE, j, { echo, ...of(pairs, j).say() })
  const { values: sent } = yield* collect(VOLE)
  // 5.1 comes before 3.1 and 4.1: it depends on no secret, so a party that fails several learns nothing from our abort.
  if (peers.some((j) => !equalBytes(of(sent, j).echo, echo))) throw abortOf('SIGN_ECHO')
  hearTurns(pairs, sent)
  yield* lateTurns(pairs)
  const products = productsOf(run, pairs)

  for (const j of peers) yield* send(OPEN, j, { echo, openings: items.map((item, i) => openTo(item, of(products[i] as Products, j))) })
  const { values: opened } = yield* collect(OPEN)
  if (peers.some((j) => !equalBytes(of(opened, j).echo, echo))) throw abortOf('SIGN_ECHO')
  const checked = checkOpenings(run, products, opened, commitments, scope)

  const partials = items.map((item, i) => partialOf(item, products[i] as Products, checked[i] as Checked))
  yield* send(PARTIAL, 'all', { partials })
  const { values: said } = yield* collect(PARTIAL)
  return combine(run, checked, partials, said)
}

/** 3.0, and the form of everything that was said in round 1: it depends on no secret. */
function hearCommits(run: Run, pairs: Pairs, commits: ReadonlyMap<PartyId, SignCommitMessage>): void {
  const { peers, items } = run
  // First, because with another request even the numbers may differ between honest parties.
  if (peers.some((j) => !equalBytes(of(commits, j).context, of(run.contexts, j)))) throw abortOf('SIGN_PAIR_MISMATCH')
  const fits = (j: PartyId, m: SignCommitMessage) => m.commitments.length === items.length && of(pairs, j).fitsFirst(m.ots, m.offer)
  blame(
    'SIGN_MALFORMED',
    peers.filter((j) => !fits(j, of(commits, j))),
  )
  for (const j of peers) of(pairs, j).hearFirst(of(commits, j).ots, of(commits, j).offer)
}

/** Turns that only pairs need in which one end thought that the pool would serve: those who owe something are waited for. */
function* lateTurns(pairs: Pairs): Protocol<void> {
  for (const round of [LATE, LAST] as const) {
    for (const [j, pair] of pairs) {
      const turn = pair.say()
      if (turn.ots.length + turn.voles.length > 0) yield* send(round, j, turn)
    }
    const owing = [...pairs].filter(([, pair]) => pair.owed).map(([j]) => j)
    if (owing.length > 0) hearTurns(pairs, (yield* collect(round, owing)).values)
  }
}

/** By item. */
function productsOf({ items }: Run, pairs: Pairs): readonly Products[] {
  const byPeer = [...pairs].map(([j, pair]) => [j, pair.products()] as const)
  return items.map((_, i) => new Map(byPeer.map(([j, list]) => [j, list[i] as Product])))
}
