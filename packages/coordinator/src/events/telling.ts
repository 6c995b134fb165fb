import { codeOf, type Random } from '@conclave/core'
import type { Notices } from '../notices.ts'
import type { CoordinatorSettings } from '../settings.ts'
import { waitForAny } from '../wait.ts'
import { DeliveryStore } from '../webhooks/delivery-store.ts'
import { Reachable } from '../webhooks/reachable.ts'
import { WebhookSender } from '../webhooks/webhook-sender.ts'
import { WebhookStore } from '../webhooks/webhook-store.ts'
import { EventStreams } from './event-stream.ts'
import { Observer, type ObserverOptions } from './observer.ts'

const TRIM_EVERY_MS = 3_600_000

export interface TellingOptions extends ObserverOptions {
  readonly settings: CoordinatorSettings
  readonly notices: Notices
  readonly random: Random
}

/** What tells of events. */
export interface Telling {
  readonly streams: EventStreams
  readonly webhooks: {
    readonly store: WebhookStore
    readonly deliveries: DeliveryStore
    readonly reachable: Reachable
    readonly allowHttp: boolean
  }
}

/** Begins to tell of events, until `stopping`; `startup` waits for the end of it. @throws {StoreError}. */
export async function openTelling(options: TellingOptions, startup: AsyncDisposableStack): Promise<Telling> {
  const { database, settings, notices, clock, stopping } = options
  const { networks, allowHttp, ...sending } = settings.webhooks
  const streams = new EventStreams({ database, notices, clock, stopping, streamsPerKey: settings.events.streamsPerKey })
  await streams.store.adopt()
  const webhooks = {
    store: new WebhookStore(database),
    deliveries: new DeliveryStore(database),
    reachable: new Reachable(networks),
    allowHttp,
  }
  const sender = new WebhookSender({ ...options, ...webhooks, ...sending })
  const background = [sender.run(), new Observer(options).run(), trim(streams, options)]
  startup.defer(async () => {
    streams.close()
    await Promise.all(background)
  })
  return { streams, webhooks }
}

async function trim({ store }: EventStreams, { settings, clock, stopping, logger }: TellingOptions): Promise<void> {
  while (!stopping.aborted) {
    await store.trim(settings.events.keepDays).catch((error) => logger.warn({ code: codeOf(error) }, 'cannot forget old events'))
    await waitForAny({ clock, ms: TRIM_EVERY_MS, signal: stopping, pulses: [] })
  }
}
