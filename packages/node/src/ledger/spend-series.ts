/** A series this short is not worth making shorter. */
const FORGET_MIN = 1024

interface Point {
  readonly atMs: number
  readonly amount: bigint
}

/** Amounts by their time. What lies after a moment is added up in time that grows with the logarithm of their number. */
export class SpendSeries {
  readonly #points: Point[] = []
  /** Of the first i + 1 points, as far as they have been added up. */
  readonly #sums: bigint[] = []

  get length(): number {
    return this.#points.length
  }

  add(atMs: number, amount: bigint): void {
    const at = this.#after(atMs)
    this.#points.splice(at, 0, { atMs, amount })
    this.#stale(at)
  }

  /** Takes back what was added. */
  remove(atMs: number, amount: bigint): void {
    for (let i = this.#after(atMs) - 1; this.#points[i]?.atMs === atMs; i--) {
      if (this.#points[i]?.amount !== amount) continue
      this.#points.splice(i, 1)
      this.#stale(i)
      return
    }
  }

  /** The exact sum of what is later than `ms`. */
  sumAfter(ms: number): bigint {
    for (let i = this.#sums.length; i < this.#points.length; i++)
      this.#sums.push((this.#sums[i - 1] ?? 0n) + (this.#points[i] as Point).amount)
    return (this.#sums.at(-1) ?? 0n) - (this.#sums[this.#after(ms) - 1] ?? 0n)
  }

  /** Nobody will ask again for what is not later than `ms`: it goes when it is most of what is kept. */
  forget(ms: number): void {
    const old = this.#after(ms)
    if (old < FORGET_MIN || 2 * old < this.#points.length) return
    this.#points.splice(0, old)
    this.#stale(0)
  }

  #stale(from: number): void {
    if (this.#sums.length > from) this.#sums.length = from
  }

  /** The place of the first point later than `ms`. */
  #after(ms: number): number {
    let [low, high] = [0, this.#points.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#points[middle] as Point).atMs <= ms) low = middle + 1
      else high = middle
    }
    return low
  }
}
