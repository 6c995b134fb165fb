import type { Clock } from '@conclave/core'
import type { Logger } from 'pino'
import type { Database } from '../database/database.ts'
import type { Notices } from '../notices.ts'
import type { CoordinatorSettings } from '../settings.ts'
import { EventStreams } from './event-stream.ts'

export interface TellingOptions {
  readonly database: Database
  readonly settings: CoordinatorSettings
  readonly notices: Notices
  readonly clock: Clock
  readonly logger: Logger
  readonly stopping: AbortSignal
}

/** All that tells of events. It ends with `startup`. @throws {StoreError}. */
export async function openTelling({ database, settings, notices, clock, stopping }: TellingOptions, startup: AsyncDisposableStack) {
  const streams = new EventStreams({ database, notices, clock, stopping, streamsPerKey: settings.events.streamsPerKey })
  await streams.store.adopt()
  startup.defer(() => streams.close())
  return { streams }
}
