import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Clock, type Random, toHex } from '@conclave/core'
import { NO_SPAN, type Span, type Tracer } from '@conclave/telemetry'
import { type TypeBoxTypeProvider, TypeBoxValidatorCompiler } from '@fastify/type-provider-typebox'
import {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  fastify,
  type HTTPMethods,
  LogController,
  type RawServerDefault,
} from 'fastify'
import type { Logger } from 'pino'
import { allows, type Caller, type Callers } from './api-keys.ts'
import type { CallLog } from './call-log.ts'
import type { CoordinatorMetrics } from './coordinator-metrics.ts'
import type { Exchanges } from './exchanges.ts'
import { answerBrokenHttp, sendProblem } from './http-errors.ts'
import { checkJson, decodeText } from './json-body.ts'
import { ApiError } from './problem.ts'
import { type Rate, RateLimit } from './rate-limit.ts'
import type { ApiRole } from './settings.ts'
import { OVER } from './wait.ts'

export type App = FastifyInstance<RawServerDefault, IncomingMessage, ServerResponse, FastifyBaseLogger, TypeBoxTypeProvider>

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The least role that may call the route; `nobody` means that no key is needed. */
    role?: ApiRole | 'nobody'
    /** Of a caller's allowance of calls; 1 unless it says otherwise, 0 for none. */
    cost?: number
  }
}

export interface AppOptions {
  readonly callers: Callers
  readonly calls: CallLog
  readonly bodyBytesMax: number
  readonly rate: Rate
  readonly clock: Clock
  readonly logger: Logger
  readonly random: Random
  readonly metrics: CoordinatorMetrics
  readonly tracer: Tracer
  readonly exchanges: Exchanges
}

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const satisfies readonly HTTPMethods[]
const RATE_LIMITED_STATUS = 429
const HEADERS_TIMEOUT_MS = 30_000

const callers = new WeakMap<FastifyRequest, Caller>()

/** Who sent this request; only for routes that need a role. */
export function callerOf(request: FastifyRequest): Caller {
  const caller = callers.get(request)
  if (caller === undefined) throw new ApiError('UNAUTHENTICATED', 'a valid API key is required')
  return caller
}

const spans = new WeakMap<FastifyRequest, Span>()

/** Of the exchange that this request began. */
export function spanOf(request: FastifyRequest): Span {
  return spans.get(request) ?? NO_SPAN
}

/** Aborts when the caller hangs up (or has its answer), so that nobody waits on for it. */
export function hangUp(reply: FastifyReply): AbortSignal {
  const controller = new AbortController()
  reply.raw.once('close', () => controller.abort(OVER))
  return controller.signal
}

/** Every method that a path does not have answers 405 and says which it has. Call once per path, after its routes. */
export function refuseOtherMethods(app: App, url: string, allowed: readonly HTTPMethods[]): void {
  const others = METHODS.filter((m) => !allowed.includes(m))
  app.route({
    method: others,
    url,
    config: { role: 'viewer' },
    schema: { hide: true },
    // Before the body is even read.
    onRequest: async (_, reply) => {
      reply.header('allow', allowed.join(', '))
      throw new ApiError('METHOD_NOT_ALLOWED', `this path has ${allowed.join(' and ')}`)
    },
    handler: () => undefined,
  })
}

/** Addresses without a valid key, the last ones. */
const ADDRESSES_MAX = 10_000
const CALLERS_MAX = 100_000

function guard(app: App, { callers: known, rate, clock }: AppOptions): void {
  const strangers = new RateLimit(rate, clock, ADDRESSES_MAX)
  const members = new RateLimit(rate, clock, CALLERS_MAX)
  app.addHook('onRequest', async (request) => {
    // A route that forgot to say its role is closed to all but admins; so are paths that do not exist, to callers without a key.
    const role = request.is404 ? 'viewer' : (request.routeOptions.config.role ?? 'admin')
    const cost = request.routeOptions.config.cost ?? 1
    const caller = role === 'nobody' ? undefined : await known.find(request.headers.authorization)
    // Who has a key does not share an allowance with those who guess at one behind the same address.
    if (caller === undefined) strangers.take(request.ip, cost)
    else {
      // Also when it may not do this, or not so often.
      callers.set(request, caller)
      members.take(caller.name, cost)
    }
    if (role === 'nobody') return
    if (caller === undefined) throw new ApiError('UNAUTHENTICATED', 'send Authorization: Bearer and an API key that this coordinator knows')
    if (!allows(caller, role)) throw new ApiError('FORBIDDEN', `role ${caller.role} does not allow this: ${role} is needed`)
  })
}

/** Counts and measures every exchange, and hangs its span below that of the caller. */
function observe(app: App, { metrics, tracer, exchanges }: AppOptions): void {
  exchanges.count(app)
  app.addHook('onRequest', async (request) => {
    const { method, routeOptions, headers } = request
    const parent = typeof headers.traceparent === 'string' ? headers.traceparent : undefined
    spans.set(request, tracer.begin(`${method} ${routeOptions.url ?? 'none'}`, parent, { 'http.request.method': method }))
  })
  app.addHook('onResponse', async (request, reply) => {
    const { method, routeOptions } = request
    const { statusCode: status, elapsedTime } = reply
    metrics.exchanged({ method, route: routeOptions.url, status, seconds: elapsedTime / 1000 })
    const span = spanOf(request)
    span.set({ 'http.response.status_code': status })
    span.end(status >= 500 ? String(status) : undefined)
  })
}

const OTHER_CHARSET = /;\s*charset=(?!"?utf-8"?\s*(;|$))/i

/** JSON in UTF-8 is the only body there is. */
function takeStrictJson(app: App): void {
  const parse = app.getDefaultJsonParser('error', 'error')
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, async (request: FastifyRequest, bytes: Buffer) => {
    const { 'content-type': type = '', 'content-encoding': encoding = 'identity' } = request.headers
    if (OTHER_CHARSET.test(type)) throw new ApiError('UNSUPPORTED_MEDIA_TYPE', 'send the body in UTF-8')
    if (encoding !== 'identity') throw new ApiError('UNSUPPORTED_MEDIA_TYPE', 'send the body as it is, not compressed')
    const text = decodeText(bytes)
    const value = await new Promise((resolve, reject) => {
      parse(request, text, (error, parsed) => (error === null ? resolve(parsed) : reject(error)))
    })
    checkJson(text, value)
    return value
  })
}

/** One line for each call, and a row of the call log. */
function tellCalls(app: App, { calls, clock }: AppOptions): void {
  app.addHook('onResponse', async (request, reply) => {
    const { method, routeOptions } = request
    const ms = Math.round(reply.elapsedTime)
    const caller = callers.get(request)
    const { statusCode: status } = reply
    const route = routeOptions.url ?? null
    request.log.info({ method, route, status, ms, caller: caller?.name }, 'http')
    // Nothing of what is refused for its number, or asks for nothing of anybody: who may call often could fill the disk.
    if (status === RATE_LIMITED_STATUS || routeOptions.config.role === 'nobody') return
    const who = { tenant: caller?.tenant ?? null, caller: caller?.name ?? null }
    calls.add({ atMs: clock.nowMs(), ...who, method, route, status, durationMs: ms, httpRequestId: request.id })
  })
}

/** A database takes no such text, and no id has it. */
function hasOddText(fields: unknown): boolean {
  return Object.values((fields ?? {}) as object)
    .flat()
    .some((text) => typeof text === 'string' && (text.includes('\0') || !text.isWellFormed()))
}

/** The HTTP server without its routes: limits, authentication, strict validation, problems, one log line per exchange. */
export function createApp(options: AppOptions): App {
  const { bodyBytesMax, logger, random } = options
  const app: App = fastify({
    loggerInstance: logger as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: bodyBytesMax,
    requestTimeout: HEADERS_TIMEOUT_MS,
    forceCloseConnections: true,
    // Ours, never the caller's: it goes into logs and problems.
    requestIdHeader: false,
    genReqId: () => toHex(random.bytes(8)),
    frameworkErrors: (error, request, reply) => void sendProblem(request, reply, error),
    clientErrorHandler: answerBrokenHttp,
  }).withTypeProvider<TypeBoxTypeProvider>()
  takeStrictJson(app)
  app.setValidatorCompiler(TypeBoxValidatorCompiler)
  app.setSerializerCompiler(() => JSON.stringify)
  app.setErrorHandler((error, request, reply) => sendProblem(request, reply, error))
  app.setNotFoundHandler((request, reply) => sendProblem(request, reply, new ApiError('ROUTE_NOT_FOUND', 'no such route')))
  observe(app, options)
  guard(app, options)
  app.addHook('preValidation', async ({ params, query, routeOptions }) => {
    if (hasOddText(params)) throw new ApiError('BAD_PATH', 'path: a text that is not Unicode, or a NUL in it')
    if (routeOptions.schema?.querystring !== undefined && hasOddText(query))
      throw new ApiError('BAD_QUERY', 'query: a text that is not Unicode, or a NUL in it')
  })
  app.addHook('onSend', async (request, reply) => {
    reply.header('x-request-id', request.id).header('cache-control', 'no-store').header('x-content-type-options', 'nosniff')
  })
  tellCalls(app, options)
  return app
}
