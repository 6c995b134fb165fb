import type { FastifyRequest } from 'fastify'
import { OVERLAP_MS_DEFAULT } from '../access-schemas.ts'
import { eventBody } from '../events/event-body.ts'
import { type App, callerOf, refuseOtherMethods } from '../http-app.ts'
import { about } from '../openapi.ts'
import { pageQuery } from '../pages.ts'
import { ApiError } from '../problem.ts'
import type { RouteContext } from '../routes.ts'
import { NoQuery } from '../schemas.ts'
import type { DeliveryRecord } from './delivery-store.ts'
import {
  ChangeWebhookBody,
  CreateWebhookBody,
  DeliveriesQuery,
  DeliveryBody,
  DeliveryListBody,
  DeliveryPath,
  NewWebhookBody,
  RotateWebhookBody,
  WebhookBody,
  WebhookListBody,
  WebhookPath,
  WebhooksQuery,
} from './webhook-schemas.ts'
import { newWebhookSecret } from './webhook-signature.ts'
import { WEBHOOKS_MAX, type WebhookRecord } from './webhook-store.ts'
import { checkedUrl } from './webhook-url.ts'

const iso = (ms: number) => new Date(ms).toISOString()
const isoOrNull = (ms: number | null) => (ms === null ? null : iso(ms))

function webhookBody(record: WebhookRecord): WebhookBody {
  const { webhookId, url, types, keyId, label, isEnabled, disabledCode, createdBy } = record
  const times = {
    ...{ failingSince: isoOrNull(record.failingSinceMs), oldSecretUntil: isoOrNull(record.oldUntilMs) },
    createdAt: iso(record.createdAtMs),
  }
  const state = isEnabled ? 'enabled' : 'disabled'
  return { webhookId, url, types: types === null ? null : [...types], keyId, label, state, disabledCode, createdBy, ...times }
}

function deliveryBody(record: DeliveryRecord): DeliveryBody {
  const { deliveryId, webhookId, state, attempts, lastStatus, lastCode, event } = record
  const times = {
    // Before the first attempt it is due at once.
    nextAt: state === 'pending' ? iso(record.nextAtMs === 0 ? record.createdAtMs : record.nextAtMs) : null,
    ...{ lastAt: isoOrNull(record.lastAtMs), endedAt: isoOrNull(record.endedAtMs), createdAt: iso(record.createdAtMs) },
  }
  return { deliveryId, webhookId, state, attempts, lastStatus, lastCode, ...times, event: eventBody(event) }
}

const NOT_FOUND = ['WEBHOOK_NOT_FOUND'] as const

function found<T>(record: T | undefined): T {
  if (record === undefined) throw new ApiError('WEBHOOK_NOT_FOUND', 'no such webhook')
  return record
}

/** A webhook of the caller's tenant. @throws {ApiError} WEBHOOK_NOT_FOUND. */
async function ownWebhook({ webhooks }: RouteContext, request: FastifyRequest, webhookId: string): Promise<WebhookRecord> {
  return found(await webhooks.store.get(callerOf(request).tenant, webhookId))
}

function addListRoutes(app: App, { webhooks, clock, random }: RouteContext): void {
  app.post(
    '/v1/webhooks',
    {
      config: { role: 'admin', problems: ['BAD_WEBHOOK_URL', 'TOO_MANY'] },
      schema: {
        ...about(
          'events',
          'createWebhook',
          'Have events sent to a URL; the secret that they are signed with is in the answer and nowhere else',
        ),
        ...{ querystring: NoQuery, body: CreateWebhookBody, response: { 201: NewWebhookBody } },
      },
    },
    async (request, reply) => {
      const { name, tenant } = callerOf(request)
      const { url, types = null, keyId = null, label = null } = request.body
      const fresh = { isEnabled: true, disabledCode: null, failingSinceMs: null, oldUntilMs: null }
      const record = { url: checkedUrl(url, webhooks), types, keyId, label, ...fresh, createdBy: name, createdAtMs: clock.nowMs() }
      const secret = newWebhookSecret(random)
      const added = await webhooks.store.add(tenant, record, secret)
      if (added === undefined) throw new ApiError('TOO_MANY', `a tenant has at most ${WEBHOOKS_MAX} webhooks`)
      return reply.code(201).send({ ...webhookBody(added), secret })
    },
  )
  app.get(
    '/v1/webhooks',
    {
      config: { role: 'admin', problems: ['BAD_CURSOR'] },
      schema: {
        ...about('events', 'listWebhooks', 'Webhooks, newest first'),
        querystring: WebhooksQuery,
        response: { 200: WebhookListBody },
      },
    },
    async (request) => {
      const { items, nextCursor } = await webhooks.store.list(callerOf(request).tenant, pageQuery(request.query))
      return { items: items.map(webhookBody), nextCursor }
    },
  )
  refuseOtherMethods(app, '/v1/webhooks', ['GET', 'POST'])
}

function addOneRoutes(app: App, ctx: RouteContext): void {
  const { webhooks, clock, random } = ctx
  const one = '/v1/webhooks/:webhookId'
  app.get(
    one,
    {
      config: { role: 'admin', problems: NOT_FOUND },
      schema: {
        ...about('events', 'getWebhook', 'One webhook'),
        params: WebhookPath,
        querystring: NoQuery,
        response: { 200: WebhookBody },
      },
    },
    async (request) => webhookBody(await ownWebhook(ctx, request, request.params.webhookId)),
  )
  app.patch(
    one,
    {
      config: { role: 'admin', problems: [...NOT_FOUND, 'BAD_WEBHOOK_URL'] },
      schema: {
        ...about('events', 'changeWebhook', 'Change a webhook; what happens while it is disabled is never sent to it'),
        ...{ params: WebhookPath, querystring: NoQuery, body: ChangeWebhookBody, response: { 200: WebhookBody } },
      },
    },
    async (request) => {
      const { url, state, ...rest } = request.body
      const change = {
        ...rest,
        ...(url === undefined ? {} : { url: checkedUrl(url, webhooks) }),
        ...(state === undefined ? {} : { isEnabled: state === 'enabled' }),
      }
      return webhookBody(found(await webhooks.store.change(callerOf(request).tenant, request.params.webhookId, change)))
    },
  )
  app.delete(
    one,
    {
      config: { role: 'admin', problems: NOT_FOUND },
      schema: {
        ...about('events', 'deleteWebhook', 'Forget a webhook and its deliveries'),
        ...{ params: WebhookPath, querystring: NoQuery, response: { 200: WebhookBody } },
      },
    },
    async (request) => webhookBody(found(await webhooks.store.remove(callerOf(request).tenant, request.params.webhookId))),
  )
  refuseOtherMethods(app, one, ['GET', 'PATCH', 'DELETE'])
  const rotate = '/v1/webhooks/:webhookId([a-z0-9_]+)::rotate'
  app.post(
    rotate,
    {
      config: { role: 'admin', problems: NOT_FOUND },
      schema: {
        ...about('events', 'rotateWebhookSecret', 'Sign with a new secret; for a while with the one before, too'),
        ...{ params: WebhookPath, querystring: NoQuery, body: RotateWebhookBody, response: { 200: NewWebhookBody } },
      },
    },
    async (request) => {
      const secret = newWebhookSecret(random)
      const oldUntilMs = clock.nowMs() + (request.body?.overlapMs ?? OVERLAP_MS_DEFAULT)
      const { webhookId } = request.params
      return { ...webhookBody(found(await webhooks.store.rotate(callerOf(request).tenant, webhookId, { secret, oldUntilMs }))), secret }
    },
  )
  refuseOtherMethods(app, rotate, ['POST'])
}

function addDeliveryRoutes(app: App, ctx: RouteContext): void {
  const { webhooks } = ctx
  const test = '/v1/webhooks/:webhookId([a-z0-9_]+)::test'
  app.post(
    test,
    {
      config: { role: 'admin', problems: NOT_FOUND },
      schema: {
        ...about('events', 'testWebhook', 'Send an event that says nothing else'),
        ...{ params: WebhookPath, querystring: NoQuery, response: { 201: DeliveryBody } },
      },
    },
    async (request, reply) => {
      const { webhookId } = await ownWebhook(ctx, request, request.params.webhookId)
      return reply.code(201).send(deliveryBody(found(await webhooks.deliveries.test(callerOf(request).tenant, webhookId))))
    },
  )
  const list = '/v1/webhooks/:webhookId/deliveries'
  app.get(
    list,
    {
      config: { role: 'admin', problems: [...NOT_FOUND, 'BAD_CURSOR'] },
      schema: {
        ...about('events', 'listDeliveries', 'What was sent to a webhook and what became of it, newest first'),
        ...{ params: WebhookPath, querystring: DeliveriesQuery, response: { 200: DeliveryListBody } },
      },
    },
    async (request) => {
      const { state, ...page } = request.query
      const { webhookId } = await ownWebhook(ctx, request, request.params.webhookId)
      const { items, nextCursor } = await webhooks.deliveries.list(webhookId, { ...pageQuery(page), state })
      return { items: items.map(deliveryBody), nextCursor }
    },
  )
  const resend = '/v1/webhooks/:webhookId/deliveries/:deliveryId([a-z0-9_]+)::resend'
  app.post(
    resend,
    {
      config: { role: 'admin', problems: [...NOT_FOUND, 'DELIVERY_NOT_FOUND'] },
      schema: {
        ...about('events', 'resendDelivery', 'Send an event once more, under the same event id, in a delivery of its own'),
        ...{ params: DeliveryPath, querystring: NoQuery, response: { 201: DeliveryBody } },
      },
    },
    async (request, reply) => {
      const { webhookId } = await ownWebhook(ctx, request, request.params.webhookId)
      const resent = await webhooks.deliveries.resend(webhookId, request.params.deliveryId)
      if (resent === undefined) throw new ApiError('DELIVERY_NOT_FOUND', 'no such delivery')
      return reply.code(201).send(deliveryBody(resent))
    },
  )
  refuseOtherMethods(app, list, ['GET'])
  for (const url of [test, resend]) refuseOtherMethods(app, url, ['POST'])
}

/** `/v1/webhooks`. */
export function addWebhookRoutes(app: App, ctx: RouteContext): void {
  addListRoutes(app, ctx)
  addOneRoutes(app, ctx)
  addDeliveryRoutes(app, ctx)
}
