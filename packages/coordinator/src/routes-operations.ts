import { type App, callerOf, hangUp, refuseOtherMethods } from './http-app.ts'
import { OperationBody, OperationListBody, OperationsQuery } from './key-schemas.ts'
import { about } from './openapi.ts'
import { pageQuery } from './pages.ts'
import { ApiError } from './problem.ts'
import { listOperations } from './record-lists.ts'
import type { OperationRecord } from './records.ts'
import type { RouteContext } from './routes.ts'
import { keyBodies } from './routes-keys.ts'
import { OperationPath, WaitQuery } from './schemas.ts'
import { ownOperation } from './tenancy.ts'
import { operationBody } from './views.ts'

/** `/v1/operations`. */
export function addOperationRoutes(app: App, ctx: RouteContext): void {
  const { directory, keyDriver } = ctx
  const bodies = async (items: readonly OperationRecord[]) => {
    const keys = items.flatMap(({ keyId }) => directory.get(keyId) ?? [])
    const bodyOfKey = await keyBodies(ctx, [...new Set(keys)])
    return items.map((record) => {
      const key = directory.get(record.keyId)
      return operationBody(record, key === undefined ? undefined : bodyOfKey(key))
    })
  }
  const bodyOf = async (record: OperationRecord) => (await bodies([record]))[0] as ReturnType<typeof operationBody>

  app.get(
    '/v1/operations',
    {
      config: { role: 'viewer', problems: ['BAD_CURSOR'] },
      schema: {
        ...about('operations', 'listOperations', 'Operations, newest first'),
        ...{ querystring: OperationsQuery, response: { 200: OperationListBody } },
      },
    },
    async (request) => {
      const { keyId, state, requestedBy: requester, fromMs, toMs, ...page } = request.query
      const filter = { keyId, state, requester, fromMs, toMs }
      const { items, nextCursor } = await listOperations(ctx.database, callerOf(request).tenant, pageQuery(page), filter)
      return { items: await bodies(items), nextCursor }
    },
  )
  refuseOtherMethods(app, '/v1/operations', ['GET'])

  app.get(
    '/v1/operations/:operationId',
    {
      config: { role: 'viewer', problems: ['OPERATION_NOT_FOUND'] },
      schema: {
        ...about('operations', 'getOperation', 'One operation; with waitMs when it has ended, or then'),
        ...{ params: OperationPath, querystring: WaitQuery, response: { 200: OperationBody } },
      },
    },
    async (request, reply) => {
      const { operationId } = request.params
      await ownOperation(ctx, request, operationId)
      const record = await keyDriver.settled(operationId, request.query.waitMs ?? 0, hangUp(reply))
      if (record === undefined) throw new ApiError('OPERATION_NOT_FOUND', 'no such operation')
      return bodyOf(record)
    },
  )
  refuseOtherMethods(app, '/v1/operations/:operationId', ['GET'])
}
