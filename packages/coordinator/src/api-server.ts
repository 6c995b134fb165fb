import { ConfigError } from '@conclave/core'
import type { Logger } from 'pino'
import { ApiKeyStore } from './api-key-store.ts'
import { Callers } from './api-keys.ts'
import { CallLog } from './call-log.ts'
import { ChildKeyStore } from './child-key-store.ts'
import { createApp } from './http-app.ts'
import { KeyLives } from './key-lives.ts'
import { addOpenApi } from './openapi.ts'
import { addRoutes, type RouteContext } from './routes.ts'
import { type CoordinatorSettings, parseListen } from './settings.ts'

export interface ApiParts extends Omit<RouteContext, 'apiKeys' | 'callers' | 'callLog' | 'lives' | 'signing' | 'children'> {
  readonly logger: Logger
}

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
  const { database, clock, logger, random, lock, view } = parts
  const apiKeys = new ApiKeyStore(database)
  const callers = new Callers({ settings: api.keys, store: apiKeys, clock, logger })
  const callLog = new CallLog(database, logger)
  startup.defer(() => callLog.flush())
  const app = createApp({ callers, calls: callLog, bodyBytesMax: http.bodyBytesMax, rate: http.rate, clock, logger, random })
  await addOpenApi(app)
  addRoutes(app, { ...parts, apiKeys, callers, callLog, lives: new KeyLives(lock, view), children: new ChildKeyStore(database), signing })
  startup.defer(async () => {
    stop()
    await app.close()
  })
  return await app.listen(parseListen(http.listen)).catch((cause) => {
    throw new ConfigError('LISTEN_FAILED', `cannot listen on ${http.listen}`, {}, cause)
  })
}
