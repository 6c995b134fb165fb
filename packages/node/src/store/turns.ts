/**
 * Runs acts one after the other, in the order of the calls: where a read decides a write, nothing may come between them.
 *
 * An act that fails fails its caller only.
 */
export class Turns {
  #last: Promise<unknown> = Promise.resolve()

  take<T>(act: () => Promise<T>): Promise<T> {
    const next = this.#last.then(act)
    // The caller has the failure; here it would only stop those that come after.
    this.#last = next.catch(() => undefined)
    return next
  }
}

/** {@link Turns} by name: acts of one name come one after the other, others do not wait for them. */
export class NamedTurns {
  readonly #last = new Map<string, Promise<unknown>>()

  take<T>(name: string, act: () => Promise<T>): Promise<T> {
    const next = (this.#last.get(name) ?? Promise.resolve()).then(act)
    const done = next
      .catch(() => undefined)
      .then(() => {
        if (this.#last.get(name) === done) this.#last.delete(name)
      })
    this.#last.set(name, done)
    return next
  }
}
