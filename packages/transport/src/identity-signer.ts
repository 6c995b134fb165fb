import { createPrivateKey, createPublicKey, sign } from 'node:crypto'
import {
  ConclaveError,
  type IdentityKey,
  type IdentitySigner,
  InvalidArgument,
  TransportError,
  toHex,
  verifyIdentity,
} from '@conclave/core'
import type { PrivateKey } from '@libp2p/interface'
import type { Logger } from './logger.ts'
import { libp2pPublicKey } from './membership.ts'

const SEED_BYTES = 32
/** PKCS#8 of an Ed25519 private key is this, then the 32-byte seed (RFC 8410, section 7). */
const PKCS8_ED25519 = Buffer.from('302e020100300506032b657004220420', 'hex')
const PUBLIC_KEY_BYTES = 32

/**
 * An Ed25519 identity in this process's memory, for coordinators and tests; nodes have theirs in an HSM.
 *
 * @param seed - 32 bytes, copied into the runtime; the caller wipes its own.
 * @throws {InvalidArgument} BAD_SEED on another length.
 */
export function softIdentity(seed: Uint8Array): IdentitySigner {
  if (seed.length !== SEED_BYTES) throw new InvalidArgument('BAD_SEED', `an identity seed has ${SEED_BYTES} bytes`)
  const der = Buffer.concat([PKCS8_ED25519, seed])
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  der.fill(0)
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' })
  const key: IdentityKey = { type: 'ed25519', publicKey: Uint8Array.from(spki.subarray(-PUBLIC_KEY_BYTES)) }
  return { key, sign: async (message) => Uint8Array.from(sign(null, message, privateKey)) }
}

/**
 * A signature that verifies, in time: usually an HSM makes it.
 *
 * @throws {TransportError} IDENTITY_TIMEOUT (retriable), BAD_SIGNATURE; what the signer throws.
 */
export async function signWithin(signer: IdentitySigner, message: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    late.reject(new TransportError('IDENTITY_TIMEOUT', `the identity key did not sign within ${timeoutMs} ms`, { retriable: true }))
  }, timeoutMs)
  try {
    const signature = await Promise.race([signer.sign(message), late.promise])
    if (!verifyIdentity(signer.key, message, signature)) {
      throw new TransportError('BAD_SIGNATURE', 'the identity signer produced a signature that does not verify')
    }
    return signature
  } finally {
    clearTimeout(timer)
  }
}

/**
 * A libp2p private key whose secret lives elsewhere.
 *
 * Noise signs the same bytes in every handshake of one process, so one signature is remembered: a start costs one HSM call. Noise
 * has no timeout around `sign`; this has. A signature that does not verify is refused here, where the reason is still known.
 *
 * @returns a key whose `sign` rejects with IDENTITY_TIMEOUT, BAD_SIGNATURE or what the signer threw; failures are logged and not
 * remembered. `raw` throws: there is none.
 */
export function externalPrivateKey(signer: IdentitySigner, timeoutMs: number, logger: Logger): PrivateKey {
  const publicKey = libp2pPublicKey(signer.key)
  let last: { message: string; signature: Promise<Uint8Array> } | undefined
  const shared = {
    get raw(): never {
      throw new ConclaveError('ASSERTION', 'broken invariant: the private identity key is never in this process')
    },
    equals: (other: unknown) => other === key,
    sign(data: Uint8Array | { subarray(): Uint8Array }): Promise<Uint8Array> {
      const bytes = Uint8Array.from(data.subarray())
      const message = toHex(bytes)
      if (last?.message === message) return last.signature
      const entry = { message, signature: signWithin(signer, bytes, timeoutMs) }
      last = entry
      entry.signature.catch((error: unknown) => {
        if (last === entry) last = undefined
        logger.error({ err: error }, 'the identity key could not sign a handshake')
      })
      return entry.signature
    },
  }
  const key = withType(publicKey, shared)
  return key
}

type WithoutType = Pick<PrivateKey, 'raw' | 'equals' | 'sign'>

/** One branch for each member of libp2p's union; not a spread, which would call the `raw` getter. */
function withType(publicKey: ReturnType<typeof libp2pPublicKey>, shared: WithoutType): PrivateKey {
  const descriptors = Object.getOwnPropertyDescriptors(shared)
  return publicKey.type === 'Ed25519'
    ? Object.defineProperties({ type: 'Ed25519' as const, publicKey } as PrivateKey, descriptors)
    : Object.defineProperties({ type: 'secp256k1' as const, publicKey } as PrivateKey, descriptors)
}
