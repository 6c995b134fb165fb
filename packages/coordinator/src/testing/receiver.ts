import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Received {
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly event: { readonly id: string; readonly type: string; readonly subject: string }
}

type Answer = (response: ServerResponse, received: Received) => void

/** A receiver of webhooks on this host, which answers 204 unless it is told otherwise. */
export class Receiver implements AsyncDisposable {
  readonly received: Received[] = []
  answer: Answer = (response) => response.writeHead(204).end()
  readonly #server = createServer((request, response) => void this.#take(request, response))

  static async start(): Promise<Receiver> {
    const receiver = new Receiver()
    receiver.#server.listen(0, '127.0.0.1')
    await once(receiver.#server, 'listening')
    return receiver
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/hook`
  }

  /** Of the events that it was sent. */
  get types(): readonly string[] {
    return this.received.map(({ event }) => event.type)
  }

  status(status: number, headers: Readonly<Record<string, string>> = {}): void {
    this.answer = (response) => response.writeHead(status, headers).end()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => undefined)
    let body = ''
    for await (const chunk of request) body += String(chunk)
    const received = { headers: request.headers as Record<string, string>, body, event: JSON.parse(body) }
    this.received.push(received)
    this.answer(response, received)
  }
}
