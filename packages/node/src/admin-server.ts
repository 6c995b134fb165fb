import { lstat, stat, unlink } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { dirname } from 'node:path'
import { ConclaveError, ConfigError, codeOf, InvalidArgument, messageOf } from '@conclave/core'
import type { Logger } from '@conclave/transport'

/** The shortest limit of the systems that we run on, without the closing zero: macOS has 104 bytes, Linux 108. */
export const SOCKET_PATH_BYTES_MAX = 103
export const BODY_BYTES_MAX = 16 * 1024
const HEADER_BYTES_MAX = 8 * 1024
const CONNECTIONS_MAX = 16
const REQUEST_TIMEOUT_MS = 10_000

/** One thing that an operator may ask. */
export interface AdminRoute {
  readonly method: 'GET' | 'POST'
  /** Of the whole path; its groups go to `handle`. */
  readonly path: RegExp
  /** Default: {@link BODY_BYTES_MAX}. */
  readonly bodyBytesMax?: number
  /** @param body - parsed JSON; undefined for GET. @throws what the operator is told by its code. */
  handle(params: readonly string[], body: unknown): Promise<unknown>
}

export interface AdminServer {
  /** Answers from now on; until then every request is STARTING. */
  serve(routes: readonly AdminRoute[]): void
  /** Ends every connection and removes the socket. Safe to call twice. */
  close(): Promise<void>
}

const STATUS_OF: Readonly<Record<string, number>> = {
  NOT_FOUND: 404,
  UNKNOWN_PEER: 404,
  METHOD_NOT_ALLOWED: 405,
  BODY_TOO_LARGE: 413,
}

/** Whether something accepts connections there; what is left of a killed node does not. */
function listens(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED' || error.code === 'ENOENT') resolve(false)
      else reject(new ConfigError('ADMIN_SOCKET_FAILED', `cannot tell whether ${path} is in use: ${error.message}`, { path }, error))
    })
  })
}

async function clearWay(path: string): Promise<void> {
  if (Buffer.byteLength(path) > SOCKET_PATH_BYTES_MAX) {
    const line = `the path of the admin socket has more than ${SOCKET_PATH_BYTES_MAX} bytes: set admin.socket to a shorter one (${path})`
    throw new ConfigError('ADMIN_SOCKET_PATH', line, { path })
  }
  const parent = await stat(dirname(path)).catch(() => undefined)
  if (parent?.isDirectory() !== true)
    throw new ConfigError('ADMIN_SOCKET_PATH', `the directory of the admin socket ${path} does not exist`, { path })
  const there = await lstat(path).catch(() => undefined)
  if (there === undefined) return
  if (!there.isSocket())
    throw new ConfigError('ADMIN_SOCKET_PATH', `${path} is in the way of the admin socket, and is not a socket`, { path })
  if (await listens(path))
    throw new ConfigError('ADMIN_SOCKET_IN_USE', `another process listens on the admin socket ${path}: is the node running already?`, {
      path,
    })
  await unlink(path).catch((cause: unknown) => {
    throw new ConfigError('ADMIN_SOCKET_FAILED', `cannot remove the admin socket ${path} of an earlier run`, { path }, cause)
  })
}

async function listen(server: Server, path: string): Promise<void> {
  const listening = new Promise<void>((resolve, reject) => {
    server.once('listening', resolve)
    server.once('error', (cause) =>
      reject(new ConfigError('ADMIN_SOCKET_FAILED', `cannot listen on ${path}: ${cause.message}`, { path }, cause)),
    )
  })
  // The socket is bound inside this call, so there is no moment in which others could connect.
  const before = process.umask(0o177)
  try {
    server.listen(path)
  } finally {
    process.umask(before)
  }
  await listening
}

/** @throws {ConclaveError} BODY_TOO_LARGE; {InvalidArgument} BAD_BODY. */
async function readBody(request: IncomingMessage, bytesMax: number): Promise<unknown> {
  const chunks: Buffer[] = []
  let bytes = 0
  // Not destroyed when it is too long: the connection has to carry the answer.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > bytesMax) throw new ConclaveError('BODY_TOO_LARGE', `a body has at most ${bytesMax} bytes`)
    chunks.push(chunk)
  }
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks)))
  } catch (cause) {
    throw new InvalidArgument('BAD_BODY', 'the body is not JSON', {}, cause)
  }
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  const text = `${JSON.stringify(body)}\n`
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text), connection: 'close' })
  response.end(text)
}

function answerError(response: ServerResponse, error: unknown, log: Logger): void {
  const known = error instanceof ConclaveError
  if (!known) log.error({ err: error }, 'an admin request failed')
  const status = STATUS_OF[codeOf(error)] ?? (error instanceof InvalidArgument ? 400 : known && error.retriable ? 503 : 500)
  answer(response, status, { code: codeOf(error), message: known ? messageOf(error) : 'the node failed to handle this request' })
}

async function handle(request: IncomingMessage, response: ServerResponse, routes: readonly AdminRoute[] | undefined): Promise<void> {
  if (routes === undefined) throw new ConclaveError('STARTING', 'the node is starting', { retriable: true })
  const path = request.url ?? ''
  const matching = routes.filter((r) => r.path.test(path))
  if (matching.length === 0) throw new ConclaveError('NOT_FOUND', 'no such route')
  const route = matching.find((r) => r.method === request.method)
  if (route === undefined) {
    response.setHeader('allow', matching.map((r) => r.method).join(', '))
    throw new ConclaveError('METHOD_NOT_ALLOWED', `this path has ${matching.map((r) => r.method).join(' and ')}`)
  }
  const body = route.method === 'POST' ? await readBody(request, route.bodyBytesMax ?? BODY_BYTES_MAX) : undefined
  answer(response, 200, await route.handle(route.path.exec(path)?.slice(1) ?? [], body))
}

/**
 * Listens for the operator on a Unix domain socket that only the node's own user can open (docs/decisions/0004-admin-socket.md).
 *
 * Whatever is sent there, the process goes on: requests, bodies, headers and connections are bounded, and an error is an answer.
 *
 * @param path - absolute. A socket that nobody listens on is removed first.
 * @throws {ConfigError} ADMIN_SOCKET_PATH, ADMIN_SOCKET_IN_USE, ADMIN_SOCKET_FAILED.
 */
export async function openAdminServer(path: string, log: Logger): Promise<AdminServer> {
  let routes: readonly AdminRoute[] | undefined
  await clearWay(path)
  const options = { maxHeaderSize: HEADER_BYTES_MAX, requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: REQUEST_TIMEOUT_MS }
  const server = createServer({ ...options, connectionsCheckingInterval: 1_000 }, (request, response) => {
    handle(request, response, routes).catch((error: unknown) => answerError(response, error, log))
  })
  server.maxConnections = CONNECTIONS_MAX
  server.on('clientError', (_error, socket) => {
    // Not HTTP, or gone: there may be nobody to read an answer.
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n')
    else socket.destroy()
  })
  await listen(server, path)
  server.on('error', (error) => log.error({ err: error }, 'the admin socket failed'))
  return {
    serve(given) {
      routes = given
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
