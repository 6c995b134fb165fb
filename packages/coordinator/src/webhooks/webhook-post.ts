import http, { type IncomingMessage } from 'node:http'
import https from 'node:https'
import { ConclaveError, codeOf } from '@conclave/core'
import type { Reachable } from './reachable.ts'

/** Read of an answer: nobody needs it, and a connection that is cut would look like a fault to the receiver. */
const ANSWER_BYTES_MAX = 4096

export interface Posted {
  /** Of the answer; null without one. */
  readonly status: number | null
  /** Why it does not count as delivered; null when it does. */
  readonly code: PostCode | null
}

/** WEBHOOK_ADDRESS: not an address to connect to. CONNECT_FAILED: no connection, or none to whom the URL names. REDIRECTED: not followed. */
export type PostCode = 'WEBHOOK_ADDRESS' | 'CONNECT_FAILED' | 'TIMEOUT' | 'REDIRECTED' | 'GONE' | 'BAD_STATUS' | 'STOPPED'

export interface PostOptions {
  readonly url: string
  readonly body: string
  readonly headers: Readonly<Record<string, string>>
  readonly reachable: Reachable
  /** From the connection to the status, together. */
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

function codeOfStatus(status: number): PostCode | null {
  if (status >= 200 && status < 300) return null
  if (status >= 300 && status < 400) return 'REDIRECTED'
  return status === 410 ? 'GONE' : 'BAD_STATUS'
}

/** Takes a little of the answer and leaves. */
function leave(answer: IncomingMessage): void {
  let bytes = 0
  answer.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > ANSWER_BYTES_MAX) answer.destroy()
  })
  answer.on('error', () => undefined)
}

/** One attempt to deliver; redirects are not followed, and no proxy is used. Never rejects. */
export async function post({ url, body, headers, reachable, timeoutMs, signal }: PostOptions): Promise<Posted> {
  const timeout = AbortSignal.timeout(timeoutMs)
  try {
    const { protocol, hostname } = new URL(url)
    reachable.check(hostname)
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
    const request = (protocol === 'https:' ? https : http).request(url, {
      method: 'POST',
      // A connection of its own, which ends with the attempt.
      agent: false,
      headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), 'user-agent': 'conclave', ...headers },
      lookup: reachable.lookup,
      signal: AbortSignal.any([timeout, signal]),
    })
    request.on('response', resolve)
    request.on('error', reject)
    request.end(body)
    const answer = await promise
    leave(answer)
    const status = answer.statusCode ?? 0
    return { status, code: codeOfStatus(status) }
  } catch (error) {
    if (signal.aborted) return { status: null, code: 'STOPPED' }
    if (timeout.aborted) return { status: null, code: 'TIMEOUT' }
    return {
      status: null,
      code: error instanceof ConclaveError && codeOf(error) === 'WEBHOOK_ADDRESS' ? 'WEBHOOK_ADDRESS' : 'CONNECT_FAILED',
    }
  }
}
