import { type Clock, codeOf, messageOf, type Random } from '@conclave/core'
import type { Logger } from 'pino'
import type { Admission } from './admission.ts'
import { freshOperationId } from './key-creation.ts'
import type { KeyDirectory } from './key-directory.ts'
import type { KeyDriver } from './key-driver.ts'
import type { KeyNotes } from './key-notes.ts'
import type { Records } from './record-store.ts'
import type { KeyRecord, OperationRecord } from './records.ts'
import type { Replica } from './replica.ts'
import { BY_SCHEDULE, type Schedules } from './schedule.ts'
import { waitForAny } from './wait.ts'

/** Longest time between two looks: a timer of the platform overflows after 24 days. */
const LOOK_MAX_MS = 3_600_000
const RETRY_MS = 60_000

export interface SchedulerOptions {
  readonly records: Records
  readonly admission: Admission
  readonly directory: KeyDirectory
  readonly driver: KeyDriver
  readonly schedules: Schedules
  readonly keyNotes: Pick<KeyNotes, 'tenantOf'>
  readonly replica: Pick<Replica, 'isKeeper'>
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly stopping: AbortSignal
}

/** A refresh of a key as it is known now. */
export function refreshOf(key: KeyRecord, by: { requestedBy: string; tenant: string; random: Random; clock: Clock }): OperationRecord {
  const { keyId, threshold, parties } = key
  return {
    ...{ operationId: freshOperationId(by.random), kind: 'key.refresh', keyId, requestedBy: by.requestedBy, tenant: by.tenant },
    ...{ threshold, parties, state: 'pending', epochs: null, createdAtMs: by.clock.nowMs(), endedAtMs: null, error: null },
  }
}

/**
 * Refreshes keys when they are due, one at a time over all keys, for as long as the signal allows. One coordinator of several does. Never
 * rejects.
 *
 * What fell due while the coordinator was down is done once at the start; the driver gives the links time to come up.
 */
export async function runSchedules(options: SchedulerOptions): Promise<void> {
  const { driver, schedules, replica, clock, logger, stopping } = options
  while (!stopping.aborted) {
    let ms = LOOK_MAX_MS
    try {
      if (replica.isKeeper && !driver.isOpenFor(BY_SCHEDULE))
        ms = Math.min(LOOK_MAX_MS, await options.admission.alone(() => beginDue(options)))
    } catch (error) {
      // Mostly a full disk.
      logger.error({ code: codeOf(error), reason: messageOf(error) }, 'cannot begin a scheduled refresh')
      ms = RETRY_MS
    }
    await waitForAny({ clock, signal: stopping, ms, pulses: [driver.ended, driver.kept, schedules.changed] })
  }
}

/** Begins the refresh that is most overdue. @returns how long there is nothing more to do, unless something ends or changes. */
async function beginDue(options: SchedulerOptions): Promise<number> {
  const { records, directory, driver, schedules, clock } = options
  for (const { keyId, atMs } of schedules.dueTimes()) {
    const waitMs = atMs - clock.nowMs()
    if (waitMs > 0) return waitMs
    const key = directory.get(keyId)
    // A key that is being renewed anyway is looked at again when that has ended.
    if (key === undefined || driver.busyWith(keyId) !== undefined) continue
    const record = refreshOf(key, { ...options, requestedBy: BY_SCHEDULE, tenant: await options.keyNotes.tenantOf(keyId) })
    await records.addOperation(record)
    await driver.submit(record)
    return LOOK_MAX_MS
  }
  return LOOK_MAX_MS
}
