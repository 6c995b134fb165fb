/**
 * Memory of the WebAssembly side, handed out from the bottom up for the length of one call: arguments in, results out, all of it
 * wiped afterwards.
 */
export class Arena {
  readonly #memory: WebAssembly.Memory
  readonly #base: number
  #bytes: Uint8Array
  #top: number

  /** @param base - the first address that the compiled code does not use itself. */
  constructor(memory: WebAssembly.Memory, base: number) {
    this.#memory = memory
    this.#base = (base + 15) & ~15
    this.#top = this.#base
    this.#bytes = new Uint8Array(memory.buffer)
  }

  /** Runs `call` and wipes everything that it has put or reserved here. Calls do not nest. */
  run<T>(call: (arena: this) => T): T {
    try {
      return call(this)
    } finally {
      this.#bytes.fill(0, this.#base, this.#top)
      this.#top = this.#base
    }
  }

  /** @returns the address of `length` zero bytes, a multiple of 16. */
  reserve(length: number): number {
    const at = this.#top
    this.#top = (at + length + 15) & ~15
    const missing = this.#top - this.#bytes.length
    if (missing > 0) {
      this.#memory.grow(Math.ceil(missing / 65536))
      this.#bytes = new Uint8Array(this.#memory.buffer)
    }
    return at
  }

  /** @returns the address of a copy, with zero bytes after it as far as `room` reaches. */
  put(bytes: Uint8Array, room: number = bytes.length): number {
    const at = this.reserve(room)
    this.#bytes.set(bytes, at)
    return at
  }

  /** Copies to a reserved address. */
  write(at: number, bytes: Uint8Array): void {
    this.#bytes.set(bytes, at)
  }

  /** A copy of `length` bytes. */
  take(at: number, length: number): Uint8Array {
    return this.#bytes.slice(at, at + length)
  }
}
