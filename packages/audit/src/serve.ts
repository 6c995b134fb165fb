import { createServer, type Server, type ServerResponse } from 'node:http'
import { LogFiles } from './disk.ts'
import { CHECKPOINT_FILE } from './log.ts'
import { parseTilePath } from './tiles.ts'

const HEADERS_TIMEOUT_MS = 10_000
const CONNECTIONS_MAX = 256
const TARGET_CHARS_MAX = 256

function answer(response: ServerResponse, status: number, headers: Record<string, string>, body?: Uint8Array | string): void {
  response.writeHead(status, { 'X-Content-Type-Options': 'nosniff', ...headers })
  response.end(body)
}

/** What a path of a log's URL space is, and how long it may be kept; undefined when it is none. */
function kindOf(path: string): Record<string, string> | undefined {
  if (path === CHECKPOINT_FILE) return { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-cache' }
  if (parseTilePath(path) === undefined) return undefined
  return { 'Content-Type': 'application/octet-stream', 'Cache-Control': 'public, max-age=31536000, immutable' }
}

/**
 * An HTTP server that shows the checkpoint, tiles and bundles of a log's directory, and nothing else of it (C2SP tlog-tiles). It reads
 * only; whoever may connect may read every entry.
 */
export function logServer(dir: string): Server {
  const files = new LogFiles(dir)
  const server = createServer(async (request, response) => {
    const target = request.url ?? ''
    const path = target.length <= TARGET_CHARS_MAX ? target.slice(1) : ''
    const headers = kindOf(path)
    if (request.method !== 'GET' && request.method !== 'HEAD') return answer(response, 405, { Allow: 'GET, HEAD' })
    if (headers === undefined) return answer(response, 404, {})
    try {
      const bytes = await files.read(path)
      if (bytes === undefined) return answer(response, 404, {})
      answer(response, 200, { ...headers, 'Content-Length': String(bytes.length) }, request.method === 'HEAD' ? undefined : bytes)
    } catch {
      // The disk; whoever asked cannot do anything about it.
      answer(response, 503, {})
    }
  })
  server.headersTimeout = HEADERS_TIMEOUT_MS
  server.requestTimeout = HEADERS_TIMEOUT_MS
  server.maxConnections = CONNECTIONS_MAX
  return server
}
