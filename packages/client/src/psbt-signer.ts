import { fromHex, InvalidArgument } from '@conclave/core'
import type { ConclaveClient } from './client.ts'
import { badAnswer } from './problem.ts'
import type { RequestSignature } from './resources.ts'
import { type Requester, signRequest } from './signed-request.ts'

export interface PsbtSignerOptions {
  readonly client: ConclaveClient
  /** Whose children own the inputs, at the paths that the PSBT names. */
  readonly keyId: string
  /** Where the policy names requesters: every request is signed by this one. */
  readonly requester?: Requester
  /** For how long a request may wait, for people too. Default: the coordinator's. */
  readonly deadlineMs?: number
}

export interface SignedPsbt {
  readonly requestId: string
  /** Base64, with a signature for each input of the key. */
  readonly psbt: string
  /** Hex, as it is broadcast; null where others have to sign too. */
  readonly transaction: string | null
}

export interface PsbtSigner {
  /**
   * @param psbt - base64, or its bytes.
   * @throws {ConclaveApiError} POLICY_DENIED, REJECTED, APPROVALS_MISSING, ...
   * @throws {InvalidArgument} BAD_PSBT.
   */
  signPsbt(psbt: string | Uint8Array): Promise<SignedPsbt>
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/
/** `psbt` and 0xff, as every PSBT begins. */
const MAGIC = '70736274ff'

function hexOf(psbt: string | Uint8Array): string {
  const isText = typeof psbt === 'string'
  const hex = isText && !BASE64.test(psbt) ? '' : Buffer.from(psbt as string, isText ? 'base64' : undefined).toString('hex')
  if (!hex.startsWith(MAGIC)) throw new InvalidArgument('BAD_PSBT', 'not a PSBT: base64 or bytes are wanted')
  return hex
}

/** Signs PSBTs of any wallet library with the cluster, as far as the policy and its approvers allow. */
export function toConclavePsbtSigner({ client, keyId, requester, deadlineMs }: PsbtSignerOptions): PsbtSigner {
  return {
    async signPsbt(psbt) {
      const payload = { type: 'btc.psbt', bytes: `0x${hexOf(psbt)}` }
      const request: RequestSignature = { keyId, payload, ...(deadlineMs === undefined ? {} : { deadlineMs }) }
      const signed = await client.sign(requester === undefined ? request : await signRequest(request, requester))
      const { requestId, signedPsbt, signedTransaction } = signed
      if (!signedPsbt?.startsWith(`0x${MAGIC}`)) throw badAnswer('a signed PSBT that is none')
      return {
        requestId,
        psbt: Buffer.from(fromHex(signedPsbt.slice(2))).toString('base64'),
        transaction: signedTransaction === null ? null : signedTransaction.slice(2),
      }
    },
  }
}
