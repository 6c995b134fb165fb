/** Textbook ECDSA over the model group, and what the product says of it in this process. */
import { concat, seededRandom, tagged, utf8 } from '@conclave/core'
import { kernel } from '@conclave/kernel'
import { verifies } from '@conclave/mpc'
import { mulBase, pointToBytes } from './points.ts'

const random = seededRandom(utf8('signature'))
const digest = tagged('digest')
const [x, k] = [kernel.reduceWide(random.bytes(48)), kernel.reduceWide(random.bytes(48))]
const r = pointToBytes(mulBase(k)).subarray(1)
const s = kernel.mulScalars(kernel.invertScalar(k), kernel.addScalars(kernel.reduceWide(digest), kernel.mulScalars(r, x)))
const opposite = kernel.subScalars(new Uint8Array(32), s)
const [low, high] = Buffer.compare(s, opposite) < 0 ? [s, opposite] : [opposite, s]
const key = pointToBytes(mulBase(x))
const signature = concat(r, low)

process.stdout.write(
  JSON.stringify({
    own: verifies(key, digest, signature),
    high: verifies(key, digest, concat(r, high)),
    otherDigest: verifies(key, tagged('other'), signature),
    otherKey: verifies(pointToBytes(mulBase(k)), digest, signature),
    short: verifies(key, digest, signature.subarray(1)),
  }),
)
