import type { Point } from '../kernel.ts'
import { points as compiled } from '../points.ts'
import { points as twin } from '../twin/points.ts'
import { scalars, toScalar } from '../twin/scalars.ts'
import type { Check } from './checks.ts'
import { type Draw, FIELD_PRIME, LAMBDA, ORDER } from './draw.ts'

/** The same point in both kernels. */
interface Pair {
  readonly fast: Point
  readonly slow: Point
}

function requireEqual({ fast, slow }: Pair): void {
  const [isO, expected] = [compiled.isIdentity(fast), twin.isIdentity(slow)]
  const text = (is: boolean, bytes: () => Uint8Array) => (is ? 'O' : Buffer.from(bytes()).toString('hex'))
  const [a, b] = [text(isO, () => compiled.pointToBytes(fast)), text(expected, () => twin.pointToBytes(slow))]
  if (a !== b) throw new Error(`${a} instead of ${b}`)
}

const both = (k: bigint): Pair => ({ fast: compiled.mulBase(toScalar(k)), slow: twin.mulBase(toScalar(k)) })
const SPECIAL: readonly bigint[] = [0n, 1n, 2n, 3n, 15n, 16n, 17n, 2n ** 128n, LAMBDA, LAMBDA + 1n, ORDER / 2n]
/** Multiples of G that fall together, cancel or double when added, with coordinates Z that are not 1. */
const POOL: readonly Pair[] = SPECIAL.flatMap((k) => [both(k), both(-k)])

/** From the pool, or the sum of two of it. */
function point(draw: Draw): Pair {
  const [a, b] = [draw.pick(POOL), draw.pick(POOL)]
  if (draw.below(2) === 0) return a
  return { fast: compiled.addPoints(a.fast, b.fast), slow: twin.addPoints(a.slow, b.slow) }
}

/** 33 bytes that may be a point: mostly a good prefix, x anything, often near p. */
function encoding(draw: Draw): Uint8Array {
  const prefix = draw.below(8) === 0 ? draw.pick([0, 1, 4, 5, 6, 7, 255]) : 2 + draw.below(2)
  const x = draw.below(8) === 0 ? BigInt.asUintN(256, FIELD_PRIME + BigInt(draw.below(9) - 4)) : draw.wide()
  return Uint8Array.of(prefix, ...Buffer.from(x.toString(16).padStart(64, '0'), 'hex'))
}

const multiplication = (name: string, run: (draw: Draw, p: Pair) => Pair): Check => ({
  name: `point: ${name}`,
  share: 4,
  run: (draw) => requireEqual(run(draw, point(draw))),
})

/** Points against @noble/curves. */
export const POINT_CHECKS: readonly Check[] = [
  {
    name: 'point: sum, difference, equality',
    share: 100,
    run(draw) {
      const [a, b] = [point(draw), point(draw)]
      requireEqual({ fast: compiled.addPoints(a.fast, b.fast), slow: twin.addPoints(a.slow, b.slow) })
      requireEqual({ fast: compiled.subPoints(a.fast, b.fast), slow: twin.subPoints(a.slow, b.slow) })
      if (compiled.equalPoints(a.fast, b.fast) !== twin.equalPoints(a.slow, b.slow)) throw new Error('equality')
    },
  },
  {
    name: 'point: decoding',
    share: 100,
    run(draw) {
      const bytes = encoding(draw)
      const [fast, slow] = [compiled.pointFromBytes(bytes), twin.pointFromBytes(bytes)]
      if ((fast === undefined) !== (slow === undefined)) throw new Error(`decoding ${Buffer.from(bytes).toString('hex')}`)
      if (fast !== undefined && slow !== undefined) requireEqual({ fast, slow })
    },
  },
  {
    name: 'point: encoding of many',
    share: 4,
    run(draw) {
      const pairs = Array.from({ length: 1 + draw.below(5) }, () => point(draw)).filter(({ slow }) => !twin.isIdentity(slow))
      const bytes = compiled.pointsToBytes(pairs.map(({ fast }) => fast))
      const expected = twin.pointsToBytes(pairs.map(({ slow }) => slow))
      if (Buffer.compare(Buffer.concat(bytes), Buffer.concat(expected)) !== 0) throw new Error('encoding')
    },
  },
  multiplication('multiple of G', (draw) => {
    const k = draw.scalar()
    return { fast: compiled.mulBase(k), slow: twin.mulBase(k) }
  }),
  multiplication('multiple', (draw, p) => {
    const k = draw.scalar()
    return { fast: compiled.mul(p.fast, k), slow: twin.mul(p.slow, k) }
  }),
  multiplication('multiple from a table', (draw, p) => {
    const k = draw.scalar()
    return { fast: compiled.mulTable(compiled.tableOf(p.fast), k), slow: twin.mul(p.slow, k) }
  }),
  multiplication('public multiple', (draw, p) => {
    const k = draw.scalar()
    return { fast: compiled.mulPublic(p.fast, k), slow: twin.mul(p.slow, k) }
  }),
  multiplication('combination', (draw, p) => {
    const [a, b] = [draw.scalar(), draw.scalar()]
    return { fast: compiled.combinePublic(a, p.fast, b), slow: twin.combinePublic(a, p.slow, b) }
  }),
  multiplication('combination that meets itself or cancels', (draw) => {
    // a G + b (d G) with a = +- b d: both halves of the sum are one point, or opposite ones.
    const [b, d] = [draw.scalar(), draw.scalar()]
    const product = scalars.mulScalars(b, d)
    const a = draw.below(2) === 0 ? product : scalars.subScalars(toScalar(0n), product)
    return { fast: compiled.combinePublic(a, compiled.mulBase(d), b), slow: twin.combinePublic(a, twin.mulBase(d), b) }
  }),
]
