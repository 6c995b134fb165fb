import { type ClusterLock, checkThreshold, parseKeyId } from '@conclave/core'
import type { Caller } from './api-keys.ts'
import { type App, callerOf, refuseOtherMethods } from './http-app.ts'
import { backupsIn } from './key-backups.ts'
import { freshOperationId } from './key-creation.ts'
import { ChangeKeyBody, CreateKeyBody, KeyBody, KeyListBody, KeysQuery, OperationAcceptedBody } from './key-schemas.ts'
import { about } from './openapi.ts'
import { ApiError } from './problem.ts'
import type { KeyRecord, OperationRecord } from './records.ts'
import type { RouteContext } from './routes.ts'
import { KeyPath, NoQuery } from './schemas.ts'
import { ownKey, ownKeys } from './tenancy.ts'
import { keyBody } from './views.ts'

const KEY_CURSOR = /^[a-z0-9][a-z0-9-]{0,62}$/

/** @throws {InvalidArgument} BAD_THRESHOLD. {@link ApiError} BAD_THRESHOLD. */
export function thresholdOf(lock: ClusterLock, quorum: CreateKeyBody['quorum']): number {
  const { required, of } = quorum ?? lock.quorum
  if (of !== lock.quorum.of) throw new ApiError('BAD_THRESHOLD', `quorum.of: a key is held by all ${lock.quorum.of} nodes`)
  checkThreshold(required, of)
  // The nodes refuse it too: it would weaken every promise of the lock.
  if (required < lock.quorum.required)
    throw new ApiError('BAD_THRESHOLD', `quorum.required: the cluster lock asks for ${lock.quorum.required}`)
  return required
}

function newOperation(
  { lock, clock, random, directory, keyDriver }: RouteContext,
  body: CreateKeyBody,
  { name, tenant }: Caller,
): OperationRecord {
  const keyId = parseKeyId(body.keyId)
  const threshold = thresholdOf(lock, body.quorum)
  keyDriver.checkRoom()
  if (directory.get(keyId) !== undefined) throw new ApiError('KEY_EXISTS', `key ${keyId} exists`)
  if (keyDriver.busyWith(keyId) !== undefined) throw new ApiError('KEY_BEING_CREATED', `key ${keyId} is being created`)
  return {
    operationId: freshOperationId(random),
    kind: 'key.create',
    keyId,
    requestedBy: name,
    tenant,
    threshold,
    parties: lock.nodes.map((n) => n.index),
    state: 'pending',
    epochs: null,
    createdAtMs: clock.nowMs(),
    endedAtMs: null,
    error: null,
  }
}

/** Makes the bodies of keys; what they need of the cluster and of the database is looked at once. */
export async function keyBodies({ schedules, lives, view, decoding, keyNotes }: RouteContext, keys: readonly KeyRecord[]) {
  const [backupsOf, network, notes] = [backupsIn(view), decoding.bitcoinNetwork, await keyNotes.of(keys.map((k) => k.keyId))]
  return (key: KeyRecord): KeyBody => {
    const note = notes.get(key.keyId)
    return keyBody(key, { times: schedules.times(key.keyId), backups: backupsOf(key), life: lives.of(key), network, note })
  }
}

function addCreateRoute(app: App, ctx: RouteContext): void {
  const { admission, keyDriver } = ctx
  app.post(
    '/v1/keys',
    {
      config: {
        role: 'admin',
        idempotent: true,
        problems: ['BAD_KEY_ID', 'BAD_THRESHOLD', 'KEY_EXISTS', 'KEY_BEING_CREATED', 'TOO_MANY_OPEN'],
      },
      schema: {
        ...about('keys', 'createKey', 'Make a key at every node'),
        ...{ querystring: NoQuery, body: CreateKeyBody, response: { 202: OperationAcceptedBody } },
      },
    },
    async (request, reply) => {
      const idempotencyKey = request.headers['idempotency-key'] as string | undefined
      const caller = callerOf(request)
      const post = { caller: caller.name, route: 'POST /v1/keys', idempotencyKey, body: request.body }
      const create = async () => {
        const record = newOperation(ctx, request.body, caller)
        await ctx.keyNotes.claim(record.keyId, caller.tenant)
        return { record, status: 202, body: { operationId: record.operationId } }
      }
      const { status, body } = await admission.admit(post, create, ({ record }) => keyDriver.submit(record))
      return reply.code(status as 202).send(body as { operationId: string })
    },
  )
}

/** `/v1/keys` and `/v1/keys/{keyId}`. */
export function addKeyRoutes(app: App, ctx: RouteContext): void {
  const { schedules } = ctx

  addCreateRoute(app, ctx)
  app.get(
    '/v1/keys',
    {
      config: { role: 'viewer', problems: ['BAD_CURSOR'] },
      schema: {
        ...about('keys', 'listKeys', 'Keys, by name; all of them without a limit'),
        querystring: KeysQuery,
        response: { 200: KeyListBody },
      },
    },
    async (request) => {
      const { limit, cursor, tag, role } = request.query
      if (cursor !== undefined && !KEY_CURSOR.test(cursor)) throw new ApiError('BAD_CURSOR', 'cursor: not one of this list')
      const own = await ownKeys(ctx, callerOf(request).tenant)
      const notes = tag === undefined && role === undefined ? undefined : await ctx.keyNotes.of(own.map((k) => k.keyId))
      const found = own.filter(({ keyId }) => {
        const note = notes?.get(keyId)
        return (
          (tag === undefined || note?.tags.includes(tag)) &&
          (role === undefined || note?.role === role) &&
          (cursor === undefined || keyId > cursor)
        )
      })
      const page = found.slice(0, limit)
      return { items: page.map(await keyBodies(ctx, page)), nextCursor: page.length < found.length ? (page.at(-1)?.keyId ?? null) : null }
    },
  )
  refuseOtherMethods(app, '/v1/keys', ['GET', 'POST'])

  app.get(
    '/v1/keys/:keyId',
    {
      config: { role: 'viewer', problems: ['KEY_NOT_FOUND'] },
      schema: { ...about('keys', 'getKey', 'One key'), params: KeyPath, querystring: NoQuery, response: { 200: KeyBody } },
    },
    async (request) => {
      const key = await ownKey(ctx, callerOf(request).tenant, request.params.keyId)
      return (await keyBodies(ctx, [key]))(key)
    },
  )

  app.patch(
    '/v1/keys/:keyId',
    {
      config: { role: 'admin', problems: ['KEY_NOT_FOUND'] },
      schema: {
        ...about('keys', 'changeKey', 'Change what the coordinator keeps of a key'),
        ...{ params: KeyPath, querystring: NoQuery, body: ChangeKeyBody, response: { 200: KeyBody } },
      },
    },
    async (request) => {
      const key = await ownKey(ctx, callerOf(request).tenant, request.params.keyId)
      const { refreshEveryDays, ...noted } = request.body
      if (refreshEveryDays !== undefined) await schedules.setEveryDays(key, refreshEveryDays)
      await ctx.keyNotes.change(key.keyId, noted)
      return (await keyBodies(ctx, [key]))(key)
    },
  )
  refuseOtherMethods(app, '/v1/keys/:keyId', ['GET', 'PATCH'])
}
