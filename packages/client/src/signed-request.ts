import { fromHex, parsePath, payloadHash, type Random, requestIdOf, systemRandom, toHex } from '@conclave/core'
import type { RequestSignature, SignatureItem, SignedTerms } from './resources.ts'

/** A platform whose requests the policy of a cluster takes. */
export interface Requester {
  /** Hex, from the cluster lock. */
  readonly clusterId: string
  /** Its name in the policy. */
  readonly name: string
  /** Ed25519 over these 32 bytes, with the key that the policy names. */
  sign(requestId: Uint8Array): Uint8Array | Promise<Uint8Array>
}

export interface SignOptions {
  /** For how long the nodes may sign it. Default: ten minutes. */
  readonly validMs?: number
  readonly nowMs?: number
  readonly random?: Random
}

const VALID_MS = 600_000

/**
 * The request with the platform's signature, so that a coordinator can change nothing of it. It has a nonce of its own: send the same
 * result again to ask again for the same, and never make two of one payment.
 *
 * @throws {InvalidArgument} BAD_PATH, BAD_HEX.
 */
export async function signRequest<R extends RequestSignature>(
  request: R,
  { clusterId, name, sign }: Requester,
  { validMs = VALID_MS, nowMs = Date.now(), random = systemRandom }: SignOptions = {},
): Promise<R & { readonly signed: SignedTerms }> {
  const asked: RequestSignature = request
  const items: readonly SignatureItem[] = 'items' in asked ? asked.items : [asked]
  const nonce = random.bytes(32)
  const terms = { requester: name, notBeforeMs: nowMs, expiresAtMs: nowMs + validMs }
  const id = requestIdOf({
    ...{ clusterId: fromHex(clusterId), keyId: request.keyId, payloadType: items[0]?.payload.type ?? '' },
    items: items.map(({ payload, derivationPath = 'm' }) => ({
      payloadHash: payloadHash(fromHex(payload.bytes.replace(/^0x/, ''))),
      path: parsePath(derivationPath),
    })),
    ...{ ...terms, nonce },
  })
  return { ...request, signed: { ...terms, nonce: toHex(nonce), signature: toHex(await sign(id)) } }
}
