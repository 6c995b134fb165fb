import { setTimeout } from 'node:timers/promises'
import { unsignedTransfer } from '@conclave/testnet'
import type { CrewMember } from './coordinator-crew.ts'

const FINAL: ReadonlySet<string> = new Set(['signed', 'denied', 'rejected', 'expired', 'failed', 'cancelled'])
const PAUSE_MS = 100
const CALL_TIMEOUT_MS = 10_000
/** Of a request: long enough for every kill, short enough to wait for. */
const DEADLINE_MS = 90_000
const PATIENCE_MS = 240_000

export interface PayersOptions {
  readonly crew: readonly CrewMember[]
  readonly keyId: string
  readonly to: string
  readonly lines: number
  /** A number from 0 to below 1. */
  random(): number
}

/** One payment: what is asked for under one idempotency key, as often as it takes. */
export interface Payment {
  readonly idempotencyKey: string
  readonly requestId: string
  state: string
}

interface Answer {
  readonly status: number
  readonly body: { readonly requestId?: string; readonly state?: string }
}

/** Clients that ask whichever coordinator they happen to find, and ask again under the same idempotency key until one has answered. */
export class PersistentPayers {
  readonly acknowledged: Payment[] = []
  readonly #o: PayersOptions
  readonly #lines: readonly Promise<void>[]
  #isRunning = true
  #nonce = 0n

  constructor(options: PayersOptions) {
    this.#o = options
    this.#lines = Array.from({ length: options.lines }, () => this.#work())
  }

  /** Ends when what is asked for now is acknowledged. */
  async stop(): Promise<void> {
    this.#isRunning = false
    await Promise.all(this.#lines)
  }

  /** Waits until every acknowledged request is in its final state, at most PATIENCE_MS. @returns how many are. */
  async settle(): Promise<number> {
    const untilMs = performance.now() + PATIENCE_MS
    for (const payment of this.acknowledged) {
      while (!FINAL.has(payment.state) && performance.now() < untilMs) {
        const answer = await this.#call('GET', `/v1/signing-requests/${payment.requestId}?waitMs=5000`)
        if (answer?.status === 200) payment.state = answer.body.state ?? payment.state
        else await setTimeout(PAUSE_MS)
      }
    }
    return this.acknowledged.filter(({ state }) => FINAL.has(state)).length
  }

  async #work(): Promise<void> {
    while (this.#isRunning) {
      const nonce = this.#nonce++
      const idempotencyKey = `payment-${nonce}`
      const payload = { type: 'evm.tx', bytes: unsignedTransfer({ to: this.#o.to, valueWei: 1n, nonce }) }
      const payment = await this.#ask(idempotencyKey, { keyId: this.#o.keyId, payload, deadlineMs: DEADLINE_MS })
      this.acknowledged.push(payment)
      // As a platform does, it looks for the end, wherever; when nobody answers it goes on with the next one.
      const answer = await this.#call('GET', `/v1/signing-requests/${payment.requestId}?waitMs=3000`)
      if (answer?.status === 200) payment.state = answer.body.state ?? payment.state
    }
  }

  async #ask(idempotencyKey: string, body: unknown): Promise<Payment> {
    const untilMs = performance.now() + PATIENCE_MS
    while (performance.now() < untilMs) {
      const answer = await this.#call('POST', '/v1/signing-requests', { body, idempotencyKey })
      const { requestId, state = '' } = answer?.body ?? {}
      if (answer?.status === 201 && requestId !== undefined) return { idempotencyKey, requestId, state }
      if (answer !== undefined && answer.status < 500 && answer.status !== 429) {
        throw new Error(`a payment was refused: ${answer.status} ${JSON.stringify(answer.body)}`)
      }
      await setTimeout(PAUSE_MS)
    }
    throw new Error('no coordinator has taken a payment')
  }

  /** Undefined when nobody answered. */
  async #call(method: string, path: string, sent?: { body: unknown; idempotencyKey: string }): Promise<Answer | undefined> {
    const { crew, random } = this.#o
    const member = crew[Math.floor(random() * crew.length)] as CrewMember
    const headers = {
      authorization: `Bearer ${member.apiKey}`,
      ...(sent === undefined ? {} : { 'content-type': 'application/json', 'idempotency-key': sent.idempotencyKey }),
    }
    const body = sent === undefined ? {} : { body: JSON.stringify(sent.body) }
    try {
      const response = await fetch(member.url + path, { method, headers, ...body, signal: AbortSignal.timeout(CALL_TIMEOUT_MS) })
      return { status: response.status, body: (await response.json()) as Answer['body'] }
    } catch {
      // Killed, or not up yet.
      return undefined
    }
  }
}
