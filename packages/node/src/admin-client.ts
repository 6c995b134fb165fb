import { type IncomingMessage, request } from 'node:http'
import { ConclaveError, messageOf } from '@conclave/core'

const ANSWER_BYTES_MAX = 8 * 1024 * 1024
const ANSWER_TIMEOUT_MS = 30_000

const NOT_RUNNING = new Set(['ENOENT', 'ECONNREFUSED', 'ENOTSOCK'])

function notAsked(socket: string, cause: NodeJS.ErrnoException): ConclaveError {
  if (cause instanceof ConclaveError) return cause
  if (NOT_RUNNING.has(cause.code ?? ''))
    return new ConclaveError('NODE_NOT_RUNNING', `no node listens on ${socket}: start it first`, { cause })
  if (cause.code === 'EACCES' || cause.code === 'EPERM')
    return new ConclaveError('ADMIN_DENIED', `${socket} belongs to another user: only the node's own user may ask`, { cause })
  return new ConclaveError('ADMIN_FAILED', `the node did not answer on ${socket}: ${messageOf(cause)}`, { cause })
}

async function readAnswer(response: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > ANSWER_BYTES_MAX) throw new ConclaveError('ADMIN_FAILED', 'the answer is too long')
    chunks.push(chunk)
  }
  const body: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'))
  if (response.statusCode === 200) return body
  const { code, message } = body as { code?: unknown; message?: unknown }
  throw new ConclaveError(typeof code === 'string' ? code : 'ADMIN_FAILED', typeof message === 'string' ? message : 'the node refused')
}

/**
 * Asks a running node on its admin socket; a `body` makes it a POST.
 *
 * @param timeoutMs - of silence.
 * @returns the parsed answer.
 * @throws {ConclaveError} NODE_NOT_RUNNING, ADMIN_DENIED, ADMIN_FAILED, or the code that the node answered.
 */
export function askAdmin(socket: string, path: string, body?: unknown, timeoutMs: number = ANSWER_TIMEOUT_MS): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => reject(notAsked(socket, error as NodeJS.ErrnoException))
    const headers = body === undefined ? {} : { 'content-type': 'application/json' }
    const asked = request({ socketPath: socket, path, method: body === undefined ? 'GET' : 'POST', headers }, (response) => {
      readAnswer(response).then(resolve, fail)
    })
    asked.setTimeout(timeoutMs, () => asked.destroy(new Error('no answer in time')))
    asked.once('error', fail)
    asked.end(body === undefined ? undefined : JSON.stringify(body))
  })
}
