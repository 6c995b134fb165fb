/** The values that were asked for last, at most `max` of them. For what is public: nothing here is wiped. */
export class Recent<V> {
  readonly #max: number
  readonly #values = new Map<string, V>()

  constructor(max: number) {
    this.#max = max
  }

  /** The value of `key`, made if it is not here; nothing is kept when `make` throws. */
  get(key: string, make: () => V): V {
    const value = this.#values.get(key) ?? make()
    this.#values.delete(key)
    this.#values.set(key, value)
    if (this.#values.size > this.#max) {
      const [oldest] = this.#values.keys()
      this.#values.delete(oldest as string)
    }
    return value
  }
}
