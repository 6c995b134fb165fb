import {
  ApiCallListBody,
  ApiCallsQuery,
  type ApiKeyBody,
  ApiKeyListBody,
  ApiKeyPath,
  ApiKeyBody as ApiKeySchema,
  ApiKeysQuery,
  CreateApiKeyBody,
  NewApiKeyBody,
  OVERLAP_MS_DEFAULT,
  RotateApiKeyBody,
} from './access-schemas.ts'
import { API_KEYS_MAX, type ApiKeyRecord, newSecret, secretHash } from './api-key-store.ts'
import type { Caller } from './api-keys.ts'
import { type App, callerOf, refuseOtherMethods } from './http-app.ts'
import { about } from './openapi.ts'
import { pageQuery } from './pages.ts'
import { ApiError } from './problem.ts'
import type { RouteContext } from './routes.ts'
import { BY_SCHEDULE } from './schedule.ts'
import { NoQuery } from './schemas.ts'

const iso = (ms: number) => new Date(ms).toISOString()
const isoOrNull = (ms: number | null) => (ms === null ? null : iso(ms))

function bodyOf({ name, tenant, role, createdBy, createdAtMs, oldUntilMs, revokedAtMs, lastUsedAtMs }: ApiKeyRecord): ApiKeyBody {
  const times = {
    createdAt: iso(createdAtMs),
    oldUntil: isoOrNull(oldUntilMs),
    revokedAt: isoOrNull(revokedAtMs),
    lastUsedAt: isoOrNull(lastUsedAtMs),
  }
  return { name, tenant, role, createdBy, ...times }
}

/** The tenant that is meant. @throws {ApiError} FORBIDDEN. */
function tenantOf(caller: Caller, asked: string | undefined): string {
  if (asked === undefined || asked === caller.tenant) return caller.tenant
  if (caller.isOperator) return asked
  throw new ApiError('FORBIDDEN', 'only the administrator of the settings may name another tenant')
}

function addNewKeyRoute(app: App, { apiKeys, callers, clock, random }: RouteContext): void {
  app.post(
    '/v1/api-keys',
    {
      config: { role: 'admin', problems: ['API_KEY_EXISTS', 'TOO_MANY'] },
      schema: {
        ...about('access', 'createApiKey', 'Make an API key; its secret is in the answer and nowhere else'),
        ...{ querystring: NoQuery, body: CreateApiKeyBody, response: { 201: NewApiKeyBody } },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request)
      const { name, role, tenant: asked } = request.body
      const tenant = tenantOf(caller, asked)
      if ((await apiKeys.count(tenant)) >= API_KEYS_MAX) throw new ApiError('TOO_MANY', `a tenant has at most ${API_KEYS_MAX} API keys`)
      const secret = newSecret(random)
      const dates = { createdAtMs: clock.nowMs(), oldUntilMs: null, revokedAtMs: null, lastUsedAtMs: null }
      const record: ApiKeyRecord = { name, tenant, role, createdBy: caller.name, ...dates }
      const isTaken = callers.isFixed(name) || name === BY_SCHEDULE || !(await apiKeys.add(record, secretHash(secret)))
      if (isTaken) throw new ApiError('API_KEY_EXISTS', `there is an API key ${name}, or there was: names are not used again`)
      return reply.code(201).send({ ...bodyOf(record), secret })
    },
  )
}

function addRotateRoute(app: App, { apiKeys, callers, clock, random }: RouteContext): void {
  const url = '/v1/api-keys/:name([a-z0-9-]+)::rotate'
  app.post(
    url,
    {
      config: { role: 'admin', problems: ['API_KEY_NOT_FOUND', 'API_KEY_ENDED', 'API_KEY_FIXED'] },
      schema: {
        ...about('access', 'rotateApiKey', 'Give an API key a new secret; the one before is taken for a while'),
        ...{ params: ApiKeyPath, querystring: NoQuery, body: RotateApiKeyBody, response: { 200: NewApiKeyBody } },
      },
    },
    async (request) => {
      const { name } = request.params
      const { tenant } = callerOf(request)
      const secret = newSecret(random)
      const oldUntilMs = clock.nowMs() + (request.body?.overlapMs ?? OVERLAP_MS_DEFAULT)
      const record = await apiKeys.rotate(tenant, name, { hash: secretHash(secret), oldUntilMs })
      callers.forget()
      if (record !== undefined) return { ...bodyOf(record), secret }
      if ((await apiKeys.get(tenant, name)) !== undefined) throw new ApiError('API_KEY_ENDED', `the API key ${name} is revoked`)
      throw missing(callers.isFixed(name))
    },
  )
  refuseOtherMethods(app, url, ['POST'])
}

function missing(isFixed: boolean): ApiError {
  return isFixed
    ? new ApiError('API_KEY_FIXED', 'this API key is in the settings of the coordinator: change it there')
    : new ApiError('API_KEY_NOT_FOUND', 'no such API key')
}

function addCallsRoute(app: App, { callLog }: RouteContext): void {
  app.get(
    '/v1/api-calls',
    {
      config: { role: 'admin', problems: ['BAD_CURSOR'] },
      schema: {
        ...about('access', 'listApiCalls', 'Who has called what, and how it ended, newest first'),
        ...{ querystring: ApiCallsQuery, response: { 200: ApiCallListBody } },
      },
    },
    async (request) => {
      const { caller, fromMs, toMs, ...page } = request.query
      const { tenant, isOperator } = callerOf(request)
      const filter = { caller, fromMs, toMs, strangers: isOperator }
      const { items, nextCursor } = await callLog.list(tenant, pageQuery(page), filter)
      return {
        items: items.map(({ atMs, tenant: _, httpRequestId, ...c }) => ({ ...c, at: iso(atMs), requestId: httpRequestId })),
        nextCursor,
      }
    },
  )
  refuseOtherMethods(app, '/v1/api-calls', ['GET'])
}

/** `/v1/api-keys` and `/v1/api-calls`. */
export function addApiKeyRoutes(app: App, ctx: RouteContext): void {
  const { apiKeys, callers, clock } = ctx
  addNewKeyRoute(app, ctx)
  app.get(
    '/v1/api-keys',
    {
      config: { role: 'admin', problems: ['BAD_CURSOR'] },
      schema: {
        ...about('access', 'listApiKeys', 'API keys of the tenant, newest first, revoked ones too'),
        ...{ querystring: ApiKeysQuery, response: { 200: ApiKeyListBody } },
      },
    },
    async (request) => {
      const { tenant, ...page } = request.query
      const { items, nextCursor } = await apiKeys.list(tenantOf(callerOf(request), tenant), pageQuery(page))
      return { items: items.map(bodyOf), nextCursor }
    },
  )
  refuseOtherMethods(app, '/v1/api-keys', ['GET', 'POST'])
  const one = '/v1/api-keys/:name'
  app.get(
    one,
    {
      config: { role: 'admin', problems: ['API_KEY_NOT_FOUND', 'API_KEY_FIXED'] },
      schema: { ...about('access', 'getApiKey', 'One API key'), params: ApiKeyPath, querystring: NoQuery, response: { 200: ApiKeySchema } },
    },
    async (request) => {
      const record = await apiKeys.get(callerOf(request).tenant, request.params.name)
      if (record === undefined) throw missing(callers.isFixed(request.params.name))
      return bodyOf(record)
    },
  )
  app.delete(
    one,
    {
      config: { role: 'admin', problems: ['API_KEY_NOT_FOUND', 'API_KEY_FIXED'] },
      schema: {
        ...about('access', 'revokeApiKey', 'Take an API key back, for ever: at once here, within seconds at other replicas'),
        ...{ params: ApiKeyPath, querystring: NoQuery, response: { 200: ApiKeySchema } },
      },
    },
    async (request) => {
      const record = await apiKeys.revoke(callerOf(request).tenant, request.params.name, clock.nowMs())
      callers.forget()
      if (record === undefined) throw missing(callers.isFixed(request.params.name))
      return bodyOf(record)
    },
  )
  refuseOtherMethods(app, one, ['GET', 'DELETE'])
  addRotateRoute(app, ctx)
  addCallsRoute(app, ctx)
}
