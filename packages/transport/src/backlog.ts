import { concat } from '@conclave/core'

/** Prefixed frames that wait for the stream, first in first out, with their bytes counted. */
export class Backlog {
  #frames: Uint8Array[] = []
  #head = 0
  #bytes = 0

  get bytes(): number {
    return this.#bytes
  }

  push(frame: Uint8Array): void {
    this.#frames.push(frame)
    this.#bytes += frame.length
  }

  shift(): Uint8Array | undefined {
    const frame = this.#frames[this.#head]
    if (frame === undefined) return undefined
    this.#head++
    this.#bytes -= frame.length
    // Array.shift moves every later element; here each is moved at most once on average.
    if (this.#head * 2 > this.#frames.length) {
      this.#frames = this.#frames.slice(this.#head)
      this.#head = 0
    }
    return frame
  }

  /** Frames from the front in one piece: one at least, if there is any, and as many as `bytesMax` holds. */
  take(bytesMax: number): Uint8Array | undefined {
    const first = this.shift()
    if (first === undefined) return undefined
    const parts = [first]
    for (let bytes = first.length; ; ) {
      const next = this.#frames[this.#head]
      if (next === undefined || bytes + next.length > bytesMax) return parts.length === 1 ? first : concat(...parts)
      parts.push(next)
      bytes += next.length
      this.shift()
    }
  }

  clear(): void {
    this.#frames = []
    this.#head = 0
    this.#bytes = 0
  }
}
