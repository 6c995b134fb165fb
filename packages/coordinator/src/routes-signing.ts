import { formatPath, parseKeyId, parsePath, toHex } from '@conclave/core'
import { childKey } from './child-keys.ts'
import { type App, callerOf, hangUp, refuseOtherMethods } from './http-app.ts'
import { extendedKeyOf } from './key-creation.ts'
import { readPayload, summarizeSigner } from './payload.ts'
import { ApiError } from './problem.ts'
import type { SigningRecord } from './records.ts'
import type { RouteContext } from './routes.ts'
import {
  CreateSigningBody,
  NoQuery,
  PAGE_DEFAULT,
  PageQuery,
  type SigningAcceptedBody,
  SigningBody,
  SigningCreatedBody,
  SigningListBody,
  SigningPath,
  WaitQuery,
} from './schemas.ts'
import { signingBody } from './views.ts'

const CURSOR = /^\d{16}$/

function newSigning(ctx: RouteContext, body: CreateSigningBody, requester: string): SigningRecord {
  const { clock, random, directory, signing, signingDriver } = ctx
  signingDriver.checkRoom()
  const keyId = parseKeyId(body.keyId)
  const key = directory.get(keyId)
  if (key === undefined) throw new ApiError('KEY_NOT_FOUND', `no key ${keyId}`)
  const path = parsePath(body.derivationPath ?? 'm')
  const { publicKey } = childKey(extendedKeyOf(key), path)
  const { digest, summary } = readPayload(body.payload)
  const createdAtMs = clock.nowMs()
  return {
    requestId: toHex(random.bytes(32)),
    keyId,
    derivationPath: formatPath(path),
    publicKey: toHex(publicKey),
    payload: body.payload,
    digest,
    summary: [...summarizeSigner(path, publicKey), ...summary],
    requester,
    state: 'decoded',
    cancelRequested: false,
    nodeVerdicts: [],
    attempts: [],
    result: null,
    error: null,
    createdAtMs,
    deadlineAtMs: createdAtMs + (body.deadlineMs ?? signing.deadlineMs),
    endedAtMs: null,
  }
}

/** `/v1/signing-requests`. */
export function addSigningRoutes(app: App, ctx: RouteContext): void {
  const { admission, records, signingDriver } = ctx

  app.post(
    '/v1/signing-requests',
    { config: { role: 'requester' }, schema: { querystring: WaitQuery, body: CreateSigningBody, response: { 201: SigningCreatedBody } } },
    async (request, reply) => {
      const caller = callerOf(request).name
      const idempotencyKey = request.headers['idempotency-key'] as string | undefined
      const post = { caller, route: 'POST /v1/signing-requests', idempotencyKey, body: request.body }
      const create = () => {
        const record = newSigning(ctx, request.body, caller)
        const { requestId, state, digest, summary } = record
        return { record, status: 201, body: { requestId, state, digest, summary } }
      }
      const { status, body } = await admission.admit(post, create, ({ record }) => signingDriver.submit(record), 'own')
      reply.code(status as 201)
      const waitMs = request.query.waitMs ?? 0
      if (waitMs === 0) return reply.send(body as never)
      const record = await signingDriver.settled((body as SigningAcceptedBody).requestId, waitMs, hangUp(reply))
      return reply.send((record === undefined ? body : signingBody(record)) as never)
    },
  )

  app.get(
    '/v1/signing-requests',
    { config: { role: 'viewer' }, schema: { querystring: PageQuery, response: { 200: SigningListBody } } },
    async ({ query }) => {
      if (query.cursor !== undefined && !CURSOR.test(query.cursor)) throw new ApiError('BAD_CURSOR', 'cursor: not one of this list')
      const { items, nextCursor } = await records.signings(query.limit ?? PAGE_DEFAULT, query.cursor)
      return { items: items.map(signingBody), nextCursor }
    },
  )
  refuseOtherMethods(app, '/v1/signing-requests', ['GET', 'POST'])

  app.get(
    '/v1/signing-requests/:requestId',
    { config: { role: 'viewer' }, schema: { params: SigningPath, querystring: WaitQuery, response: { 200: SigningBody } } },
    async (request, reply) => {
      const record = await signingDriver.settled(request.params.requestId, request.query.waitMs ?? 0, hangUp(reply))
      if (record === undefined) throw new ApiError('REQUEST_NOT_FOUND', 'no such signing request')
      return signingBody(record)
    },
  )
  refuseOtherMethods(app, '/v1/signing-requests/:requestId', ['GET'])

  const cancel = '/v1/signing-requests/:requestId([0-9a-f]+)::cancel'
  app.post(
    cancel,
    { config: { role: 'requester' }, schema: { params: SigningPath, querystring: NoQuery, response: { 200: SigningBody } } },
    async ({ params }) => signingBody(await signingDriver.cancel(params.requestId)),
  )
  refuseOtherMethods(app, cancel, ['POST'])
}
