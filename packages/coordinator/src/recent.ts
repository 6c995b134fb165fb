/** The values used last, by name: at most `max` of them, the one that was not used for longest goes first. */
export class Recent<V> {
  readonly #max: number
  readonly #values = new Map<string, V>()

  constructor(max: number) {
    this.#max = max
  }

  get size(): number {
    return this.#values.size
  }

  /** The value of that name; made when it is not there. */
  of(name: string, make: () => V): V {
    const known = this.#values.get(name)
    const value = known ?? make()
    // A map keeps the order of insertion.
    this.#values.delete(name)
    this.#values.set(name, value)
    if (this.#values.size > this.#max) this.#values.delete(this.#values.keys().next().value as string)
    return value
  }
}
