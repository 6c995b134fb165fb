import type { Caller } from './api-keys.ts'
import { type App, callerOf, refuseOtherMethods } from './http-app.ts'
import { freshOperationId } from './key-creation.ts'
import { OperationAcceptedBody, RefreshKeyBody, ReshareKeyBody } from './key-schemas.ts'
import { about } from './openapi.ts'
import { ApiError } from './problem.ts'
import type { KeyRecord, OperationRecord } from './records.ts'
import type { RouteContext } from './routes.ts'
import { thresholdOf } from './routes-keys.ts'
import { refreshOf } from './scheduler.ts'
import { KeyPath, NoQuery } from './schemas.ts'
import { ownKey } from './tenancy.ts'

type NewRenewal<B> = (key: KeyRecord, by: Caller, body: B) => OperationRecord

/** The key of a path, when nothing else is open on it. @throws {ApiError} TOO_MANY_OPEN; KEY_NOT_FOUND; KEY_BUSY. */
async function idleKey(ctx: RouteContext, { tenant }: Caller, keyId: string): Promise<KeyRecord> {
  const { keyDriver } = ctx
  keyDriver.checkRoom()
  const key = await ownKey(ctx, tenant, keyId)
  const kind = keyDriver.busyWith(keyId)
  if (kind !== undefined) throw new ApiError('KEY_BUSY', `key ${keyId} has an open operation: ${kind}`, { retriable: true })
  return key
}

/** To all nodes of the present lock. */
function reshareOf({ lock, clock, random }: RouteContext, key: KeyRecord, by: Caller, body: ReshareKeyBody): OperationRecord {
  const { required } = body?.quorum ?? lock.quorum
  return {
    ...refreshOf(key, { requestedBy: by.name, tenant: by.tenant, random, clock }),
    kind: 'key.reshare',
    operationId: freshOperationId(random),
    threshold: thresholdOf(lock, { required, of: lock.quorum.of }),
    parties: lock.nodes.map((n) => n.index),
  }
}

/** `/v1/keys/{keyId}:refresh` and `:reshare`. */
export function addRenewalRoutes(app: App, ctx: RouteContext): void {
  const { admission, keyDriver, clock, random } = ctx

  const add = <S extends typeof RefreshKeyBody | typeof ReshareKeyBody>(
    { action, summary, schema }: { action: string; summary: string; schema: S },
    newRenewal: NewRenewal<ReshareKeyBody>,
  ) => {
    const url = `/v1/keys/:keyId([a-z0-9-]+)::${action}`
    app.post(
      url,
      {
        config: { role: 'admin', idempotent: true, problems: ['KEY_NOT_FOUND', 'KEY_BUSY', 'TOO_MANY_OPEN', 'BAD_THRESHOLD'] },
        schema: {
          ...about('keys', `${action}Key`, summary),
          ...{ params: KeyPath, querystring: NoQuery, body: schema, response: { 202: OperationAcceptedBody } },
        },
      },
      async (request, reply) => {
        const caller = callerOf(request)
        const { keyId } = request.params as { keyId: string }
        const idempotencyKey = request.headers['idempotency-key'] as string | undefined
        const asked = (request.body ?? null) as ReshareKeyBody
        const post = { caller: caller.name, route: `POST /v1/keys/${keyId}:${action}`, idempotencyKey, body: asked }
        const create = async () => {
          const record = newRenewal(await idleKey(ctx, caller, keyId), caller, asked)
          return { record, status: 202, body: { operationId: record.operationId } }
        }
        const { status, body } = await admission.admit(post, create, ({ record }) => keyDriver.submit(record))
        return reply.code(status as 202).send(body as { operationId: string })
      },
    )
    refuseOtherMethods(app, url, ['POST'])
  }

  add(
    { action: 'refresh', summary: 'Give every party a new share of the same key', schema: RefreshKeyBody },
    (key, { name: requestedBy, tenant }) => refreshOf(key, { requestedBy, tenant, random, clock }),
  )
  add(
    { action: 'reshare', summary: 'Give the nodes of the present cluster lock shares of the key', schema: ReshareKeyBody },
    (key, by, body) => reshareOf(ctx, key, by, body),
  )
}
