/** What a signing session is about, and the name that binds all of it. */
import { InvalidArgument, type PartyId, parsePartySet, type Random, tagged, u32, utf8 } from '@conclave/core'
import { type KeyShare, keyContext, partyList } from './key.ts'
import type { PairState } from './pair-state.ts'

/** What is signed and by whom: everything that `sid` binds beside the key. */
export interface SignRequest {
  /** 32 bytes. */
  readonly requestId: Uint8Array
  /** Increasing; exactly `threshold` of them. */
  readonly signers: readonly PartyId[]
  /** 32 bytes, fixed before any nonce exists. */
  readonly digest: Uint8Array
  /** BIP32 non-hardened. */
  readonly path: readonly number[]
  /** What the digest is, e.g. `evm.tx`. */
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
}

/** `sid = T("sign", keyCtx, requestId, signerSet, digest, derivationPath, purpose, attempt)`; also the name of the session. */
export function signSid(clusterContext: Uint8Array, key: KeyShare['public'], r: SignRequest): Uint8Array {
  const path = Uint8Array.from(r.path.flatMap((i) => [...u32(i)]))
  return tagged('sign', keyContext(clusterContext, key), r.requestId, partyList(r.signers), r.digest, path, utf8(r.purpose), u32(r.attempt))
}

/** @throws {InvalidArgument} BAD_QUORUM, BAD_DIGEST. */
export function checkRequest({ share, request, pairs }: SignContext): readonly PartyId[] {
  const { threshold, parties } = share.public
  const signers = parsePartySet(request.signers)
  const known = signers.every((j) => parties.includes(j)) && signers.every((j, i) => request.signers[i] === j)
  const pairedWith = (j: PartyId) => pairs.get(j)?.public.self === share.self && pairs.get(j)?.public.peer === j
  const paired = signers.every((j) => j === share.self || pairedWith(j))
  if (signers.length !== threshold || !known || !paired || !signers.includes(share.self)) {
    throw new InvalidArgument('BAD_QUORUM', `a quorum is exactly ${threshold} distinct parties of the key, with pair state among them`)
  }
  if (request.digest.length !== 32 || request.requestId.length !== 32)
    throw new InvalidArgument('BAD_DIGEST', 'digest and request id have 32 bytes')
  return signers
}
