import { secp256k1 } from '@noble/curves/secp256k1.js'

/** 33 bytes: `k` times the generator. In simulations over the model group another file stands here. */
export const baseTimes = (k: bigint): Uint8Array => secp256k1.Point.BASE.multiply(k).toBytes(true)

/** The order of the group, which both have. */
export const ORDER: bigint = secp256k1.Point.Fn.ORDER
