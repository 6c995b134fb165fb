import { u32, utf8 } from './bytes.ts'
import { tagged } from './hash.ts'
import type { PartyId } from './ids.ts'

/** What a dealing is about, as far as it is known before it begins. */
export interface DealHeader {
  readonly clusterContext: Uint8Array
  readonly keyId: string
  readonly origin: string
  readonly previousEpoch: number
  readonly epoch: number
  readonly previous: Uint8Array
  readonly threshold: number
  readonly parties: readonly PartyId[]
  readonly dealers: readonly PartyId[]
  readonly nonce: Uint8Array
}

/** The public half of a key, with all that its certificate binds. */
export interface CertifiedKey extends DealHeader {
  /** 33 bytes. */
  readonly publicKey: Uint8Array
  /** 32 bytes. */
  readonly chainCode: Uint8Array
  readonly publicShares: readonly Uint8Array[]
  readonly sidParts: readonly Uint8Array[]
  readonly transcript: Uint8Array
}

/** Parties as 32-bit indices, in order. */
export function partyList(parties: readonly PartyId[]): Uint8Array {
  return Uint8Array.from(parties.flatMap((j) => [...u32(j)]))
}

/** The part of `sid` that the whole quorum knows beforehand. */
export function dealConfig(key: DealHeader): Uint8Array {
  return tagged(
    'deal-config',
    key.clusterContext,
    utf8(key.keyId),
    utf8(key.origin),
    u32(key.previousEpoch),
    u32(key.epoch),
    key.previous,
    u32(key.threshold),
    u32(key.parties.length),
    partyList(key.parties),
    partyList(key.dealers),
    key.nonce,
  )
}

/** `sid = T("deal", all sid_j, config)`, the sid_j in the order of the quorum. */
export const dealSid = (sidParts: readonly Uint8Array[], config: Uint8Array): Uint8Array => tagged('deal', ...sidParts, config)

/**
 * What every party of the committee attests: `T("deal-cert", sid, PK, all X_j, chainCode, H(transcript))`.
 *
 * It follows from the public half alone, so a certificate can be verified under later cluster locks than the one that it names.
 */
export function certificateHash(key: CertifiedKey): Uint8Array {
  return tagged('deal-cert', dealSid(key.sidParts, dealConfig(key)), key.publicKey, ...key.publicShares, key.chainCode, key.transcript)
}
