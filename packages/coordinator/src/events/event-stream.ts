import { type Clock, systemClock } from '@conclave/core'
import type { Database } from '../database/database.ts'
import { LOOK_MS, type Notices } from '../notices.ts'
import { ApiError } from '../problem.ts'
import { Pulse, waitForAny } from '../wait.ts'
import { eventText } from './event-body.ts'
import { type EventFilter, type EventPlace, EventStore } from './event-store.ts'

/** Something is said this often, so that both ends know of a broken connection. */
export const HEARTBEAT_MS = 15_000
/** Read and held for one client at a time. */
const PAGE = 100
/** Transactions last milliseconds. Real time: the database does not wait for a test's clock. */
const SETTLE_MS = 20

export interface StreamOptions {
  readonly caller: string
  readonly filter: EventFilter
  readonly after: EventPlace
  /** The client is gone. */
  readonly signal: AbortSignal
  /** After which event the stream ends. */
  readonly isLast?: (type: string) => boolean
  /** Asked whenever everything has been told: whether nothing can follow. */
  readonly isOver?: () => Promise<boolean>
}

export interface EventStreamsOptions {
  readonly database: Database
  readonly notices: Notices
  readonly clock: Clock
  readonly stopping: AbortSignal
  readonly streamsPerKey: number
}

/** Streams of events to clients, in the text of server-sent events. */
export class EventStreams {
  readonly store: EventStore
  readonly #o: EventStreamsOptions
  readonly #news = new Pulse()
  readonly #open = new Map<string, number>()
  readonly #closing = new AbortController()

  constructor(options: EventStreamsOptions) {
    this.#o = options
    this.store = new EventStore(options.database)
    options.notices.on('event', () => this.#news.fire())
  }

  /** Ends every stream: clients come back, to a coordinator that does not stop. */
  close(): void {
    this.#closing.abort()
  }

  /**
   * The texts of a stream; each is asked for when the one before has gone out, so that a slow client costs one page.
   *
   * @throws {ApiError} TOO_MANY_STREAMS, DRAINING.
   */
  open(options: StreamOptions): AsyncGenerator<string, void> {
    const { caller } = options
    if (this.#closing.signal.aborted) throw new ApiError('DRAINING', 'the coordinator is stopping')
    const open = this.#open.get(caller) ?? 0
    if (open >= this.#o.streamsPerKey) {
      throw new ApiError('TOO_MANY_STREAMS', `this API key has ${open} streams open: close one of them`)
    }
    this.#open.set(caller, open + 1)
    options.signal.addEventListener('abort', () => this.#left(caller), { once: true })
    return this.#texts(options)
  }

  #left(caller: string): void {
    const open = (this.#open.get(caller) ?? 1) - 1
    if (open === 0) this.#open.delete(caller)
    else this.#open.set(caller, open)
  }

  async *#texts({ filter, after, signal, isLast, isOver }: StreamOptions): AsyncGenerator<string, void> {
    const { clock, stopping } = this.#o
    const until = AbortSignal.any([signal, stopping, this.#closing.signal])
    let place = after
    let saidAtMs = clock.nowMs()
    // At once, so that the client knows that it is connected.
    yield ': connected\n\n'
    while (!until.aborted) {
      let hasNews = false
      const end = this.#news.subscribe(() => {
        hasNews = true
      })
      const wasOver = await isOver?.()
      const { events, next, isWaiting } = await this.store.page(filter, place, PAGE)
      end()
      place = next
      for (const event of events) {
        yield `id: ${event.eventId}\nevent: ${event.type}\ndata: ${eventText(event)}\n\n`
        saidAtMs = clock.nowMs()
        if (isLast?.(event.type)) return
      }
      if (events.length > 0 || hasNews) continue
      if (isWaiting) {
        await waitForAny({ clock: systemClock, ms: SETTLE_MS, signal: until, pulses: [this.#news] })
        continue
      }
      if (wasOver) return
      const quietMs = saidAtMs + HEARTBEAT_MS - clock.nowMs()
      if (quietMs <= 0) {
        yield ':\n\n'
        saidAtMs = clock.nowMs()
      } else await waitForAny({ clock, ms: Math.min(quietMs, LOOK_MS), signal: until, pulses: [this.#news] })
    }
  }
}
