import type { FastifyRequest } from 'fastify'
import { callerOf } from './http-app.ts'
import { ApiError } from './problem.ts'
import type { KeyRecord, OperationRecord, SigningRecord } from './records.ts'
import type { RouteContext } from './routes.ts'

type Keys = Pick<RouteContext, 'directory' | 'keyNotes'>

/** A key of the caller's tenant. One of another tenant does not exist for it. @throws {ApiError} KEY_NOT_FOUND. */
export async function ownKey({ directory, keyNotes }: Keys, tenant: string, keyId: string): Promise<KeyRecord> {
  const key = directory.get(keyId)
  if (key === undefined || (await keyNotes.tenantOf(keyId)) !== tenant) throw new ApiError('KEY_NOT_FOUND', 'no such key')
  return key
}

/** Every key of a tenant, by name. */
export async function ownKeys({ directory, keyNotes }: Keys, tenant: string): Promise<readonly KeyRecord[]> {
  const own: KeyRecord[] = []
  for (const key of directory.list()) if ((await keyNotes.tenantOf(key.keyId)) === tenant) own.push(key)
  return own
}

/** @throws {ApiError} REQUEST_NOT_FOUND. */
export async function ownRequest(
  { signingDriver }: Pick<RouteContext, 'signingDriver'>,
  request: FastifyRequest,
  requestId: string,
): Promise<SigningRecord> {
  const record = await signingDriver.record(requestId)
  if (record === undefined || record.tenant !== callerOf(request).tenant) throw new ApiError('REQUEST_NOT_FOUND', 'no such signing request')
  return record
}

/** @throws {ApiError} OPERATION_NOT_FOUND. */
export async function ownOperation(
  { keyDriver }: Pick<RouteContext, 'keyDriver'>,
  request: FastifyRequest,
  operationId: string,
): Promise<OperationRecord> {
  const record = await keyDriver.record(operationId)
  if (record === undefined || record.tenant !== callerOf(request).tenant) throw new ApiError('OPERATION_NOT_FOUND', 'no such operation')
  return record
}
