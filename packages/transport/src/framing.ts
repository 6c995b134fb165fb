import { concat, TransportError, u32 } from '@conclave/core'
import { LengthPrefixedDecoder } from '@libp2p/utils'
import { FRAME_BYTES_MAX, PREFIX_BYTES } from './transport.ts'

/** What libp2p hands over at once is at most its own read buffer of 4 MiB; one incomplete frame may lie before it. */
const BUFFER_BYTES_MAX = 8 << 20

/** A copy of the frame with its 4-byte big-endian length before it. */
export function prefixed(frame: Uint8Array): Uint8Array {
  return concat(u32(frame.length), frame)
}

/** @throws {TransportError} FRAME_EMPTY, FRAME_TOO_LARGE. */
export function checkFrameLength(length: number, max: number = FRAME_BYTES_MAX): void {
  if (length === 0) throw new TransportError('FRAME_EMPTY', 'a frame of no bytes')
  if (length > max) throw new TransportError('FRAME_TOO_LARGE', `a frame of ${length} bytes; at most ${max} are allowed`)
}

/** Cuts a byte stream into frames. */
export class FrameReader {
  /** Largest frame from here on; may be changed between two frames. */
  frameBytesMax: number
  readonly #decoder: LengthPrefixedDecoder

  constructor(frameBytesMax: number) {
    this.frameBytesMax = frameBytesMax
    this.#decoder = new LengthPrefixedDecoder({
      encodingLength: () => PREFIX_BYTES,
      maxBufferSize: BUFFER_BYTES_MAX,
      maxDataLength: FRAME_BYTES_MAX,
      lengthDecoder: (buffer) => {
        // The decoder takes a RangeError for "not enough bytes yet".
        if (buffer.byteLength < PREFIX_BYTES) throw new RangeError()
        const prefix = buffer.subarray(0, PREFIX_BYTES)
        const length = new DataView(prefix.buffer, prefix.byteOffset, PREFIX_BYTES).getUint32(0)
        checkFrameLength(length, this.frameBytesMax)
        return length
      },
    })
  }

  /**
   * The frames that end in `chunk`, as copies: a view would keep the socket's buffer alive and could not be wiped.
   *
   * @throws {TransportError} FRAME_EMPTY, FRAME_TOO_LARGE; nothing can be read afterwards.
   */
  *read(chunk: Parameters<LengthPrefixedDecoder['decode']>[0]): Generator<Uint8Array> {
    for (const frame of this.#decoder.decode(chunk)) {
      const copy = new Uint8Array(frame.byteLength)
      copy.set(frame.subarray())
      yield copy
    }
  }
}
