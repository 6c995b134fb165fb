/** What a signing session is about, and the name that binds all of it. */
import { type DerivationPath, InvalidArgument, type PartyId, parsePartySet, type Random, tagged, toHex, u32, utf8 } from '@conclave/core'
import { DIGESTS_MAX } from '@conclave/wire'
import type { Correlation } from './correlation.ts'
import { type KeyShare, keyContext, partyList } from './key.ts'
import type { PairState } from './pair-state.ts'

/** One signature of a session. */
export interface SignItem {
  /** 32 bytes, fixed before any nonce exists. */
  readonly digest: Uint8Array
  /** BIP32 non-hardened. */
  readonly path: DerivationPath
}

/** What is signed and by whom: everything that `sid` binds beside the key. */
export interface SignRequest {
  /** 32 bytes. */
  readonly requestId: Uint8Array
  /** 32 bytes: the hash of the statement that every signer has made of the request by itself. */
  readonly statement: Uint8Array
  /** Increasing; exactly `threshold` of them. */
  readonly signers: readonly PartyId[]
  /** 1 to DIGESTS_MAX of them: one signature each, all or none. */
  readonly items: readonly SignItem[]
  /** What the digests are, e.g. `evm.tx`. */
  readonly purpose: string
  readonly attempt: number
}

export interface SignContext {
  readonly clusterContext: Uint8Array
  readonly share: KeyShare
  readonly request: SignRequest
  /** By peer of this quorum. */
  readonly pairs: ReadonlyMap<PartyId, PairState>
  readonly random: Random
  /**
   * Pool entries for peers with a higher index, one for each item; a peer without is served by the full protocol. They have left the stock for good and are
   * the run's from its start on: it wipes them, whatever happens.
   */
  readonly offers: ReadonlyMap<PartyId, readonly Correlation[]>
  /** Peers with a lower index of whom this party has entries enough, so that it expects an offer. A wrong guess costs a round, no more. */
  readonly stocked: ReadonlySet<PartyId>
}

/**
 * `sid = T("sign", keyCtx, requestId, statement, signerSet, digest, derivationPath of each item..., purpose, attempt)`; also the name of the session.
 *
 * T has the length of every part in it, so two requests have one name only when they have the same items.
 */
export function signSid(clusterContext: Uint8Array, key: KeyShare['public'], r: SignRequest): Uint8Array {
  const items = r.items.flatMap(({ digest, path }) => [digest, Uint8Array.from(path.flatMap((i) => [...u32(i)]))])
  const named = [r.requestId, r.statement, partyList(r.signers)]
  return tagged('sign', keyContext(clusterContext, key), ...named, ...items, utf8(r.purpose), u32(r.attempt))
}

/** What takes the place of `sid` in everything that belongs to one item of several. */
export function itemId(sid: Uint8Array, position: number, count: number): Uint8Array {
  return count === 1 ? sid : tagged('sign-item', sid, u32(position))
}

/** Offers are complete and of no entry twice, to peers that can take them. */
function checkPool({ share, request, offers, stocked }: SignContext): void {
  const peers = request.signers.filter((j) => j !== share.self)
  const offered = [...offers].every(([j, entries]) => peers.includes(j) && j > share.self && entries.length === request.items.length)
  const expected = [...stocked].every((j) => peers.includes(j) && j < share.self)
  const names = [...offers.values()].flat().map((entry) => toHex(entry.name))
  if (!offered || !expected || new Set(names).size !== names.length)
    throw new InvalidArgument('BAD_OFFER', 'entries are offered to higher peers and expected of lower ones: one for each item, each once')
}

/** @throws {InvalidArgument} BAD_QUORUM, BAD_BATCH, BAD_DIGEST, BAD_OFFER. */
export function checkRequest(ctx: SignContext): readonly PartyId[] {
  const { share, request, pairs } = ctx
  const { threshold, parties } = share.public
  const signers = parsePartySet(request.signers)
  const known = signers.every((j) => parties.includes(j)) && signers.every((j, i) => request.signers[i] === j)
  const pairedWith = (j: PartyId) => pairs.get(j)?.public.self === share.self && pairs.get(j)?.public.peer === j
  const paired = signers.every((j) => j === share.self || pairedWith(j))
  if (signers.length !== threshold || !known || !paired || !signers.includes(share.self)) {
    throw new InvalidArgument('BAD_QUORUM', `a quorum is exactly ${threshold} distinct parties of the key, with pair state among them`)
  }
  const { items, requestId, statement } = request
  if (items.length < 1 || items.length > DIGESTS_MAX)
    throw new InvalidArgument('BAD_BATCH', `a session makes 1 to ${DIGESTS_MAX} signatures`)
  if (requestId.length !== 32 || statement.length !== 32 || items.some((item) => item.digest.length !== 32))
    throw new InvalidArgument('BAD_DIGEST', 'digests, the request id and the hash of the statement have 32 bytes')
  checkPool(ctx)
  return signers
}
