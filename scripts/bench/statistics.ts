/** Of numbers in any order; NaN when there are none. */
export function median(values: readonly number[]): number {
  return percentile(values, 0.5)
}

/**
 * The value below which the share `p` of `values` lies, between the two nearest ones in proportion.
 *
 * @param p - from 0 to 1.
 */
export function percentile(values: readonly number[], p: number): number {
  if (!(p >= 0 && p <= 1)) throw new RangeError('a percentile is given as a number from 0 to 1')
  const sorted = [...values].sort((a, b) => a - b)
  const at = p * (sorted.length - 1)
  const low = sorted[Math.floor(at)]
  const high = sorted[Math.ceil(at)]
  return low === undefined || high === undefined ? Number.NaN : low + (high - low) * (at - Math.floor(at))
}

/** Rounded to `digits` significant digits, so that a table does not claim more than was measured. */
export function significant(value: number, digits = 3): number {
  return Number(value.toPrecision(digits))
}
