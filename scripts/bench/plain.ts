/** One key in one place, for orientation: what a signature costs when nobody shares anything. */
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import type { Operation, Subject } from './figures.ts'
import { Meter } from './meter.ts'
import { mustVerify } from './verify.ts'

const SECRET = new Uint8Array(32).fill(7)
const DIGEST = new Uint8Array(32).fill(9)
const BATCH = 20

interface Single {
  sign(): Uint8Array
  verify(signature: Uint8Array): boolean
}

function operation(name: string, { sign, verify }: Single): Operation {
  const publicKey = secp256k1.getPublicKey(SECRET)
  return {
    figures: ['signLocal', 'verifyLocal'],
    batch: BATCH,
    run() {
      const [signing, verifying] = [new Meter(1), new Meter(1)]
      const signature = signing.step(sign)
      signing.sent(signature.length)
      if (!verifying.step(() => verify(signature))) throw new RangeError(`${name} refuses its own signature`)
      mustVerify(name, publicKey, DIGEST, signature)
      return { signLocal: signing.cost, verifyLocal: verifying.cost }
    },
  }
}

/** @noble/curves, which is ours already. */
export function noble(version: string): Subject {
  const publicKey = secp256k1.getPublicKey(SECRET)
  const single: Single = {
    sign: () => secp256k1.sign(DIGEST, SECRET, { prehash: false }),
    verify: (signature) => secp256k1.verify(signature, DIGEST, publicKey, { prehash: false }),
  }
  return { name: 'noble', version, notes: [], operations: [operation('noble', single)] }
}

interface Tiny {
  sign(digest: Uint8Array, secret: Uint8Array): Uint8Array
  verify(digest: Uint8Array, publicKey: Uint8Array, signature: Uint8Array): boolean
}

/** libsecp256k1 compiled to WebAssembly. @param home - the folder of the installed package. */
export async function libsecp256k1(home: string, version: string): Promise<Subject> {
  const tiny = createRequire(join(home, 'package.json'))(home) as Tiny
  const publicKey = secp256k1.getPublicKey(SECRET)
  const single: Single = {
    sign: () => tiny.sign(DIGEST, SECRET),
    verify: (signature) => tiny.verify(DIGEST, publicKey, signature),
  }
  return { name: 'libsecp256k1', version, notes: [], operations: [operation('libsecp256k1', single)] }
}
