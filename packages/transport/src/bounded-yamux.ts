import type { MessageStream, StreamMuxerFactory } from '@libp2p/interface'
import { yamux } from '@libp2p/yamux'

const HEADER_BYTES = 12
const TYPE_AT = 1
const TYPE_DATA = 0
const LENGTH_AT = 8

/** Follows the headers of a yamux byte stream (yamux specification, "Framing") and nothing else. */
export class YamuxHeaders {
  readonly #dataBytesMax: number
  readonly #header = new Uint8Array(HEADER_BYTES)
  #have = 0
  #skip = 0

  constructor(dataBytesMax: number) {
    this.#dataBytesMax = dataBytesMax
  }

  /** @returns false when a data frame announces more than the limit; not to be called again then. */
  accept(bytes: Uint8Array): boolean {
    for (let at = 0; at < bytes.length; ) {
      const wanted = this.#skip > 0 ? this.#skip : HEADER_BYTES - this.#have
      const part = bytes.subarray(at, at + wanted)
      at += part.length
      if (this.#skip > 0) {
        this.#skip -= part.length
        continue
      }
      this.#header.set(part, this.#have)
      this.#have += part.length
      if (this.#have < HEADER_BYTES) continue
      this.#have = 0
      if (this.#header[TYPE_AT] === TYPE_DATA) this.#skip = new DataView(this.#header.buffer).getUint32(LENGTH_AT)
      if (this.#skip > this.#dataBytesMax) return false
    }
    return true
  }
}

/**
 * Yamux that ends a connection when a frame is larger than any window allows.
 *
 * libp2p's decoder gathers a whole data frame before it looks at the window, and the length field goes to 4 GiB: one hostile
 * member could otherwise use up the memory of every node.
 */
export function boundedYamux(init: Parameters<typeof yamux>[0], dataBytesMax: number): () => StreamMuxerFactory {
  const factory = yamux(init)()
  function createStreamMuxer(connection: MessageStream) {
    const headers = new YamuxHeaders(dataBytesMax)
    // Before the muxer's own listener, so that it never sees the frame.
    connection.addEventListener('message', ({ data }) => {
      for (const part of data instanceof Uint8Array ? [data] : data) {
        if (headers.accept(part)) continue
        connection.abort(new Error(`a yamux frame of more than ${dataBytesMax} bytes`))
        return
      }
    })
    return factory.createStreamMuxer(connection)
  }
  return () => Object.assign(Object.create(factory) as StreamMuxerFactory, { protocol: factory.protocol, createStreamMuxer })
}
