import { type Clock, ConclaveError, type NodeMember, type PartyId, Timeout, TransportError } from '@conclave/core'
import { NO_SPAN, type Span } from '@conclave/telemetry'
import type { Transport } from '@conclave/transport'
import { encode, Frame, type Request, type Response } from '@conclave/wire'

/** Requests that may be open towards one node. */
export const OPEN_CALLS_MAX = 1024

type RequestBody = Request['body']
type ResponseBody = Response['body']
type CaseNames<T> = T extends unknown ? keyof T : never
export type AnswerKind = Exclude<CaseNames<ResponseBody>, 'failure'>
export type AnswerOf<K extends AnswerKind> = ResponseBody extends infer B ? (B extends Readonly<Record<K, infer V>> ? V : never) : never

/** A code as a node sent it. People and clients branch on codes, so a node does not get to put anything else there. */
export function safeCode(code: string): string {
  return /^[A-Z][A-Z0-9_]{0,63}$/.test(code) ? code : 'NODE_FAILURE'
}

/** A node answered that it will not or cannot. What it says of others is its word and no proof. */
export class NodeFailure extends ConclaveError {
  readonly culprits: readonly PartyId[]
  readonly waitingFor: readonly PartyId[]

  constructor(failure: {
    code: string
    message: string
    retriable: boolean
    culprits: readonly PartyId[]
    waitingFor: readonly PartyId[]
  }) {
    super(safeCode(failure.code), failure.message, { retriable: failure.retriable })
    this.culprits = failure.culprits
    this.waitingFor = failure.waitingFor
  }
}

export interface CallOptions {
  readonly timeoutMs: number
  readonly signal: AbortSignal
  /** What the node's own spans hang below. */
  readonly span?: Span
}

interface OpenCall {
  settle(outcome: ResponseBody | ConclaveError): void
}

const unreachable = (node: NodeMember, code: string, message: string, cause?: unknown) =>
  new TransportError(code, message, { details: { node: node.index }, retriable: true, cause })

/** Requests to nodes and their answers, correlated per link. A link that goes down fails what is open on it at once. */
export class NodeCalls {
  readonly #transport: Transport
  readonly #clock: Clock
  readonly #open = new Map<PartyId, Map<number, OpenCall>>()
  #lastId = 0

  constructor(transport: Transport, clock: Clock) {
    this.#transport = transport
    this.#clock = clock
  }

  /**
   * Asks one node.
   *
   * @param kind - the case of the answer; another one is BAD_ANSWER.
   * @throws {NodeFailure} with the node's code. {@link TransportError} PEER_UNREACHABLE, LINK_DOWN, BAD_ANSWER, TOO_MANY_CALLS, CALL_ABORTED.
   * {@link Timeout} NODE_TIMEOUT.
   */
  async call<K extends AnswerKind>(node: NodeMember, body: RequestBody, kind: K, options: CallOptions): Promise<AnswerOf<K>> {
    const answer = await this.#exchange(node, body, options)
    if ('failure' in answer) throw new NodeFailure(answer.failure)
    if (!(kind in answer)) throw unreachable(node, 'BAD_ANSWER', `node ${node.name} answered another question`)
    return (answer as Readonly<Record<K, AnswerOf<K>>>)[kind]
  }

  /** An answer of a node; one that nobody waits for (late, repeated, invented) is dropped. @returns whether it was awaited. */
  answered(node: NodeMember, response: Response): boolean {
    const call = this.#open.get(node.index)?.get(response.id)
    call?.settle(response.body)
    return call !== undefined
  }

  openTowards(node: NodeMember): number {
    return this.#open.get(node.index)?.size ?? 0
  }

  linkDown(node: NodeMember): void {
    for (const call of [...(this.#open.get(node.index)?.values() ?? [])]) {
      call.settle(unreachable(node, 'LINK_DOWN', `the link to node ${node.name} went down`))
    }
  }

  #exchange(node: NodeMember, body: RequestBody, { timeoutMs, signal, span = NO_SPAN }: CallOptions): Promise<ResponseBody> {
    const open = this.#open.get(node.index) ?? new Map<number, OpenCall>()
    this.#open.set(node.index, open)
    if (open.size >= OPEN_CALLS_MAX) {
      return Promise.reject(unreachable(node, 'TOO_MANY_CALLS', `too many open requests to node ${node.name}`))
    }
    const id = this.#freshId(open)
    return new Promise((resolve, reject) => {
      const abort = () => settle(unreachable(node, 'CALL_ABORTED', `gave up waiting for node ${node.name}`))
      const stopTimer = this.#clock.after(timeoutMs, () =>
        settle(new Timeout('NODE_TIMEOUT', `node ${node.name} did not answer in time`, [node.index])),
      )
      const settle = (outcome: ResponseBody | ConclaveError) => {
        if (!open.delete(id)) return
        stopTimer()
        signal.removeEventListener('abort', abort)
        if (outcome instanceof ConclaveError) reject(outcome)
        else resolve(outcome)
      }
      open.set(id, { settle })
      signal.addEventListener('abort', abort, { once: true })
      if (signal.aborted) return abort()
      try {
        this.#transport.send(node, encode(Frame, { body: { request: { id, body, traceparent: span.traceparent } } }))
      } catch (cause) {
        settle(cause instanceof ConclaveError ? cause : unreachable(node, 'PEER_UNREACHABLE', `cannot send to node ${node.name}`, cause))
      }
    })
  }

  #freshId(open: ReadonlyMap<number, OpenCall>): number {
    // At most OPEN_CALLS_MAX ids are taken, so this ends.
    do this.#lastId = (this.#lastId + 1) >>> 0
    while (open.has(this.#lastId))
    return this.#lastId
  }
}
