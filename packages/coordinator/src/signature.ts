import { concat, equalBytes } from '@conclave/core'
import { kernel } from '@conclave/kernel'

const { areCanonical, combinePublic, invertScalar, isIdentity, mulScalars, pointFromBytes, pointToBytes, reduceWide, subScalars } = kernel

const ZERO = new Uint8Array(32)
/** The order q of secp256k1; what x may exceed it by is below p - q. */
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
const HALF = hex32((ORDER - 1n) / 2n)
const FIELD = 2n ** 256n - 2n ** 32n - 977n
const [EVEN, ODD] = [0x02, 0x03]

function hex32(n: bigint): Uint8Array {
  return Uint8Array.from(Buffer.from(n.toString(16).padStart(64, '0'), 'hex'))
}

/** Whether these are 33 bytes of a point on the curve. */
export function isPoint(publicKey: Uint8Array): boolean {
  return pointFromBytes(publicKey) !== undefined
}

export interface SignatureClaim {
  /** Compressed, 33 bytes. */
  readonly publicKey: Uint8Array
  /** 32 bytes. */
  readonly digest: Uint8Array
  /** r || s, 64 bytes. */
  readonly signature: Uint8Array
  readonly recovery: number
}

/** The nonce point that r and `recovery` name; undefined when there is none. */
function noncePoint(r: Uint8Array, recovery: number) {
  const x = BigInt(`0x${Buffer.from(r).toString('hex')}`) + (recovery >= 2 ? ORDER : 0n)
  return x < FIELD ? pointFromBytes(concat(Uint8Array.of(recovery % 2 === 0 ? EVEN : ODD), hex32(x))) : undefined
}

/**
 * Whether it is a low-s signature of the digest under the key, and the key is what `recovery` recovers. Never throws.
 *
 * One equation says both: the key that the signature recovers (SEC 1, 4.1.6) is the only one for which R is the point that a verifier
 * computes.
 */
export function isValidSignature({ publicKey, digest, signature, recovery }: SignatureClaim): boolean {
  if (signature.length !== 64 || digest.length !== 32 || ![0, 1, 2, 3].includes(recovery)) return false
  const [r, s] = [signature.subarray(0, 32), signature.subarray(32)]
  if (!areCanonical(signature) || equalBytes(r, ZERO) || equalBytes(s, ZERO) || Buffer.compare(s, HALF) > 0) return false
  const nonce = noncePoint(r, recovery)
  if (nonce === undefined) return false
  const inverse = invertScalar(r)
  const e = subScalars(ZERO, reduceWide(digest))
  const key = combinePublic(mulScalars(e, inverse), nonce, mulScalars(s, inverse))
  return !isIdentity(key) && equalBytes(pointToBytes(key), publicKey)
}
