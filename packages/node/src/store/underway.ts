/** Acts that are under way: whoever changes what they build on waits until those that began before have ended. */
export class Underway {
  readonly #acts = new Set<Promise<unknown>>()

  async run<T>(act: () => Promise<T>): Promise<T> {
    const running = act()
    this.#acts.add(running)
    try {
      return await running
    } finally {
      this.#acts.delete(running)
    }
  }

  /** Resolves when everything that runs now has ended, however. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#acts)
  }
}
