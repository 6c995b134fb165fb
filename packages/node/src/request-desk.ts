import { ConclaveError, codeOf, type Member, toHex } from '@conclave/core'
import type { Logger } from '@conclave/transport'
import { encode, Frame, type Request, type Response } from '@conclave/wire'
import { failureOf } from './calls.ts'

/** Per member: one that asks too much at once stands in nobody else's way. */
export const OPEN_REQUESTS_MAX = 256

export interface RequestDeskOptions {
  readonly log: Logger
  handle(from: Member, request: Request): Promise<Response['body']>
  send(to: Member, frame: Uint8Array): void
}

/** What a line about a request is found by. */
function namedBy({ body }: Request): object {
  if ('propose' in body) return { signingRequest: toHex(body.propose.requestId) }
  return 'sign' in body ? { signingRequest: toHex(body.sign.requestId), attempt: body.sign.attempt } : {}
}

/** Answers requests of members: whatever happens to one, its sender hears of it, and nobody else is bothered. */
export class RequestDesk {
  readonly #o: RequestDeskOptions
  readonly #open = new Map<string, number>()

  constructor(options: RequestDeskOptions) {
    this.#o = options
  }

  /** Never rejects. */
  async answer(from: Member, request: Request): Promise<void> {
    const { log } = this.#o
    const open = this.#open.get(from.name) ?? 0
    let body: Response['body']
    if (open >= OPEN_REQUESTS_MAX) {
      body = { failure: failureOf(new ConclaveError('BUSY', 'too many open requests', { retriable: true })) }
    } else {
      this.#open.set(from.name, open + 1)
      try {
        body = await this.#o.handle(from, request)
      } catch (error) {
        log.warn({ from: from.name, ...namedBy(request), code: codeOf(error), err: error }, 'request failed')
        body = { failure: failureOf(error) }
      } finally {
        this.#open.set(from.name, (this.#open.get(from.name) ?? 1) - 1)
      }
    }
    try {
      this.#o.send(from, this.#encode(request.id, body))
    } catch (error) {
      // The asker is gone, or reads nothing; it asks again.
      log.warn({ to: from.name, code: codeOf(error) }, 'answer not sent')
    }
  }

  #encode(id: number, body: Response['body']): Uint8Array {
    try {
      return encode(Frame, { body: { response: { id, body } } })
    } catch (error) {
      this.#o.log.error({ err: error }, 'an answer does not fit the wire')
      return encode(Frame, { body: { response: { id, body: { failure: failureOf(undefined) } } } })
    }
  }
}
