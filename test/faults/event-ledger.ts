import { ConclaveClient, type ConclaveEvent, verifyWebhook } from '@conclave/client'
import { Receiver } from '@conclave/coordinator/testing'
import { until } from '@conclave/testnet'
import type { CrewMember } from './coordinator-crew.ts'

const ENDS = (['signed', 'denied', 'rejected', 'expired', 'failed', 'cancelled'] as const).map(
  (state) => `signing_request.${state}` as const,
)
const PATIENCE_MS = 120_000
/** One of so many is refused, so that it has to come again. */
const REFUSED_EVERY = 5

/** What a platform writes down of the webhooks that it is sent: the ends of requests. */
export class EventLedger implements AsyncDisposable {
  readonly #receiver: Receiver
  readonly #ended = new Set<string>()
  #count = 0

  private constructor(receiver: Receiver) {
    this.#receiver = receiver
  }

  static async open({ url, apiKey }: Pick<CrewMember, 'url' | 'apiKey'>): Promise<EventLedger> {
    const receiver = await Receiver.start()
    const ledger = new EventLedger(receiver)
    const { secret } = await new ConclaveClient({ url, apiKey }).webhooks.create({ url: receiver.url, types: ENDS })
    receiver.answer = (response, { headers, body }) => {
      const isRefused = ++ledger.#count % REFUSED_EVERY === 0
      if (!isRefused) ledger.#note(verifyWebhook(headers, body, secret))
      response.writeHead(isRefused ? 503 : 204).end()
    }
    return ledger
  }

  /** How many of these requests it is not told the end of, however long it waits. */
  async missing(requests: readonly { readonly requestId: string }[]): Promise<number> {
    const missing = () => requests.filter(({ requestId }) => !this.#ended.has(requestId)).length
    await until(async () => missing() === 0, { timeoutMs: PATIENCE_MS, what: 'webhooks' }).catch(() => undefined)
    return missing()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#receiver[Symbol.asyncDispose]()
  }

  #note({ subject }: ConclaveEvent): void {
    this.#ended.add(subject)
  }
}
