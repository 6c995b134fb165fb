import { type Clock, codeOf, messageOf, type Random } from '@conclave/core'
import type { Logger } from 'pino'
import { eventText } from '../events/event-body.ts'
import { LOOK_MS, type Notices } from '../notices.ts'
import { Pulse, waitForAny } from '../wait.ts'
import type { Claimed, DeliveryStore } from './delivery-store.ts'
import type { Reachable } from './reachable.ts'
import { type Posted, post } from './webhook-post.ts'
import { webhookHeaders } from './webhook-signature.ts'

/** Attempts to one webhook at a time, begun in one go: one that is slow leaves room for the others. */
const PER_WEBHOOK = 4
/** Longer than an attempt, so that nobody begins the next one while it is under way. */
const LEASE_MARGIN_MS = 30_000
const DAY_MS = 86_400_000

export interface WebhookSenderOptions {
  readonly deliveries: DeliveryStore
  readonly reachable: Reachable
  readonly notices: Notices
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly stopping: AbortSignal
  readonly timeoutMs: number
  readonly parallel: number
  /** Before each attempt after the first. */
  readonly retryAfterMs: readonly number[]
  readonly disableAfterDays: number
}

/** Delivers what is due, of whichever coordinator it came from. */
export class WebhookSender {
  readonly #o: WebhookSenderOptions
  readonly #wanted = new Pulse()
  /** Under way, by webhook. */
  readonly #byWebhook = new Map<string, number>()
  readonly #running = new Set<Promise<void>>()

  constructor(options: WebhookSenderOptions) {
    this.#o = options
  }

  /** Until the coordinator stops, and everything that was begun has ended. Never rejects. */
  async run(): Promise<void> {
    const { clock, stopping, logger, notices } = this.#o
    let hasNews = false
    notices.on('event', () => {
      hasNews = true
      this.#wanted.fire()
    })
    while (!stopping.aborted) {
      let ms = LOOK_MS
      hasNews = false
      try {
        ms = await this.#beginDue()
      } catch (error) {
        logger.warn({ code: codeOf(error), reason: messageOf(error) }, 'cannot look for deliveries')
      }
      if (ms > 0 && !hasNews) await waitForAny({ clock, signal: stopping, ms, pulses: [this.#wanted] })
    }
    await Promise.all(this.#running)
  }

  /** @returns how long there is nothing to begin; 0 when there may be more. @throws {StoreError}. */
  async #beginDue(): Promise<number> {
    const { clock, deliveries, parallel, timeoutMs } = this.#o
    const limit = Math.min(PER_WEBHOOK, parallel - this.#running.size)
    // The end of one is news.
    if (limit <= 0) return LOOK_MS
    const nowMs = clock.nowMs()
    const except = [...this.#byWebhook].filter(([, count]) => count >= PER_WEBHOOK).map(([webhookId]) => webhookId)
    const claimed = await deliveries.claim({ limit, nowMs, leaseUntilMs: nowMs + timeoutMs + LEASE_MARGIN_MS, except })
    for (const delivery of claimed) this.#begin(delivery)
    if (claimed.length > 0) return 0
    const nextAtMs = await deliveries.nextAtMs(except)
    // What is due already is in the hands of another coordinator at this moment.
    return nextAtMs === undefined || nextAtMs <= nowMs ? LOOK_MS : Math.min(LOOK_MS, nextAtMs - nowMs)
  }

  #begin(delivery: Claimed): void {
    const { webhookId } = delivery
    this.#byWebhook.set(webhookId, (this.#byWebhook.get(webhookId) ?? 0) + 1)
    const running = this.#deliver(delivery).finally(() => {
      this.#running.delete(running)
      const left = (this.#byWebhook.get(webhookId) ?? 1) - 1
      if (left === 0) this.#byWebhook.delete(webhookId)
      else this.#byWebhook.set(webhookId, left)
      this.#wanted.fire()
    })
    this.#running.add(running)
  }

  async #deliver(delivery: Claimed): Promise<void> {
    const { clock, reachable, timeoutMs, stopping, logger } = this.#o
    const body = eventText(delivery.event)
    const headers = webhookHeaders({ id: delivery.event.eventId, atMs: clock.nowMs(), body }, delivery.secrets)
    const posted = await post({ url: delivery.url, body, headers, reachable, timeoutMs, signal: stopping })
    try {
      await this.#settle(delivery, posted)
    } catch (error) {
      // It is attempted again when the lease has ended.
      logger.warn({ delivery: delivery.deliveryId, code: codeOf(error) }, 'cannot write what became of a delivery')
    }
  }

  async #settle(delivery: Claimed, { status, code }: Posted): Promise<void> {
    const { clock, deliveries, disableAfterDays, logger } = this.#o
    const nowMs = clock.nowMs()
    const { deliveryId, webhookId, attempt } = delivery
    if (code === 'STOPPED') return await deliveries.release(delivery, nowMs)
    const isGone = code === 'GONE'
    const delayMs = isGone ? undefined : this.#delayMs(attempt)
    const disable =
      code === null
        ? undefined
        : isGone
          ? { code, failingSinceMs: nowMs }
          : { code: 'FAILING', failingSinceMs: nowMs - disableAfterDays * DAY_MS }
    await deliveries.settle(delivery, { status, code, nowMs, nextAtMs: delayMs === undefined ? null : nowMs + delayMs, disable })
    if (code !== null) logger.info({ webhook: webhookId, delivery: deliveryId, attempt, status, code }, 'delivery failed')
  }

  /** Half of the delay and a random part of the other half, so that what failed together does not come again together. */
  #delayMs(attempt: number): number | undefined {
    const { retryAfterMs, random } = this.#o
    const delayMs = retryAfterMs[attempt - 1]
    if (delayMs === undefined) return undefined
    const [part = 0] = random.bytes(1)
    return Math.ceil((delayMs * (1 + part / 255)) / 2)
  }
}
