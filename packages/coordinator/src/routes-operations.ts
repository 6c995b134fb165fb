import { type App, hangUp, refuseOtherMethods } from './http-app.ts'
import { backupsIn } from './key-backups.ts'
import { ApiError } from './problem.ts'
import type { OperationRecord } from './records.ts'
import type { RouteContext } from './routes.ts'
import { OperationBody, OperationListBody, OperationPath, OperationsQuery, PAGE_DEFAULT, WaitQuery } from './schemas.ts'
import { keyBody, operationBody } from './views.ts'

const CURSOR = /^\d{16}$/

/** `/v1/operations`. */
export function addOperationRoutes(app: App, { records, directory, keyDriver, schedules, lives, view }: RouteContext): void {
  const bodies = (items: readonly OperationRecord[]) => {
    const backupsOf = backupsIn(view)
    return items.map((record) => {
      const key = directory.get(record.keyId)
      const body = key === undefined ? undefined : keyBody(key, schedules.times(key.keyId), backupsOf(key), lives.of(key))
      return operationBody(record, body)
    })
  }
  const bodyOf = (record: OperationRecord) => bodies([record])[0] as ReturnType<typeof operationBody>

  app.get(
    '/v1/operations',
    { config: { role: 'viewer' }, schema: { querystring: OperationsQuery, response: { 200: OperationListBody } } },
    async ({ query: { keyId, cursor, limit = PAGE_DEFAULT } }) => {
      if (cursor !== undefined && !CURSOR.test(cursor)) throw new ApiError('BAD_CURSOR', 'cursor: not one of this list')
      const { items, nextCursor } = await records.operations({ limit, cursor, keyId })
      return { items: bodies(items), nextCursor }
    },
  )
  refuseOtherMethods(app, '/v1/operations', ['GET'])

  app.get(
    '/v1/operations/:operationId',
    { config: { role: 'viewer' }, schema: { params: OperationPath, querystring: WaitQuery, response: { 200: OperationBody } } },
    async (request, reply) => {
      const { operationId } = request.params
      const record = await keyDriver.settled(operationId, request.query.waitMs ?? 0, hangUp(reply))
      if (record === undefined) throw new ApiError('OPERATION_NOT_FOUND', 'no such operation')
      return bodyOf(record)
    },
  )
  refuseOtherMethods(app, '/v1/operations/:operationId', ['GET'])
}
