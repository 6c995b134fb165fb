import { ConfigError, systemClock } from '@conclave/core'
import type { Tracer } from '@conclave/telemetry'
import type { Logger } from 'pino'
import { ApiKeyStore } from './api-key-store.ts'
import { Callers } from './api-keys.ts'
import { CallLog } from './call-log.ts'
import { ChildKeyStore } from './child-key-store.ts'
import { Exchanges } from './exchanges.ts'
import { createApp } from './http-app.ts'
import { KeyLives } from './key-lives.ts'
import { addOpenApi } from './openapi.ts'
import { addRoutes, type RouteContext } from './routes.ts'
import { type CoordinatorSettings, parseListen } from './settings.ts'

export interface ApiParts extends Omit<RouteContext, 'apiKeys' | 'callers' | 'callLog' | 'lives' | 'signing' | 'children'> {
  readonly logger: Logger
  readonly tracer: Tracer
}

/** After the long polls were ended, how long their answers have to go out. */
const LAST_ANSWERS_MS = 1_000

/**
 * Listens for calls of the API until `startup` is disposed of.
 *
 * @param stop - ends long polls: without it closing would wait for them.
 * @returns its URL. @throws {ConfigError} LISTEN_FAILED.
 */
export async function startApi(
  parts: ApiParts,
  { api, http, signing }: CoordinatorSettings,
  startup: AsyncDisposableStack,
  stop: () => void,
): Promise<string> {
  const { database, clock, logger, random, lock, view, metrics, tracer } = parts
  const exchanges = new Exchanges()
  const apiKeys = new ApiKeyStore(database)
  const callers = new Callers({ settings: api.keys, store: apiKeys, clock, logger })
  const callLog = new CallLog(database, logger)
  startup.defer(() => callLog.flush())
  const { bodyBytesMax, rate } = http
  const app = createApp({ callers, calls: callLog, bodyBytesMax, rate, clock, logger, random, metrics, tracer, exchanges })
  await addOpenApi(app)
  addRoutes(app, { ...parts, apiKeys, callers, callLog, lives: new KeyLives(lock, view), children: new ChildKeyStore(database), signing })
  startup.defer(async () => {
    stop()
    await exchanges.settled(systemClock, LAST_ANSWERS_MS)
    await app.close()
  })
  return await app.listen(parseListen(http.listen)).catch((cause) => {
    throw new ConfigError('LISTEN_FAILED', `cannot listen on ${http.listen}`, {}, cause)
  })
}
