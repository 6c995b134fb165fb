import { codeOf, fromHex, type PartyId, parsePath, toHex } from '@conclave/core'
import type { Propose, Signed } from '@conclave/wire'
import type { Logger } from 'pino'
import type { Expected } from './attempt-outcome.ts'
import { assemblePayload, payloadBytes } from './payload.ts'
import type { ItemSignature, SigningItem, SigningRecord } from './records.ts'

/** What the nodes are asked to judge. */
export function proposalOf({ requestId, keyId, items }: SigningRecord): Propose {
  const [{ payload }] = items as readonly [SigningItem]
  return {
    requestId: fromHex(requestId),
    keyId,
    payloadType: payload.type,
    items: items.map((item) => ({ payload: payloadBytes(item.payload.bytes), path: parsePath(item.derivationPath) })),
  }
}

/** What must come back from its signers. */
export function expectedOf({ requestId, items }: SigningRecord, signers: readonly PartyId[]): Expected {
  const expected = items.map(({ digest, publicKey }) => ({ digest: fromHex(digest), publicKey: fromHex(publicKey) }))
  return { requestId: fromHex(requestId), items: expected, signers }
}

/** Signatures that have been verified, with what they make of the payloads. */
export function signaturesOf({ items }: SigningRecord, signed: Signed, logger: Logger): readonly ItemSignature[] {
  return signed.items.map(({ signature, recovery }, i) => {
    let signedTransaction: string | null = null
    try {
      signedTransaction = assemblePayload((items[i] as SigningItem).payload, signature, recovery)
    } catch (error) {
      // Recovery 2 and 3 exist for ECDSA and not for Ethereum; the signature itself stands.
      logger.warn({ code: codeOf(error), item: i, recovery }, 'the signature does not assemble to a transaction')
    }
    return { signature: toHex(signature), recovery, signedTransaction }
  })
}
