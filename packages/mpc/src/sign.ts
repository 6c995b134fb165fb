import { equalBytes, type PartyId, SecretScope } from '@conclave/core'
import { SignCommit, SignOpen, SignPartial, SignVole } from '@conclave/wire'
import { abortOf } from './abort.ts'
import type { EcdsaSignature } from './ecdsa.ts'
import { type BobExtension, extendBob } from './ot-extension.ts'
import { pairContext, secretsOf } from './pair-state.ts'
import { mulBase, pointsToBytes } from './points.ts'
import { collect, echoHash, of, type Protocol, type Round, send } from './protocol.ts'
import { begin, checkOpenings, combine, commitmentOf, multiply, openTo, partialOf, signContext, voles } from './sign-maths.ts'
import type { SignContext } from './sign-request.ts'

const COMMIT = { number: 1, kind: 'p2p', message: SignCommit } as const
const VOLE = { number: 2, kind: 'p2p', message: SignVole } as const
const OPEN = { number: 3, kind: 'p2p', message: SignOpen } as const
const PARTIAL = { number: 4, kind: 'broadcast', message: SignPartial } as const
export const SIGN_ROUNDS: readonly Round[] = [COMMIT, VOLE, OPEN, PARTIAL]

/**
 * Threshold signing, section 5: four rounds among exactly `threshold` parties.
 *
 * Guarantees: the result verifies under the (derived) public key, or nothing is returned. No signature share is sent before every
 * peer has proved twice that it saw the same nonce commitments. Pair states and the share stay the caller's to dispose.
 *
 * @throws {ProtocolAbort} OT_CHECK, VOLE_CHECK, SIGN_*. {InvalidArgument} BAD_QUORUM, BAD_DIGEST, BAD_PATH.
 */
export function* sign(ctx: SignContext): Protocol<EcdsaSignature> {
  using scope = new SecretScope()
  const run = begin(ctx, scope)
  const { self, peers, sid, secrets } = run
  const [noncePoint, keyPoint] = pointsToBytes([mulBase(secrets.k), mulBase(secrets.sk)]) as [Uint8Array, Uint8Array]
  const opening = { noncePoint, keyPoint, salt: ctx.random.bytes(32) }
  const commitment = commitmentOf(sid, self, opening)

  const bobs = new Map<PartyId, BobExtension>()
  for (const j of peers) {
    const { bobSeeds0, bobSeeds1 } = secretsOf(of(ctx.pairs, j))
    const bob = extendBob(sid, pairContext(of(ctx.pairs, j).public, j, self), { seeds0: bobSeeds0, seeds1: bobSeeds1 }, ctx.random)
    scope.own(bob.choices)
    scope.own(bob.rows)
    bobs.set(j, bob)
    yield* send(COMMIT, j, { context: signContext(run, j), commitment, ot: bob.message })
  }
  const { values: commits } = yield* collect(COMMIT)
  if (peers.some((j) => !equalBytes(of(commits, j).context, signContext(run, j)))) throw abortOf('SIGN_PAIR_MISMATCH')
  const commitments = new Map([...commits].map(([j, m]) => [j, m.commitment] as const)).set(self, commitment)
  const echo = echoHash('sign-echo', sid, commitments)

  const alices = voles(run, commits, scope)
  for (const j of peers) yield* send(VOLE, j, { echo, vole: of(alices, j).message })
  const { values: sent } = yield* collect(VOLE)
  // 5.1 comes before 4.1: it depends on no secret, so a party that fails both learns nothing from our abort.
  if (peers.some((j) => !equalBytes(of(sent, j).echo, echo))) throw abortOf('SIGN_ECHO')
  const products = multiply(run, bobs, alices, sent, scope)

  for (const j of peers) yield* send(OPEN, j, openTo(secrets, of(products, j), opening, echo))
  const { values: opened } = yield* collect(OPEN)
  if (peers.some((j) => !equalBytes(of(opened, j).echo, echo))) throw abortOf('SIGN_ECHO')
  const { nonce, psi, d } = checkOpenings(run, products, opened, commitments, scope)

  const mine = partialOf(run, nonce, products, { psi, d })
  yield* send(PARTIAL, 'all', mine)
  const { values: partials } = yield* collect(PARTIAL)
  return combine(run, nonce, mine, partials)
}
