import type { ConnectionEncrypter, MessageStream, Stream } from '@libp2p/interface'
import { AbstractMessageStream } from '@libp2p/utils'
import { StreamState, YamuxStream } from '@libp2p/yamux/stream'

/**
 * Makes a connection give its socket each message in one piece.
 *
 * Noise hands over a length and a ciphertext, and libp2p writes every piece by itself: two system calls and two packets a message.
 */
export function oneWrite<C extends MessageStream>(connection: C): C {
  if (!(connection instanceof AbstractMessageStream)) return connection
  const sendData = connection.sendData.bind(connection)
  connection.sendData = (data) => {
    const whole = data.subarray()
    data.consume(data.byteLength)
    data.append(whole)
    return sendData(data)
  }
  return connection
}

/** How noise reads the length of its next message; private in its types. */
interface Lengths {
  lengthDecoder(data: { readonly length: number }): number
}

/** Said of a length that is not complete yet. Thrown as often as a stream runs dry, and the stack of a new error costs more than the message. */
const NOT_YET = new RangeError('the length is not complete')
const LENGTH_BYTES = 2

/** Makes noise see without a new error that it has used up what has come. */
export function quietEnd<C>(connection: C): C {
  const decoder = (connection as { readonly decoder?: Partial<Lengths> }).decoder
  const lengthOf = decoder?.lengthDecoder
  // Another version may call it otherwise: then it goes on as it would without us.
  if (decoder === undefined || typeof lengthOf !== 'function') return connection
  decoder.lengthDecoder = (data) => {
    if (data.length < LENGTH_BYTES) throw NOT_YET
    return lengthOf(data)
  }
  return connection
}

/** An encrypter whose connections write each message at once, and read without errors of their own making. */
export function frugalEncrypter<X>(encrypter: ConnectionEncrypter<X>): ConnectionEncrypter<X> {
  const { protocol } = encrypter
  const quiet = async <S extends { readonly connection: unknown }>(secured: Promise<S>): Promise<S> => {
    const made = await secured
    quietEnd(made.connection)
    return made
  }
  return {
    protocol,
    secureInbound: (connection, options) => quiet(encrypter.secureInbound(oneWrite(connection), options)),
    secureOutbound: (connection, options) => quiet(encrypter.secureOutbound(oneWrite(connection), options)),
  }
}

/** What we read of a yamux stream's window; private in its types. */
interface Window {
  readonly recvWindow: number
  readonly recvWindowCapacity: number
}

/**
 * Makes a stream give back window only when half of it is used up, as the first implementation of yamux does. libp2p's answers every
 * message with an update, which costs both sides as much as another message.
 */
export function lazyWindow(stream: Stream): void {
  if (!(stream instanceof YamuxStream)) return
  const { recvWindow, recvWindowCapacity } = stream as unknown as Window
  // Another version may call them otherwise: then it answers every message, as it would without us.
  if (typeof recvWindow !== 'number' || typeof recvWindowCapacity !== 'number') return
  const update = stream.sendWindowUpdate.bind(stream)
  stream.sendWindowUpdate = () => {
    const window = stream as unknown as Window
    if (stream.state === StreamState.Established && 2 * window.recvWindowCapacity > window.recvWindow) return
    update()
  }
}
