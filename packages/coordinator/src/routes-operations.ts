import { type App, hangUp, refuseOtherMethods } from './http-app.ts'
import { OperationBody, OperationListBody, OperationsQuery } from './key-schemas.ts'
import { about } from './openapi.ts'
import { ApiError } from './problem.ts'
import type { OperationRecord } from './records.ts'
import type { RouteContext } from './routes.ts'
import { keyBodies } from './routes-keys.ts'
import { OperationPath, PAGE_DEFAULT, WaitQuery } from './schemas.ts'
import { operationBody } from './views.ts'

const CURSOR = /^\d{16}$/

/** `/v1/operations`. */
export function addOperationRoutes(app: App, ctx: RouteContext): void {
  const { records, directory, keyDriver } = ctx
  const bodies = (items: readonly OperationRecord[]) => {
    const bodyOfKey = keyBodies(ctx)
    return items.map((record) => {
      const key = directory.get(record.keyId)
      return operationBody(record, key === undefined ? undefined : bodyOfKey(key))
    })
  }
  const bodyOf = (record: OperationRecord) => bodies([record])[0] as ReturnType<typeof operationBody>

  app.get(
    '/v1/operations',
    {
      config: { role: 'viewer', problems: ['BAD_CURSOR'] },
      schema: {
        ...about('operations', 'listOperations', 'Operations, newest first'),
        ...{ querystring: OperationsQuery, response: { 200: OperationListBody } },
      },
    },
    async ({ query: { keyId, cursor, limit = PAGE_DEFAULT } }) => {
      if (cursor !== undefined && !CURSOR.test(cursor)) throw new ApiError('BAD_CURSOR', 'cursor: not one of this list')
      const { items, nextCursor } = await records.operations({ limit, cursor, keyId })
      return { items: bodies(items), nextCursor }
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
      const record = await keyDriver.settled(operationId, request.query.waitMs ?? 0, hangUp(reply))
      if (record === undefined) throw new ApiError('OPERATION_NOT_FOUND', 'no such operation')
      return bodyOf(record)
    },
  )
  refuseOtherMethods(app, '/v1/operations/:operationId', ['GET'])
}
