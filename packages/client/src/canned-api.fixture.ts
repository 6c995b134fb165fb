import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { inspect } from 'node:util'
import { expect } from 'chai'
import { ConclaveApiError } from './problem.ts'
import type { Problem } from './resources.ts'

export interface Received {
  readonly method: string
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}
export interface Reply {
  readonly status: number
  readonly body: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export const API_KEY = 'secret-api-key'

export function problem(code: string, status: number, retriable: boolean): Reply {
  const body: Problem = { type: `urn:conclave:problem:${code}`, title: 't', status, code, detail: 'd', retriable, requestId: 'r' }
  return { status, body }
}

export async function failureOf(action: Promise<unknown>): Promise<ConclaveApiError> {
  const error = await action.then(
    () => expect.fail('nothing was thrown'),
    (e: unknown) => e,
  )
  expect(error, inspect(error)).instanceOf(ConclaveApiError)
  return error as ConclaveApiError
}

/** An HTTP server that answers what it was told to, in order; the last reply is repeated. `hang up` takes a call and answers nothing. */
export class CannedApi implements AsyncDisposable {
  received: Received[] = []
  replies: (Reply | 'hang up')[] = []
  readonly #server: Server

  private constructor() {
    this.#server = createServer((request, response) => {
      let body = ''
      request.on('data', (chunk) => {
        body += chunk
      })
      request.on('end', () => {
        this.received.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers, body })
        const reply = (this.replies.length > 1 ? this.replies.shift() : this.replies[0]) as Reply | 'hang up'
        if (reply === 'hang up') return void request.socket.destroy()
        response.writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers })
        response.end(typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body))
      })
    })
  }

  static async start(...replies: readonly (Reply | 'hang up')[]): Promise<CannedApi> {
    const api = new CannedApi()
    api.replies = [...replies]
    await new Promise<void>((resolve) => api.#server.listen(0, '127.0.0.1', resolve))
    return api
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Ends it: from now on nothing listens there. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#server.listening) return
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}
