import { codeOf, type ExtendedKey, fromHex, type PartyId, parsePath, toHex } from '@conclave/core'
import { type Propose, type RequestTerms, type Signed, type SignedItem, timeBytes } from '@conclave/wire'
import type { Logger } from 'pino'
import type { Expected } from './attempt-outcome.ts'
import { assemblePayload, payloadBytes } from './payload.ts'
import { digestsOf, type ItemResult, type SigningItem, type SigningRecord } from './records.ts'
import type { TermsRecord } from './request-terms.ts'

function wireTerms({ requester, nonce, notBeforeMs, expiresAtMs, keyEpoch, signature }: TermsRecord): RequestTerms {
  const times = { notBefore: timeBytes(notBeforeMs), expiresAt: timeBytes(expiresAtMs) }
  return { requester, nonce: fromHex(nonce), ...times, keyEpoch, signature: fromHex(signature) }
}

/** What the nodes are asked to judge. */
export function proposalOf({ requestId, keyId, items, terms }: SigningRecord): Propose {
  const [{ payload }] = items as readonly [SigningItem]
  return {
    requestId: fromHex(requestId),
    keyId,
    payloadType: payload.type,
    items: items.map((item) => ({ payload: payloadBytes(item.payload.bytes), path: parsePath(item.derivationPath) })),
    terms: wireTerms(terms),
  }
}

/** What must come back from its signers. */
export function expectedOf(record: SigningRecord, signers: readonly PartyId[]): Expected {
  const expected = digestsOf(record).map(({ digest, publicKey }) => ({ digest: fromHex(digest), publicKey: fromHex(publicKey) }))
  return { requestId: fromHex(record.requestId), items: expected, signers }
}

/** Signatures that have been verified, with what they make of the payloads. @param key - the root key. */
export function signaturesOf(
  { items }: SigningRecord,
  signed: Signed,
  { key, logger }: { readonly key: ExtendedKey; readonly logger: Logger },
): readonly ItemResult[] {
  let next = 0
  return items.map(({ payload, digests }, i) => {
    const own: readonly SignedItem[] = signed.items.slice(next, next + digests.length)
    next += digests.length
    let made: Omit<ItemResult, 'signatures'> = { signedTransaction: null, signedPsbt: null }
    try {
      made = assemblePayload(payload, own, key)
    } catch (error) {
      // Recovery 2 and 3 exist for ECDSA and not for Ethereum; the signature itself stands.
      logger.warn({ code: codeOf(error), item: i, recovery: own[0]?.recovery }, 'the signature does not assemble to a transaction')
    }
    return { signatures: own.map(({ signature, recovery }) => ({ signature: toHex(signature), recovery })), ...made }
  })
}
