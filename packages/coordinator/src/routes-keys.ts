import { type ClusterLock, checkThreshold, parseKeyId } from '@conclave/core'
import { type App, callerOf, refuseOtherMethods } from './http-app.ts'
import { backupsIn } from './key-backups.ts'
import { freshOperationId } from './key-creation.ts'
import { ChangeKeyBody, CreateKeyBody, KeyBody, KeyListBody, OperationAcceptedBody } from './key-schemas.ts'
import { about } from './openapi.ts'
import { ApiError } from './problem.ts'
import type { KeyRecord, OperationRecord } from './records.ts'
import type { RouteContext } from './routes.ts'
import { KeyPath, NoQuery } from './schemas.ts'
import { keyBody } from './views.ts'

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
  requestedBy: string,
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
    requestedBy,
    threshold,
    parties: lock.nodes.map((n) => n.index),
    state: 'pending',
    epochs: null,
    createdAtMs: clock.nowMs(),
    endedAtMs: null,
    error: null,
  }
}

/** Makes the bodies of keys; what they need of the cluster is looked at once. */
export function keyBodies({ schedules, lives, view, decoding }: RouteContext): (key: KeyRecord) => KeyBody {
  const [backupsOf, network] = [backupsIn(view), decoding.bitcoinNetwork]
  return (key) => keyBody(key, { times: schedules.times(key.keyId), backups: backupsOf(key), life: lives.of(key), network })
}

/** A known key with its schedule. @throws {ApiError} KEY_NOT_FOUND. */
export function bodyOfKey(ctx: RouteContext, keyId: string): KeyBody {
  const key = ctx.directory.get(keyId)
  if (key === undefined) throw new ApiError('KEY_NOT_FOUND', 'no such key')
  return keyBodies(ctx)(key)
}

/** `/v1/keys` and `/v1/keys/{keyId}`. */
export function addKeyRoutes(app: App, ctx: RouteContext): void {
  const { admission, directory, keyDriver, schedules } = ctx

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
      const caller = callerOf(request).name
      const post = { caller, route: 'POST /v1/keys', idempotencyKey, body: request.body }
      const create = () => {
        const record = newOperation(ctx, request.body, caller)
        return { record, status: 202, body: { operationId: record.operationId } }
      }
      const { status, body } = await admission.admit(post, create, ({ record }) => keyDriver.submit(record))
      return reply.code(status as 202).send(body as { operationId: string })
    },
  )

  app.get(
    '/v1/keys',
    {
      config: { role: 'viewer' },
      schema: { ...about('keys', 'listKeys', 'Every key'), querystring: NoQuery, response: { 200: KeyListBody } },
    },
    async () => {
      return { items: directory.list().map(keyBodies(ctx)) }
    },
  )
  refuseOtherMethods(app, '/v1/keys', ['GET', 'POST'])

  app.get(
    '/v1/keys/:keyId',
    {
      config: { role: 'viewer', problems: ['KEY_NOT_FOUND'] },
      schema: { ...about('keys', 'getKey', 'One key'), params: KeyPath, querystring: NoQuery, response: { 200: KeyBody } },
    },
    async ({ params }) => bodyOfKey(ctx, params.keyId),
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
    async ({ params, body }) => {
      const key = directory.get(params.keyId)
      if (key === undefined) throw new ApiError('KEY_NOT_FOUND', 'no such key')
      await schedules.setEveryDays(key, body.refreshEveryDays)
      return bodyOfKey(ctx, key.keyId)
    },
  )
  refuseOtherMethods(app, '/v1/keys/:keyId', ['GET', 'PATCH'])
}
