import { rmSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { AgentFault } from './fault.ts'
import { PIN_BYTES_MAX, type PinHolder } from './pin.ts'

const TIMEOUT_MS = 10_000
const TAKEN = 'taken'

export interface PinListener {
  /** Ends it and removes the socket. Safe to call twice. */
  close(): void
}

/** All that the other end sends, at most `max` bytes; undefined when it is more or does not end in time. */
function received(socket: Socket, max: number): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const bytes = Buffer.alloc(max)
    let length = 0
    socket.setTimeout(TIMEOUT_MS, () => resolve(undefined))
    socket.on('data', (piece) => {
      if (length + piece.length > max) resolve(undefined)
      else length += piece.copy(bytes, length)
      piece.fill(0)
    })
    socket.on('end', () => resolve(bytes.subarray(0, length)))
    socket.on('error', () => resolve(undefined))
    socket.on('close', () => resolve(undefined))
  })
}

/**
 * Takes one PIN from a process of the same user, and listens no more: a Unix socket that nobody else can open.
 *
 * @param path - in a private directory; what is left there of an earlier agent is removed.
 */
export function listenForPin(path: string, pin: PinHolder): PinListener {
  const server = createServer({ allowHalfOpen: true }, async (socket) => {
    const bytes = await received(socket, PIN_BYTES_MAX)
    try {
      if (bytes === undefined || pin.isThere) return socket.destroy()
      pin.put(bytes, 'the PIN socket')
      socket.end(TAKEN)
      close()
    } catch {
      // An empty one; the next may be better.
      socket.destroy()
    }
  })
  const close = () => void server.close()
  server.maxConnections = 1
  // Without its socket the HSM still waits, and says so; whoever brings a PIN hears that nobody listens.
  server.on('error', () => undefined)
  rmSync(path, { force: true })
  // The socket is bound inside this call, so there is no moment in which others could connect.
  const before = process.umask(0o177)
  try {
    server.listen(path)
  } finally {
    process.umask(before)
  }
  return { close }
}

/** Gives a PIN to the agent that listens there. @throws {AgentFault} PIN_NEEDED when it does not take it. */
export function sendPin(path: string, pin: Buffer): Promise<null> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path, allowHalfOpen: true })
    const refuse = () => reject(new AgentFault('PIN_NEEDED', 'the agent of the node did not take the PIN'))
    socket.once('connect', () => {
      received(socket, TAKEN.length).then((answer) => (answer?.toString() === TAKEN ? resolve(null) : refuse()), refuse)
      // A copy: what is written is wiped by nobody else, and the PIN stays with its holder.
      socket.end(Buffer.from(pin))
    })
    socket.once('error', refuse)
  })
}
