import { arena, wasm } from '../load.ts'
import { toBigint } from '../twin/scalars.ts'
import type { Check } from './checks.ts'
import { type Draw, FIELD_PRIME } from './draw.ts'

const LIMBS = 9
const ELEMENT_BYTES = 48
/** Bounds of limbs 0 to 7 and of limb 8, for magnitude 1. */
const LIMB_MAX = 2 ** 28 + 2 ** 14
const TOP_MAX = 2 ** 23 + 1
/** Where a carry begins. */
const HALF = 2 ** 28
const mod = (a: bigint): bigint => ((a % FIELD_PRIME) + FIELD_PRIME) % FIELD_PRIME

interface FieldExports {
  fieldToBytes(bytes: number, a: number): void
  fieldInvert(r: number, a: number): void
  fieldSettle(r: number, a: number, m: bigint): void
  fieldMultiply(r: number, a: number, b: number): void
  fieldSquare(r: number, a: number): void
  fieldMultiplySubtract(r: number, a: number, b: number, c: number, d: number): void
  fieldMultiplySums(r: number, a: number, b: number, c: number, d: number, e: number, f: number): void
}
const field = wasm as unknown as FieldExports

interface Element {
  readonly limbs: Int32Array
  readonly value: bigint
}

/** Limbs up to a magnitude: at the bound, at a carry, near 0 or anywhere between. */
function element(draw: Draw, magnitude: number): Element {
  const limbs = new Int32Array(ELEMENT_BYTES / 4)
  const style = draw.below(4)
  const sign = draw.pick([-1, 1])
  for (let i = 0; i < LIMBS; i++) {
    const max = magnitude * (i === LIMBS - 1 ? TOP_MAX : LIMB_MAX)
    const at = style === 0 ? max : style === 1 ? draw.pick([max, -max, 0, 1, HALF - 1, -HALF]) : (draw.u32() % (2 * max + 1)) - max
    limbs[i] = Math.max(-max, Math.min(max, sign * at))
  }
  return { limbs, value: limbs.subarray(0, LIMBS).reduceRight((sum, limb) => (sum << 29n) + BigInt(limb), 0n) }
}

/** Runs one operation on elements; its result must be the value `expected` and keep to magnitude 1. */
function compare(call: (r: number, ...at: readonly number[]) => void, elements: readonly Element[], expected: bigint): void {
  arena.run((memory) => {
    const result = memory.reserve(ELEMENT_BYTES)
    call(result, ...elements.map(({ limbs }) => memory.put(new Uint8Array(limbs.buffer))))
    const limbs = new Int32Array(memory.take(result, ELEMENT_BYTES).buffer)
    for (let i = 0; i < LIMBS; i++) {
      const max = i === LIMBS - 1 ? TOP_MAX : LIMB_MAX
      if (Math.abs(limbs[i] as number) > max) throw new Error(`limb ${i} is ${limbs[i]}`)
    }
    const bytes = memory.reserve(32)
    field.fieldToBytes(bytes, result)
    const value = toBigint(memory.take(bytes, 32))
    if (value !== mod(expected)) throw new Error(`${value.toString(16)} instead of ${mod(expected).toString(16)}`)
  })
}

/** Magnitudes of two factors: their product at most `max`, neither above 7. */
function factors(draw: Draw, max: number): readonly [Element, Element] {
  const m = 1 + draw.below(Math.min(7, max))
  const n = 1 + draw.below(Math.min(7, Math.floor(max / m)))
  const [a, b] = [element(draw, m), element(draw, n)]
  return draw.below(2) === 0 ? [a, b] : [b, a]
}

/** The field, at the bounds that assembly/product.ts allows. */
export const FIELD_CHECKS: readonly Check[] = [
  {
    name: 'field: product',
    share: 150,
    run(draw) {
      const [a, b] = factors(draw, 15)
      compare(field.fieldMultiply, [a, b], a.value * b.value)
    },
  },
  {
    name: 'field: square',
    share: 100,
    run(draw) {
      const a = element(draw, 1 + draw.below(3))
      compare(field.fieldSquare, [a], a.value * a.value)
    },
  },
  {
    name: 'field: difference of products',
    share: 150,
    run(draw) {
      const first = 1 + draw.below(14)
      const [a, b] = factors(draw, first)
      const [c, d] = factors(draw, 15 - first)
      compare(field.fieldMultiplySubtract, [a, b, c, d], a.value * b.value - c.value * d.value)
    },
  },
  {
    name: 'field: product of sums',
    share: 100,
    run(draw) {
      const [a, b, c, d, e, f] = Array.from({ length: 6 }, () => element(draw, 1)) as [Element, Element, Element, Element, Element, Element]
      compare(field.fieldMultiplySums, [a, b, c, d, e, f], (a.value + b.value) * (c.value + d.value) - e.value - f.value)
    },
  },
  {
    name: 'field: settling',
    share: 100,
    run(draw) {
      const a = element(draw, 1 + draw.below(7))
      const m = draw.pick([1, 21])
      compare((r, at) => field.fieldSettle(r, at, BigInt(m)), [a], BigInt(m) * a.value)
    },
  },
  {
    name: 'field: inverse',
    share: 20,
    run(draw) {
      const a = element(draw, 1)
      arena.run((memory) => {
        const [at, inverse] = [memory.put(new Uint8Array(a.limbs.buffer)), memory.reserve(ELEMENT_BYTES)]
        field.fieldInvert(inverse, at)
        const limbs = new Int32Array(memory.take(inverse, ELEMENT_BYTES).buffer)
        const value = limbs.subarray(0, LIMBS).reduceRight((sum, limb) => (sum << 29n) + BigInt(limb), 0n)
        if (mod(value * a.value) !== (mod(a.value) === 0n ? 0n : 1n)) throw new Error(`no inverse of ${mod(a.value).toString(16)}`)
      })
    },
  },
]
