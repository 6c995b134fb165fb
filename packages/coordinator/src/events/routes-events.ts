import { Readable } from 'node:stream'
import type { Clock } from '@conclave/core'
import type { FastifyReply } from 'fastify'
import { Type } from 'typebox'
import { type App, callerOf, hangUp, refuseOtherMethods } from '../http-app.ts'
import { about } from '../openapi.ts'
import { ApiError } from '../problem.ts'
import { isOver } from '../records.ts'
import type { RouteContext } from '../routes.ts'
import { closed, NoQuery, SigningPath } from '../schemas.ts'
import { ownRequest } from '../tenancy.ts'
import { type EventPlace, FIRST_PLACE } from './event-store.ts'
import { EVENT_FILTERS, isLastOfRequest } from './event-types.ts'

/** A client that takes nothing for so long is dropped: it comes back, and goes on where it was. */
export const STALLED_MS = 60_000
const TYPE = 'text/event-stream'
const TYPES_MAX = 32

const LastEvent = Type.Object({
  'last-event-id': Type.Optional(Type.String({ maxLength: 64, description: 'Goes on after this event' })),
})
const EventsQuery = Type.Object(
  {
    type: Type.Optional(
      Type.Union([Type.Enum([...EVENT_FILTERS]), Type.Array(Type.Enum([...EVENT_FILTERS]), { maxItems: TYPES_MAX })], {
        description: 'A type, or `signing_request.*`; may be given several times',
      }),
    ),
    keyId: Type.Optional(Type.String({ maxLength: 64 })),
    from: Type.Optional(Type.Enum(['now', 'oldest'], { description: 'Where it begins without Last-Event-ID; `now` without this' })),
  },
  closed,
)
const described = { content: { [TYPE]: { schema: Type.String({ description: 'Each event has an id, its type, and an Event as data' }) } } }

/** Drops the client when a text does not go out in time. */
async function* watched(texts: AsyncGenerator<string, void>, clock: Clock, drop: () => void): AsyncGenerator<string, void> {
  for await (const text of texts) {
    const cancel = clock.after(STALLED_MS, drop)
    try {
      yield text
    } finally {
      cancel()
    }
  }
}

function send(reply: FastifyReply, clock: Clock, texts: AsyncGenerator<string, void>): FastifyReply {
  const drop = () => {
    reply.request.log.warn({ caller: callerOf(reply.request).name }, 'dropped a stream that its client does not read')
    reply.raw.destroy()
  }
  const stream = Readable.from(watched(texts, clock, drop), { objectMode: false })
  // Whoever stands between must not gather it.
  return reply.type(TYPE).header('x-accel-buffering', 'no').send(stream)
}

/** `/v1/events` and `/v1/signing-requests/{id}/events`. */
export function addEventRoutes(app: App, ctx: RouteContext): void {
  const { streams, signingDriver, clock } = ctx
  const { store } = streams
  const placeOf = async (tenant: string, lastEventId: unknown, otherwise: () => EventPlace | Promise<EventPlace>): Promise<EventPlace> => {
    if (typeof lastEventId !== 'string' || lastEventId === '') return await otherwise()
    const place = await store.after(tenant, lastEventId)
    if (place === undefined) throw new ApiError('EVENT_NOT_FOUND', 'Last-Event-ID: this event is not kept any more, or never was')
    return place
  }
  app.get(
    '/v1/events',
    {
      config: { role: 'viewer', problems: ['EVENT_NOT_FOUND', 'TOO_MANY_STREAMS', 'DRAINING'] },
      schema: {
        ...about('events', 'streamEvents', 'What happens, as server-sent events'),
        ...{ querystring: EventsQuery, headers: LastEvent, response: { 200: described } },
      },
    },
    async (request, reply) => {
      const { type, keyId, from } = request.query
      const { tenant, name: caller } = callerOf(request)
      const after = await placeOf(tenant, request.headers['last-event-id'], () => (from === 'oldest' ? FIRST_PLACE : store.end(tenant)))
      const filter = { tenant, keyId, types: typeof type === 'string' ? [type] : type }
      const texts = streams.open({ caller, filter, after, signal: hangUp(reply) })
      return send(reply, clock, texts)
    },
  )
  refuseOtherMethods(app, '/v1/events', ['GET'])
  const ofRequest = '/v1/signing-requests/:requestId/events'
  app.get(
    ofRequest,
    {
      config: { role: 'viewer', problems: ['REQUEST_NOT_FOUND', 'EVENT_NOT_FOUND', 'TOO_MANY_STREAMS', 'DRAINING'] },
      schema: {
        ...about('events', 'streamSigningRequestEvents', 'What happens to one request, from its beginning to its end'),
        ...{ params: SigningPath, querystring: NoQuery, headers: LastEvent, response: { 200: described } },
      },
    },
    async (request, reply) => {
      const { requestId } = request.params
      const { tenant, name: caller } = callerOf(request)
      await ownRequest(ctx, request, requestId)
      const isEnded = async () => {
        const record = await signingDriver.record(requestId)
        return record === undefined || isOver(record)
      }
      const after = await placeOf(tenant, request.headers['last-event-id'], () => FIRST_PLACE)
      const filter = { tenant, subject: requestId }
      const texts = streams.open({ caller, filter, after, signal: hangUp(reply), isLast: isLastOfRequest, isOver: isEnded })
      return send(reply, clock, texts)
    },
  )
  refuseOtherMethods(app, ofRequest, ['GET'])
}
