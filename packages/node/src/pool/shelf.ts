import { ConclaveError, wipe } from '@conclave/core'
import { CORRELATION_BYTES } from '@conclave/mpc'

/** Entries whose secrets share one piece of memory. */
export const BLOCK_ENTRIES = 64

/** One correlation outside of a session. Whoever holds it wipes `secret`. */
export interface StockEntry {
  /** 32 bytes, the same at both ends. */
  readonly name: Uint8Array
  readonly secret: Uint8Array
}

const keyOf = (name: Uint8Array): string => Buffer.from(name.buffer, name.byteOffset, name.length).toString('latin1')
const nameOf = (key: string): Uint8Array => Uint8Array.from(Buffer.from(key, 'latin1'))

/**
 * The entries of one pair state, the oldest first. An entry here costs its 322 bytes and about 90 more, where objects with buffers of
 * their own take 1,200.
 */
export class Shelf {
  readonly pairId: Uint8Array
  readonly #allocate: (bytes: number) => Uint8Array
  /** Where the secret of each name is. */
  readonly #slots = new Map<string, number>()
  readonly #blocks: Uint8Array[] = []
  readonly #free: number[] = []

  /** @param allocate - gives zero bytes. */
  constructor(pairId: Uint8Array, allocate: (bytes: number) => Uint8Array) {
    this.pairId = pairId
    this.#allocate = allocate
  }

  get size(): number {
    return this.#slots.size
  }

  has(name: Uint8Array): boolean {
    return this.#slots.has(keyOf(name))
  }

  /** The names, the oldest first; what is read may be taken out on the way. */
  *names(): Generator<Uint8Array> {
    for (const key of this.#slots.keys()) yield nameOf(key)
  }

  /** Takes an entry over under a name that is not here: its secret is copied, and wiped where it was. @throws {ConclaveError} ASSERTION. */
  put({ name, secret }: StockEntry): void {
    if (secret.length !== CORRELATION_BYTES) throw new ConclaveError('ASSERTION', 'no entry of the pool')
    if (this.#free.length === 0) this.#grow()
    const slot = this.#free.pop() as number
    this.#secretAt(slot).set(secret)
    wipe(secret)
    this.#slots.set(keyOf(name), slot)
  }

  /** Takes an entry out; undefined when it is not here. */
  take(name: Uint8Array): StockEntry | undefined {
    const key = keyOf(name)
    const slot = this.#slots.get(key)
    if (slot === undefined) return undefined
    const here = this.#secretAt(slot)
    const secret = here.slice()
    wipe(here)
    this.#slots.delete(key)
    this.#free.push(slot)
    return { name: nameOf(key), secret }
  }

  /** Takes out the `count` oldest entries, or as many as there are. */
  takeOldest(count: number): readonly StockEntry[] {
    const taken: StockEntry[] = []
    for (const name of this.names()) {
      if (taken.length === count) break
      taken.push(this.take(name) as StockEntry)
    }
    return taken
  }

  /** Wipes everything, and has nothing any more. */
  clear(): void {
    for (const block of this.#blocks) wipe(block)
    this.#slots.clear()
    this.#blocks.length = 0
    this.#free.length = 0
  }

  #grow(): void {
    const first = this.#blocks.length * BLOCK_ENTRIES
    this.#blocks.push(this.#allocate(BLOCK_ENTRIES * CORRELATION_BYTES))
    for (let slot = first + BLOCK_ENTRIES - 1; slot >= first; slot--) this.#free.push(slot)
  }

  #secretAt(slot: number): Uint8Array {
    const at = (slot % BLOCK_ENTRIES) * CORRELATION_BYTES
    return (this.#blocks[Math.floor(slot / BLOCK_ENTRIES)] as Uint8Array).subarray(at, at + CORRELATION_BYTES)
  }
}
