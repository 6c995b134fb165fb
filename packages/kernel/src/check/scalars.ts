import type { Check } from './checks.ts'
import { same } from './compare.ts'
import type { Draw } from './draw.ts'

const WIDE_BYTES = 64

/** 32 bytes, canonical or not. */
function any(draw: Draw): Uint8Array {
  return Uint8Array.from(Buffer.from(draw.wide().toString(16).padStart(64, '0'), 'hex'))
}

export const concat = (...parts: readonly Uint8Array[]): Uint8Array => Uint8Array.from(Buffer.concat(parts))

export const SCALAR_CHECKS: readonly Check[] = [
  { name: 'addScalars: a + b', share: 160, run: (draw) => same('addScalars', draw.scalar(), draw.scalar()) },
  { name: 'subScalars: a - b', share: 160, run: (draw) => same('subScalars', draw.scalar(), draw.scalar()) },
  { name: 'mulScalars: a b', share: 200, run: (draw) => same('mulScalars', draw.scalar(), draw.scalar()) },
  {
    name: 'invertScalar: 1 / a',
    share: 10,
    run(draw) {
      const a = draw.scalar()
      if (a.some((byte) => byte !== 0)) same('invertScalar', a)
    },
  },
  {
    name: 'reduceWide: 64 bytes, also of edges, and shorter ones',
    share: 150,
    run: (draw) => same('reduceWide', concat(any(draw), any(draw)).subarray(draw.pick([0, 0, 16, draw.below(WIDE_BYTES + 1)]))),
  },
  {
    name: 'areCanonical: around q',
    share: 40,
    run: (draw) => same('areCanonical', concat(...Array.from({ length: draw.below(4) }, () => any(draw)))),
  },
]
