import { type PartyId, ProtocolAbort } from '@conclave/core'

/**
 * Every way a run can stop, by code: the number of the check in docs/spec/protocol.md and its consequence (section 6).
 *
 * `burn`: each failure can leak bits of the OT secret, so the pair state is destroyed and the peer banned until an operator acts.
 * `pending`: others may hold the complete certificate, so the share must be kept. `retire`: this pair setup is void. `retry`: a new attempt may succeed.
 */
export const ABORTS = {
  DEAL_ECHO_COMMIT: { check: '1.1', consequence: 'retry', text: 'parties saw different commitments' },
  DEAL_WRONG_DEGREE: { check: '1.2', consequence: 'retry', text: 'a commitment vector has not exactly threshold entries' },
  DEAL_IDENTITY_POINT: { check: '1.3', consequence: 'retry', text: 'a commitment is not a point of the curve other than the identity' },
  DEAL_BAD_OPENING: { check: '1.4', consequence: 'retry', text: 'an opening does not match its commitment' },
  DEAL_BAD_PROOF: { check: '1.5', consequence: 'retry', text: 'a proof of knowledge does not verify' },
  DEAL_ECHO_OPEN: { check: '1.6', consequence: 'retry', text: 'parties saw different openings' },
  DEAL_BAD_SUBSHARE: { check: '1.7', consequence: 'retry', text: 'a subshare does not match its commitments' },
  DEAL_BAD_ATTESTATION: { check: '1.8', consequence: 'pending', text: 'an attestation of the new key does not verify' },
  DEAL_IDENTITY_KEY: { check: '1.9', consequence: 'retry', text: 'the group key is the identity' },
  DEAL_WRONG_ROLE: { check: '7.1', consequence: 'retry', text: 'a party opened another number of coefficients than its role has' },
  DEAL_WRONG_CONSTANT: { check: '7.2', consequence: 'retry', text: 'a dealer did not deal the share that it holds' },
  DEAL_WRONG_KEY: { check: '7.3', consequence: 'retry', text: 'the new shares do not belong to the key' },
  DEAL_IDENTITY_SHARE: { check: '7.4', consequence: 'retry', text: 'a new share is zero' },
  DEAL_WRONG_SHARE: { check: '7.5', consequence: 'retry', text: 'our new share does not fit its public share' },
  PAIR_BAD_PROOF: { check: '2.1', consequence: 'retire', text: 'the base point of a pair setup is not proved' },
  PAIR_BAD_POINT: { check: '2.2', consequence: 'retire', text: 'a choice point of a pair setup is not acceptable' },
  PAIR_BAD_ANSWER: { check: '2.3', consequence: 'retire', text: 'an answer of a pair setup is wrong' },
  PAIR_BAD_REVEAL: { check: '2.4', consequence: 'retire', text: 'the revealed pads of a pair setup do not fit' },
  PAIR_BAD_OPENING: { check: '2.z', consequence: 'retire', text: 'a zero-share seed does not match its commitment' },
  PAIR_UNCONFIRMED: { check: '2.c', consequence: 'retire', text: 'the two ends of a pair setup saw different messages' },
  OT_CHECK: { check: '3.1', consequence: 'burn', text: 'the OT extension is not consistent' },
  VOLE_CHECK: { check: '4.1', consequence: 'burn', text: 'the VOLE message is not consistent' },
  CORRELATE_MISMATCH: { check: '3.c', consequence: 'retry', text: 'the two ends of a pair hold different pair states or counts' },
  CORRELATE_UNCONFIRMED: { check: '4.c', consequence: 'retry', text: 'the two ends of a pair made different entries for the pool' },
  SIGN_PAIR_MISMATCH: { check: '3.0', consequence: 'retry', text: 'the two ends of a pair hold different pair states or requests' },
  SIGN_MALFORMED: { check: '0', consequence: 'retry', text: 'a message has not the form that its round asks for' },
  SIGN_ECHO: { check: '5.1', consequence: 'retry', text: 'parties saw different nonce commitments' },
  SIGN_BAD_OPENING: { check: '5.2', consequence: 'retry', text: 'an opening does not match its commitment' },
  SIGN_NONCE_PRODUCT: { check: '5.3', consequence: 'burn', text: 'a peer used another nonce in the multiplication' },
  SIGN_KEY_PRODUCT: { check: '5.4', consequence: 'burn', text: 'a peer used another key share in the multiplication' },
  SIGN_KEY_SUM: { check: '5.5', consequence: 'retry', text: 'the key points do not add up to the public key' },
  SIGN_ZERO_NONCE: { check: '5.6', consequence: 'retry', text: 'the nonce is degenerate' },
  SIGN_INVALID: { check: '5.7', consequence: 'retry', text: 'the signature does not verify' },
} as const satisfies Record<string, { check: string; consequence: 'retry' | 'pending' | 'retire' | 'burn'; text: string }>

export type AbortCode = keyof typeof ABORTS

/** The error of a failed check. `culprits` only when the failure proves them (section 6). */
export function abortOf(code: AbortCode, culprits: readonly PartyId[] = []): ProtocolAbort {
  const { check, text } = ABORTS[code]
  const who = culprits.length > 0 ? ` (party ${culprits.join(', ')})` : ''
  return new ProtocolAbort(code, check, culprits, `${text}${who} [check ${check}]`)
}

/** Throws `code` naming all of `culprits`, when there are any. */
export function blame(code: AbortCode, culprits: readonly PartyId[]): void {
  if (culprits.length > 0) throw abortOf(code, culprits)
}

/** Whether the pairs with the culprits must be burned. */
export function burnsPairs(code: string): boolean {
  return code in ABORTS && ABORTS[code as AbortCode].consequence === 'burn'
}
