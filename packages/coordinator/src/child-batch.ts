import { setImmediate } from 'node:timers/promises'
import { childStep, type DerivationPath, type ExtendedKey, formatPath, toHex } from '@conclave/core'
import { kernel } from '@conclave/kernel'
import { evmAddress } from '@conclave/policy'
import { childKey } from './child-keys.ts'

/** Children that are derived before others get their turn: about ten milliseconds of work. */
const BATCH = 50

export interface DerivedChild {
  readonly path: string
  readonly publicKey: string
  readonly address: string
}

type Batch = readonly { readonly path: DerivationPath; readonly parent: ExtendedKey }[]

/** As many `deriveChild`, with the fast arithmetic and one inversion for all. What they make is the same: a test compares. */
function deriveBatch(batch: Batch): readonly DerivedChild[] {
  const points = batch.map(({ path, parent }) => {
    const point = kernel.pointFromBytes(parent.publicKey)
    if (point === undefined) throw new RangeError('the public key of a key is a point')
    const { step } = childStep(parent, path.at(-1) as number)
    return kernel.addPoints(point, kernel.mulBase(step))
  })
  return kernel.pointsToBytes(points).map((bytes, i) => {
    const path = formatPath((batch[i] as Batch[number]).path)
    return { path, publicKey: toHex(bytes), address: evmAddress(bytes) }
  })
}

/**
 * Children at paths of at least one level, checked before, in their order.
 *
 * An index without a child (probability 2^-127) is derived as something that nobody can sign for.
 */
export async function deriveChildren(root: ExtendedKey, paths: readonly DerivationPath[]): Promise<readonly DerivedChild[]> {
  const children: DerivedChild[] = []
  for (let i = 0; i < paths.length; i += BATCH) {
    const batch = paths.slice(i, i + BATCH).map((path) => ({ path, parent: childKey(root, path.slice(0, -1)) }))
    children.push(...deriveBatch(batch))
    await setImmediate()
  }
  return children
}
