import { type Clock, ConclaveError, messageOf, type PartyId, ProtocolAbort, Timeout } from '@conclave/core'
import type { Failure, Request, Response } from '@conclave/wire'

export const OPEN_CALLS_MAX = 64

/** Any thrown value as what is told to the other side: a stable code, one line, nothing internal. */
export function failureOf(error: unknown): Failure {
  if (!(error instanceof ConclaveError))
    return { code: 'INTERNAL', message: 'the node failed to handle this request', retriable: false, culprits: [], waitingFor: [] }
  return {
    code: error.code,
    message: messageOf(error).slice(0, 512),
    retriable: error.retriable,
    culprits: error instanceof ProtocolAbort ? [...error.culprits] : [],
    waitingFor: error instanceof Timeout ? [...error.waitingFor] : [],
  }
}

interface OpenCall {
  readonly peer: PartyId
  readonly resolve: (body: Response['body']) => void
  readonly reject: (error: ConclaveError) => void
  readonly stopTimer: () => void
}

/** Requests that this node makes of its peers. */
export class Calls {
  readonly #open = new Map<number, OpenCall>()
  readonly #clock: Clock
  readonly #send: (peer: PartyId, request: Request) => void
  #next = 1

  constructor(clock: Clock, send: (peer: PartyId, request: Request) => void) {
    this.#clock = clock
    this.#send = send
  }

  get open(): number {
    return this.#open.size
  }

  /** @throws {ConclaveError} CALL_TIMEOUT, PEER_LOST, TOO_MANY_CALLS, or what the peer answered. */
  call(peer: PartyId, body: Request['body'], timeoutMs: number): Promise<Response['body']> {
    if (this.#open.size >= OPEN_CALLS_MAX) throw new ConclaveError('TOO_MANY_CALLS', 'too many open calls', { retriable: true })
    const id = this.#next
    this.#next = (this.#next % 0xffffffff) + 1
    return new Promise((resolve, reject) => {
      const timeout = () => this.#fail(id, new Timeout('CALL_TIMEOUT', `party ${peer} did not answer in ${timeoutMs} ms`, [peer]))
      this.#open.set(id, { peer, resolve, reject, stopTimer: this.#clock.after(timeoutMs, timeout) })
      try {
        this.#send(peer, { id, body, traceparent: '' })
      } catch (error) {
        this.#fail(id, error instanceof ConclaveError ? error : new ConclaveError('INTERNAL', messageOf(error)))
      }
    })
  }

  answered(peer: PartyId, { id, body }: Response): void {
    const call = this.#open.get(id)
    // Late or never asked: nobody waits for it.
    if (call === undefined || call.peer !== peer) return
    if ('failure' in body) {
      this.#fail(id, new ConclaveError(body.failure.code, body.failure.message, { retriable: body.failure.retriable }))
    } else this.#close(id)?.resolve(body)
  }

  peerLost(peer: PartyId): void {
    for (const [id, call] of this.#open) {
      if (call.peer === peer) this.#fail(id, new Timeout('PEER_LOST', `the link to party ${peer} went down`, [peer]))
    }
  }

  #close(id: number): OpenCall | undefined {
    const call = this.#open.get(id)
    call?.stopTimer()
    this.#open.delete(id)
    return call
  }

  #fail(id: number, error: ConclaveError): void {
    this.#close(id)?.reject(error)
  }
}
