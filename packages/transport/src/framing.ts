import { concat, TransportError, u32 } from '@conclave/core'
import { FRAME_BYTES_MAX, PREFIX_BYTES } from './transport.ts'

/** A copy of the frame with its 4-byte big-endian length before it. */
export function prefixed(frame: Uint8Array): Uint8Array {
  return concat(u32(frame.length), frame)
}

/** @throws {TransportError} FRAME_EMPTY, FRAME_TOO_LARGE. */
export function checkFrameLength(length: number, max: number = FRAME_BYTES_MAX): void {
  if (length === 0) throw new TransportError('FRAME_EMPTY', 'a frame of no bytes')
  if (length > max) throw new TransportError('FRAME_TOO_LARGE', `a frame of ${length} bytes; at most ${max} are allowed`)
}

/** Bytes as libp2p hands them over: in one piece or in several. */
export type Chunk = Uint8Array | Iterable<Uint8Array>

/** Room that a frame gets before any of it is here. */
const FIRST_BYTES = 1 << 14

/** Cuts a byte stream into frames. An announced length costs no memory before the bytes come. */
export class FrameReader {
  /** Largest frame from here on; may be changed between two frames. */
  frameBytesMax: number
  readonly #prefix = new Uint8Array(PREFIX_BYTES)
  /** The beginning of the frame that is being filled; undefined while its prefix is. */
  #frame: Uint8Array | undefined
  /** Bytes of the frame, as announced. */
  #length = 0
  /** Bytes of the frame, or of the prefix, that are here. */
  #have = 0

  constructor(frameBytesMax: number) {
    this.frameBytesMax = frameBytesMax
  }

  /**
   * The frames that end in `chunk`, as copies: a view would keep the socket's buffer alive and could not be wiped.
   *
   * @throws {TransportError} FRAME_EMPTY, FRAME_TOO_LARGE; nothing can be read afterwards.
   */
  *read(chunk: Chunk): Generator<Uint8Array> {
    for (const part of chunk instanceof Uint8Array ? [chunk] : chunk) {
      for (let at = 0; at < part.length; ) {
        const target = this.#frame ?? this.#prefix
        const taken = part.subarray(at, at + target.length - this.#have)
        target.set(taken, this.#have)
        this.#have += taken.length
        at += taken.length
        if (this.#have < target.length) continue
        if (this.#frame === undefined) {
          this.#have = 0
          this.#length = this.#announced()
          this.#frame = new Uint8Array(Math.min(this.#length, FIRST_BYTES))
        } else if (target.length < this.#length) {
          this.#frame = new Uint8Array(Math.min(this.#length, 4 * target.length))
          this.#frame.set(target)
          target.fill(0)
        } else {
          this.#have = 0
          this.#frame = undefined
          yield target
        }
      }
    }
  }

  /** The length in the prefix, which is complete. */
  #announced(): number {
    const length = new DataView(this.#prefix.buffer).getUint32(0)
    checkFrameLength(length, this.frameBytesMax)
    return length
  }
}
