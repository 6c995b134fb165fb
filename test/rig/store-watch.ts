import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

const LOOK_MS = 1

/** Bytes in the write-ahead logs of a node's database: every write of the node makes them more. */
function logBytes(store: string): number {
  // A test that has timed out leaves its watch behind when the cluster goes.
  if (!existsSync(store)) return 0
  let sum = 0
  for (const file of readdirSync(store)) if (file.endsWith('.log')) sum += statSync(join(store, file), { throwIfNoEntry: false })?.size ?? 0
  return sum
}

/**
 * Sees a node write to its disk, from outside: a moment inside key creation or signing that needs neither the node's help nor luck.
 * Two writes within a millisecond may count as one.
 */
export class StoreWatch implements Disposable {
  readonly #store: string
  readonly #timer: NodeJS.Timeout
  readonly #waiting: { readonly writes: number; readonly resolve: () => void }[] = []
  #bytes: number
  #writes = 0

  constructor(nodeDir: string) {
    this.#store = join(nodeDir, 'store')
    this.#bytes = logBytes(this.#store)
    this.#timer = setInterval(() => this.#look(), LOOK_MS).unref()
  }

  /** Resolves at the n-th write since the watch began. */
  writes(n: number): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ writes: n, resolve })
    })
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
  }

  #look(): void {
    const bytes = logBytes(this.#store)
    if (bytes === this.#bytes) return
    this.#bytes = bytes
    this.#writes++
    for (const w of this.#waiting) if (this.#writes >= w.writes) w.resolve()
  }
}
