// Vectors and tables of scalars. Lengths are public; bits become masks.
import { accumulate, carry, clear, COLUMNS, LIMBS, PRODUCTS_MAX, reduceColumns, unpack } from './columns'
import { addMasked, addSubtract, subMasked } from './scalar'

const SCALAR: usize = 32
const FACTOR: usize = memory.data(LIMBS, 16)
const ENTRY: usize = memory.data(LIMBS, 16)
const SUM: usize = memory.data(COLUMNS, 16)

/** All ones or zero, for bit j of a string. */
function maskAt(bits: usize, j: usize): u64 { return 0 - u64((load<u8>(bits + (j >> 3)) >> u8(j & 7)) & 1) }

function wipe(): void {
  memory.fill(FACTOR, 0, LIMBS)
  memory.fill(ENTRY, 0, LIMBS)
  memory.fill(SUM, 0, COLUMNS)
}

/** `out = t0 - t1 + offset_c`. */
export function maskedDifferences(out: usize, t0: usize, t1: usize, offsets: usize, count: usize, columns: usize): void {
  const row = SCALAR * columns
  for (let j: usize = 0; j < count * row; j += row) {
    for (let c: usize = 0; c < row; c += SCALAR) addSubtract(out + j + c, t0 + j + c, offsets + c, t1 + j + c)
  }
}

/** `out = table + bit_j other`. */
export function addSelected(out: usize, table: usize, bits: usize, other: usize, count: usize, columns: usize): void {
  const row = SCALAR * columns
  for (let j: usize = 0; j < count; j++) {
    const mask = maskAt(bits, j)
    for (let c = row * j; c < row * (j + 1); c += SCALAR) addMasked(out + c, table + c, other + c, mask)
  }
}

/** `out_j = values_j - bit_j scalar`. */
export function subSelected(out: usize, values: usize, bits: usize, scalar: usize, count: usize): void {
  for (let j: usize = 0; j < count; j++) subMasked(out + SCALAR * j, values + SCALAR * j, scalar, maskAt(bits, j))
}

/** `out = sum_j bit_j factors_j`; `out` holds zero. */
export function sumSelected(out: usize, factors: usize, bits: usize, count: usize): void {
  for (let j: usize = 0; j < count; j++) addMasked(out, out, factors + SCALAR * j, maskAt(bits, j))
}

/** `sum += sum_k a_k b_k` over limbs of `a` and scalars of `b`. */
function addProducts(sum: usize, a: usize, b: usize, count: usize): void {
  for (let k: usize = 0; k < count; k++) {
    unpack(ENTRY, b + SCALAR * k)
    accumulate(sum, a + LIMBS * k, ENTRY)
  }
}

/**
 * `out_j = sum_c weights_c table_{j,c}`, and one column more with weight 1 when rows have one more.
 *
 * @param limbs - room for the limbs of all weights.
 * @param columns - weights.
 * @param width - columns of the table.
 */
export function combineColumns(
  out: usize, table: usize, weights: usize, limbs: usize, count: usize, columns: usize, width: usize,
): void {
  for (let c: usize = 0; c < columns; c++) unpack(limbs + LIMBS * c, weights + SCALAR * c)
  const whole = columns - (columns % PRODUCTS_MAX)
  for (let j: usize = 0; j < count; j++) {
    const row = table + SCALAR * width * j
    clear(SUM)
    if (width > columns) unpack(SUM, row + SCALAR * columns)
    for (let c: usize = 0; c < whole; c += PRODUCTS_MAX) {
      addProducts(SUM, limbs + LIMBS * c, row + SCALAR * c, PRODUCTS_MAX)
      carry(SUM)
    }
    addProducts(SUM, limbs + LIMBS * whole, row + SCALAR * whole, columns - whole)
    reduceColumns(out + SCALAR * j, SUM)
  }
  wipe()
}

/** `sums_c += factor table_c`. */
function addRow(sums: usize, factor: usize, table: usize, columns: usize): void {
  unpack(FACTOR, factor)
  for (let c: usize = 0; c < columns; c++) {
    unpack(ENTRY, table + SCALAR * c)
    accumulate(sums + COLUMNS * c, FACTOR, ENTRY)
  }
}

/**
 * `out_c = sum_j factors_j table_{j,c}`.
 *
 * @param sums - room for the columns of all sums, zero.
 * @param columns - how many of the table's are summed, from the first one on.
 * @param width - columns of the table.
 */
export function sumColumns(
  out: usize, factors: usize, table: usize, sums: usize, count: usize, columns: usize, width: usize,
): void {
  const whole = count - (count % PRODUCTS_MAX)
  for (let j: usize = 0; j < whole; j += PRODUCTS_MAX) {
    for (let k = j; k < j + PRODUCTS_MAX; k++) addRow(sums, factors + SCALAR * k, table + SCALAR * width * k, columns)
    for (let c: usize = 0; c < columns; c++) carry(sums + COLUMNS * c)
  }
  for (let k = whole; k < count; k++) addRow(sums, factors + SCALAR * k, table + SCALAR * width * k, columns)
  for (let c: usize = 0; c < columns; c++) reduceColumns(out + SCALAR * c, sums + COLUMNS * c)
  wipe()
}
