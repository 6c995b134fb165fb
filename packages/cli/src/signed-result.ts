import { ConclaveApiError, type SigningRequest } from '@conclave/client'
import { ConclaveError, fromHex } from '@conclave/core'
import { type Output, WAITS_FOR_APPROVAL } from './output.ts'

/** 0x and 65 bytes: r, s, and 27 or 28, as contracts take it. */
function textOf(signature: string, recovery: number): string {
  return `0x${signature}${(27 + recovery).toString(16)}`
}

/** What a platform goes on with: the raw transaction, the PSBT in base64, or the signature; a line for each item. */
function resultsOf({ items }: SigningRequest): readonly string[] {
  return items.map(({ payload, signature, recovery, signedTransaction, signedPsbt }) => {
    if (payload.type === 'btc.psbt' && signedPsbt !== null) return Buffer.from(fromHex(signedPsbt.slice(2))).toString('base64')
    if (signedTransaction !== null) return signedTransaction
    if (signature !== null && recovery !== null) return textOf(signature, recovery)
    throw new ConclaveError('BAD_ANSWER', 'a signed request without its signature')
  })
}

/**
 * Says how a request stands, and ends the command accordingly. With JSON the request itself is printed, whatever became of it.
 *
 * @throws {ConclaveApiError} the request's own error, when it ended otherwise than signed.
 */
export function finish(request: SigningRequest, json: boolean, { print, progress, end }: Output): void {
  if (json) print(JSON.stringify(request))
  if (request.state === 'signed') {
    if (!json) for (const line of resultsOf(request)) print(line)
  } else if (request.state === 'pending_approval') {
    if (!json) print(request.requestId)
    progress(`conclave: request ${request.requestId} waits for approvals (PENDING_APPROVAL)`)
    end(WAITS_FOR_APPROVAL)
  } else if (request.error !== null) throw new ConclaveApiError(request.error)
}
