import { type ClusterLock, checkThreshold, parseKeyId } from '@conclave/core'
import { type App, callerOf, hangUp, refuseOtherMethods } from './http-app.ts'
import { freshOperationId } from './key-creation.ts'
import { ApiError } from './problem.ts'
import type { OperationRecord } from './records.ts'
import type { RouteContext } from './routes.ts'
import {
  CreateKeyBody,
  KeyBody,
  KeyListBody,
  KeyPath,
  NoQuery,
  OperationAcceptedBody,
  OperationBody,
  OperationPath,
  WaitQuery,
} from './schemas.ts'
import { keyBody, operationBody } from './views.ts'

/** @throws {InvalidArgument} BAD_THRESHOLD. {@link ApiError} BAD_THRESHOLD. */
function thresholdOf(lock: ClusterLock, quorum: CreateKeyBody['quorum']): number {
  const { required, of } = quorum ?? lock.quorum
  if (of !== lock.quorum.of) throw new ApiError('BAD_THRESHOLD', `quorum.of: a key is held by all ${lock.quorum.of} nodes`)
  checkThreshold(required, of)
  // The nodes refuse it too: it would weaken every promise of the lock.
  if (required < lock.quorum.required)
    throw new ApiError('BAD_THRESHOLD', `quorum.required: the cluster lock asks for ${lock.quorum.required}`)
  return required
}

function newOperation({ lock, clock, random, directory, keyDriver }: RouteContext, body: CreateKeyBody): OperationRecord {
  const keyId = parseKeyId(body.keyId)
  const threshold = thresholdOf(lock, body.quorum)
  keyDriver.checkRoom()
  if (directory.get(keyId) !== undefined) throw new ApiError('KEY_EXISTS', `key ${keyId} exists`)
  if (keyDriver.isCreating(keyId)) throw new ApiError('KEY_BEING_CREATED', `key ${keyId} is being created`)
  return {
    operationId: freshOperationId(random),
    keyId,
    threshold,
    parties: lock.nodes.map((n) => n.index),
    state: 'pending',
    createdAtMs: clock.nowMs(),
    endedAtMs: null,
    error: null,
  }
}

/** `/v1/keys` and `/v1/operations`. */
export function addKeyRoutes(app: App, ctx: RouteContext): void {
  const { admission, directory, keyDriver } = ctx

  app.post(
    '/v1/keys',
    { config: { role: 'admin' }, schema: { querystring: NoQuery, body: CreateKeyBody, response: { 202: OperationAcceptedBody } } },
    async (request, reply) => {
      const idempotencyKey = request.headers['idempotency-key'] as string | undefined
      const post = { caller: callerOf(request).name, route: 'POST /v1/keys', idempotencyKey, body: request.body }
      const create = () => {
        const record = newOperation(ctx, request.body)
        return { record, status: 202, body: { operationId: record.operationId } }
      }
      const { status, body } = await admission.admit(post, create, ({ record }) => keyDriver.submit(record))
      return reply.code(status as 202).send(body as { operationId: string })
    },
  )

  app.get('/v1/keys', { config: { role: 'viewer' }, schema: { querystring: NoQuery, response: { 200: KeyListBody } } }, async () => ({
    items: directory.list().map(keyBody),
  }))
  refuseOtherMethods(app, '/v1/keys', ['GET', 'POST'])

  app.get(
    '/v1/keys/:keyId',
    { config: { role: 'viewer' }, schema: { params: KeyPath, querystring: NoQuery, response: { 200: KeyBody } } },
    async ({ params }) => {
      const key = directory.get(params.keyId)
      if (key === undefined) throw new ApiError('KEY_NOT_FOUND', 'no such key')
      return keyBody(key)
    },
  )
  refuseOtherMethods(app, '/v1/keys/:keyId', ['GET'])

  app.get(
    '/v1/operations/:operationId',
    { config: { role: 'viewer' }, schema: { params: OperationPath, querystring: WaitQuery, response: { 200: OperationBody } } },
    async (request, reply) => {
      const { operationId } = request.params
      const record = await keyDriver.settled(operationId, request.query.waitMs ?? 0, hangUp(reply))
      if (record === undefined) throw new ApiError('OPERATION_NOT_FOUND', 'no such operation')
      return operationBody(record, directory.get(record.keyId))
    },
  )
  refuseOtherMethods(app, '/v1/operations/:operationId', ['GET'])
}
