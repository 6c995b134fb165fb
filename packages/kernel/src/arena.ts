const PAGE_BYTES = 65536
/** So much of results can be held at once. */
const HELD_BYTES = 2 << 20

/**
 * Memory of the WebAssembly side, handed out from the bottom up for the length of one call: arguments in, results out, all of it
 * wiped afterwards. Calls nest: an inner one takes what lies above.
 */
export class Arena {
  readonly #memory: WebAssembly.Memory
  #bytes: Uint8Array
  #top: number
  #holding = false

  /** @param base - the first address that the compiled code does not use itself. */
  constructor(memory: WebAssembly.Memory, base: number) {
    this.#memory = memory
    this.#top = (base + 15) & ~15
    this.#bytes = new Uint8Array(memory.buffer)
  }

  /** Runs `call` and wipes everything that it has put or reserved here. */
  run<T>(call: (arena: this) => T): T {
    const base = this.#top
    try {
      return call(this)
    } finally {
      this.#bytes.fill(0, base, this.#top)
      this.#top = base
    }
  }

  /** Runs `work`; meanwhile results stay here, and are wiped when it returns or throws. */
  hold<T>(work: () => T): T {
    if (this.#holding) return this.run(work)
    this.#grow(this.#top + HELD_BYTES)
    this.#holding = true
    try {
      return this.run(work)
    } finally {
      this.#holding = false
    }
  }

  /**
   * Runs `call` with the address of a result, and wipes what it has put or reserved here.
   *
   * @param room - zero bytes at that address: `length`, or more.
   * @returns the first `length` bytes: while results are held a view, otherwise a copy.
   */
  result(length: number, call: (out: number) => void, room: number = length): Uint8Array {
    if (!this.#holding) return this.run(() => this.#resultOf(length, call, room).slice())
    return this.#resultOf(length, call, room)
  }

  #resultOf(length: number, call: (out: number) => void, room: number): Uint8Array {
    const out = this.reserve(room)
    this.run(() => call(out))
    return this.#bytes.subarray(out, out + length)
  }

  /**
   * @returns the address of `length` zero bytes, a multiple of 16.
   * @throws {RangeError} when results are held and there is no more room: more of it would leave the views of them empty.
   */
  reserve(length: number): number {
    const at = this.#top
    const top = (at + length + 15) & ~15
    if (top > this.#bytes.length) this.#grow(top)
    this.#top = top
    return at
  }

  #grow(length: number): void {
    const missing = length - this.#bytes.length
    if (missing <= 0) return
    if (this.#holding) throw new RangeError('more results are held than there is room for')
    this.#memory.grow(Math.ceil(missing / PAGE_BYTES))
    this.#bytes = new Uint8Array(this.#memory.buffer)
  }

  /** @returns the address of these bytes if they are held here, otherwise of a copy, with zero bytes after it as far as `room` reaches. */
  put(bytes: Uint8Array, room: number = bytes.length): number {
    if (bytes.buffer === this.#bytes.buffer && room === bytes.length) return bytes.byteOffset
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
