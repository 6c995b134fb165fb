import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { ConfigError, messageOf } from '@conclave/core'
import type { Registry } from 'prom-client'

const HEADER_BYTES_MAX = 8 * 1024
const CONNECTIONS_MAX = 32
const TIMEOUT_MS = 10_000
const LISTEN = /^(?<host>\[[0-9a-f:.]+\]|[^\s:[\]]+):(?<port>\d{1,5})$/i

/** Whether a process takes work now. */
export interface Readiness {
  readonly isReady: boolean
  /** `READY`, or why not. */
  readonly code: string
  /** One line for a person. */
  readonly detail: string
}

export interface ListenerOptions {
  /** `host:port`; a port of 0 takes any. */
  readonly listen: string
  readonly registry: Registry
  ready(): Readiness | Promise<Readiness>
  /** Told what made a scrape fail. */
  failed?(reason: string): void
}

export interface Listener {
  /** With the port that was bound. */
  readonly url: string
  /** Ends every connection. Safe to call twice. */
  close(): Promise<void>
}

interface Answer {
  readonly status: number
  readonly type: string
  readonly text: string
}

const json = (status: number, body: object): Answer => ({ status, type: 'application/json', text: `${JSON.stringify(body)}\n` })

async function answerTo({ method, url = '' }: IncomingMessage, { registry, ready }: ListenerOptions): Promise<Answer> {
  const path = url.split('?', 1)[0]
  if (path !== '/metrics' && path !== '/healthz' && path !== '/readyz') return json(404, { code: 'NOT_FOUND' })
  if (method !== 'GET' && method !== 'HEAD') return json(405, { code: 'METHOD_NOT_ALLOWED' })
  if (path === '/metrics') return { status: 200, type: registry.contentType, text: await registry.metrics() }
  if (path === '/healthz') return json(200, { status: 'ok' })
  const { isReady, code, detail } = await ready()
  return json(isReady ? 200 : 503, { status: isReady ? 'ready' : 'not ready', code, detail })
}

function send(response: ServerResponse, { status, type, text }: Answer): void {
  const retry = status === 503 ? { 'retry-after': '1' } : {}
  const length = { 'content-length': Buffer.byteLength(text) }
  response.writeHead(status, { 'content-type': type, ...length, ...retry, 'cache-control': 'no-store', connection: 'close' })
  response.end(text)
}

/**
 * Answers `/metrics`, `/healthz` and `/readyz` over HTTP, and nothing else: it reads no body, changes nothing and knows no caller, so it belongs
 * on an address that only the operator's own monitoring reaches. Headers, connections and times are bounded.
 *
 * @throws {ConfigError} METRICS_LISTEN.
 */
export async function openListener(options: ListenerOptions): Promise<Listener> {
  const { host = '', port = '' } = LISTEN.exec(options.listen)?.groups ?? {}
  const fail = (why: string, cause?: unknown) =>
    new ConfigError('METRICS_LISTEN', `cannot listen for metrics on ${options.listen}: ${why}`, {}, cause)
  if (host === '' || Number(port) > 65535) throw fail('not host:port')
  const limits = { maxHeaderSize: HEADER_BYTES_MAX, requestTimeout: TIMEOUT_MS, headersTimeout: TIMEOUT_MS }
  const server = createServer({ ...limits, connectionsCheckingInterval: 1_000 }, (request, response) => {
    answerTo(request, options).then(
      (answer) => send(response, answer),
      (error: unknown) => {
        options.failed?.(messageOf(error))
        send(response, json(500, { code: 'INTERNAL' }))
      },
    )
  })
  server.maxConnections = CONNECTIONS_MAX
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(fail(error.message, error)))
    server.listen({ host: host.replace(/^\[|\]$/g, ''), port: Number(port) }, resolve)
  })
  server.on('error', (error) => options.failed?.(error.message))
  const bound = server.address()
  const boundPort = typeof bound === 'object' && bound !== null ? bound.port : port
  return {
    url: `http://${host}:${boundPort}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
