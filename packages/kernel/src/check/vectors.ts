import type { Check } from './checks.ts'
import { same } from './compare.ts'
import type { Draw } from './draw.ts'
import { concat } from './scalars.ts'

const PREFIX_MAX = 200
const COLUMNS_MAX = 8
const ROWS_MAX = 20

const scalarsOf = (draw: Draw, count: number): Uint8Array => concat(...Array.from({ length: count }, () => draw.scalar()))
/** Strings of bits that are all zero, all one, or anything. */
const bitsOf = (draw: Draw, bytes: number): Uint8Array =>
  draw.pick([new Uint8Array(bytes), new Uint8Array(bytes).fill(255), draw.bytes(bytes)])
const prefixOf = (draw: Draw): Uint8Array => draw.bytes(draw.below(PREFIX_MAX))

/** A table and what goes with it. */
function tableOf(draw: Draw) {
  const [rows, columns] = [1 + draw.below(ROWS_MAX), 1 + draw.below(COLUMNS_MAX)]
  return { rows, columns, table: scalarsOf(draw, rows * columns), bits: bitsOf(draw, Math.ceil(rows / 8)) }
}

export const VECTOR_CHECKS: readonly Check[] = [
  {
    name: 'hashRows: any prefix, rows and columns',
    share: 10,
    run(draw) {
      const offset = draw.pick([undefined, draw.bytes(16)])
      same('hashRows', prefixOf(draw), bitsOf(draw, 16 * draw.below(ROWS_MAX)), offset, draw.below(5))
    },
  },
  { name: 'hashIndices: any prefix', share: 10, run: (draw) => same('hashIndices', prefixOf(draw), draw.below(ROWS_MAX)) },
  {
    name: 'maskedDifferences: any table',
    share: 30,
    run(draw) {
      const { rows, columns, table } = tableOf(draw)
      same('maskedDifferences', table, scalarsOf(draw, rows * columns), scalarsOf(draw, columns))
    },
  },
  {
    name: 'combineColumns, foldColumns: any table',
    share: 30,
    run(draw) {
      const { columns, table } = tableOf(draw)
      same('combineColumns', table, scalarsOf(draw, columns))
      same('foldColumns', table, scalarsOf(draw, columns - 1))
    },
  },
  {
    name: 'sumColumns: any table',
    share: 30,
    run(draw) {
      const { rows, columns, table } = tableOf(draw)
      same('sumColumns', scalarsOf(draw, rows), table, draw.pick([undefined, draw.below(columns + 1)]))
    },
  },
  {
    name: 'addSelected: any table and bits',
    share: 30,
    run(draw) {
      const { rows, columns, table, bits } = tableOf(draw)
      same('addSelected', table, bits, scalarsOf(draw, rows * columns), columns)
    },
  },
  {
    name: 'subSelected: any values and bits',
    share: 30,
    run(draw) {
      const { rows, bits } = tableOf(draw)
      same('subSelected', scalarsOf(draw, rows), bits, draw.scalar())
    },
  },
  {
    name: 'sumSelected: any factors and bits',
    share: 30,
    run(draw) {
      const { rows, bits } = tableOf(draw)
      same('sumSelected', scalarsOf(draw, rows), bits)
    },
  },
  {
    name: 'expandSeeds: any prefix, name and length',
    share: 10,
    run(draw) {
      const [seeds, name] = [bitsOf(draw, 32 * draw.below(ROWS_MAX)), draw.bytes(draw.below(150))]
      same('expandSeeds', prefixOf(draw), seeds, name, draw.below(200))
    },
  },
  {
    name: 'foldBlocks: any multipliers and columns',
    share: 30,
    run(draw) {
      const blocks = draw.below(8)
      same('foldBlocks', bitsOf(draw, 16 * blocks), bitsOf(draw, 16 * (blocks + 1) * draw.below(6)))
    },
  },
  {
    name: 'transpose: any matrix',
    share: 10,
    run(draw) {
      const count = 1 + draw.below(128)
      same('transpose', bitsOf(draw, count * draw.below(40)), count)
    },
  },
]
