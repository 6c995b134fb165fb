import { traced } from '@conclave/telemetry'
import { carryApproval } from './approval-desk.ts'
import { withAttempt } from './chosen-attempt.ts'
import { type App, callerOf, hangUp, refuseOtherMethods, spanOf } from './http-app.ts'
import { newSigning } from './new-signing.ts'
import { about } from './openapi.ts'
import { pageQuery } from './pages.ts'
import { ApiError, type ProblemCode } from './problem.ts'
import { listSignings } from './record-lists.ts'
import { isOver, type SigningRecord } from './records.ts'
import type { RouteContext } from './routes.ts'
import { NoQuery, SigningPath, WaitQuery } from './schemas.ts'
import {
  ApprovalAnswersBody,
  AttemptListBody,
  CreateApprovalBody,
  CreateSigningBody,
  SigningBody,
  SigningCreatedBody,
  SigningListBody,
  SigningsQuery,
} from './signing-schemas.ts'
import { ownRequest } from './tenancy.ts'
import { acceptedBody, keptAcceptedBody, signingBody } from './views.ts'

/** What is wrong with what is to be signed. */
export const SIGNING_BODY_PROBLEMS: ProblemCode[] = [
  ...(['BAD_KEY_ID', 'KEY_NOT_FOUND', 'BAD_HEX', 'BAD_PATH', 'UNKNOWN_PAYLOAD_TYPE', 'PAYLOAD_UNDECODABLE', 'PAYLOAD_TOO_LARGE'] as const),
  'TOO_MANY_SIGNATURES',
  'CHILD_INACTIVE',
]

/** @throws {ApiError} REQUEST_EXISTS for a signed request that was sent before under another Idempotency-Key. */
async function refuseRepeated({ signingDriver }: RouteContext, { requestId, terms }: SigningRecord): Promise<void> {
  if (terms.signature === '' || (await signingDriver.record(requestId)) === undefined) return
  throw new ApiError('REQUEST_EXISTS', `this is signing request ${requestId}`)
}

/** `/v1/signing-requests/{id}/approvals`: carried to the nodes, which check it. */
function addApprovalRoute(app: App, ctx: RouteContext): void {
  const { signingDriver, directory } = ctx
  const path = '/v1/signing-requests/:requestId/approvals'
  app.post(
    path,
    {
      config: { role: 'viewer', problems: ['REQUEST_NOT_FOUND', 'REQUEST_ENDED', 'APPROVAL_REFUSED', 'NODES_UNREACHABLE'] },
      schema: {
        ...about('signing', 'approveSigningRequest', 'Carry an approval to the nodes, which check it'),
        ...{ params: SigningPath, querystring: NoQuery, body: CreateApprovalBody, response: { 200: ApprovalAnswersBody } },
      },
    },
    async (request) => {
      const {
        params: { requestId },
        body,
      } = request
      const record = await ownRequest(ctx, request, requestId)
      if (isOver(record)) throw new ApiError('REQUEST_ENDED', `the request is already ${record.state}`)
      const answers = await carryApproval(ctx, directory.get(record.keyId)?.parties ?? [], requestId, body)
      await signingDriver.approved(requestId)
      return answers
    },
  )
  refuseOtherMethods(app, path, ['POST'])
}

function addCreateRoute(app: App, ctx: RouteContext): void {
  const { admission, signingDriver } = ctx
  app.post(
    '/v1/signing-requests',
    {
      config: { role: 'requester', idempotent: true, problems: [...SIGNING_BODY_PROBLEMS, 'TOO_MANY_OPEN', 'REQUEST_EXISTS'] },
      schema: {
        ...about('signing', 'createSigningRequest', 'Ask for signatures; with waitMs the request when it has ended, or then'),
        ...{ querystring: WaitQuery, body: CreateSigningBody, response: { 201: SigningCreatedBody } },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request)
      const idempotencyKey = request.headers['idempotency-key'] as string | undefined
      const post = {
        caller: caller.name,
        route: 'POST /v1/signing-requests',
        idempotencyKey,
        body: request.body,
        named: request.body.signed?.nonce,
      }
      const create = async () => {
        signingDriver.checkRoom()
        const record = await newSigning(ctx, request.body, caller)
        await refuseRepeated(ctx, record)
        const first = signingDriver.first(record)
        const stored = first === undefined ? record : withAttempt(record, first)
        return { record: stored, status: 201, body: acceptedBody(record), first, undo: () => first?.[Symbol.dispose]() }
      }
      const span = spanOf(request)
      const begin = async ({ record, first }: Awaited<ReturnType<typeof create>>) => {
        request.log.info({ signingRequest: record.requestId, keyId: record.keyId }, 'request admitted')
        await signingDriver.submit(record, { span, first })
      }
      const { status, body: kept } = await traced(span, 'admission', () => admission.admit(post, create, begin, 'own'))
      const body = keptAcceptedBody(kept)
      reply.code(status as 201)
      const waitMs = request.query.waitMs ?? 0
      if (waitMs === 0) return reply.send(body)
      const record = await signingDriver.settled(body.requestId, waitMs, hangUp(reply))
      return reply.send(record === undefined ? body : signingBody(record))
    },
  )
}

function addAttemptsRoute(app: App, ctx: RouteContext): void {
  const path = '/v1/signing-requests/:requestId/attempts'
  app.get(
    path,
    {
      config: { role: 'viewer', problems: ['REQUEST_NOT_FOUND'] },
      schema: {
        ...about('signing', 'listAttempts', 'Who tried to sign it, and how that ended'),
        ...{ params: SigningPath, querystring: NoQuery, response: { 200: AttemptListBody } },
      },
    },
    async (request) => ({ items: signingBody(await ownRequest(ctx, request, request.params.requestId)).attempts }),
  )
  refuseOtherMethods(app, path, ['GET'])
}

/** `/v1/signing-requests`. */
export function addSigningRoutes(app: App, ctx: RouteContext): void {
  const { signingDriver } = ctx
  addCreateRoute(app, ctx)

  app.get(
    '/v1/signing-requests',
    {
      config: { role: 'viewer', problems: ['BAD_CURSOR'] },
      schema: {
        ...about('signing', 'listSigningRequests', 'Signing requests, newest first'),
        ...{ querystring: SigningsQuery, response: { 200: SigningListBody } },
      },
    },
    async (request) => {
      const { keyId, state, requester, fromMs, toMs, ...page } = request.query
      const filter = { keyId, state, requester, fromMs, toMs }
      const { items, nextCursor } = await listSignings(ctx.database, callerOf(request).tenant, pageQuery(page), filter)
      return { items: items.map(signingBody), nextCursor }
    },
  )
  refuseOtherMethods(app, '/v1/signing-requests', ['GET', 'POST'])

  app.get(
    '/v1/signing-requests/:requestId',
    {
      config: { role: 'viewer', problems: ['REQUEST_NOT_FOUND'] },
      schema: {
        ...about('signing', 'getSigningRequest', 'One request; with waitMs when it has ended, or then'),
        ...{ params: SigningPath, querystring: WaitQuery, response: { 200: SigningBody } },
      },
    },
    async (request, reply) => {
      await ownRequest(ctx, request, request.params.requestId)
      const record = await signingDriver.settled(request.params.requestId, request.query.waitMs ?? 0, hangUp(reply))
      if (record === undefined) throw new ApiError('REQUEST_NOT_FOUND', 'no such signing request')
      return signingBody(record)
    },
  )
  refuseOtherMethods(app, '/v1/signing-requests/:requestId', ['GET'])

  addAttemptsRoute(app, ctx)
  addApprovalRoute(app, ctx)

  const cancel = '/v1/signing-requests/:requestId([0-9a-f]+)::cancel'
  app.post(
    cancel,
    {
      config: { role: 'requester', problems: ['REQUEST_NOT_FOUND', 'REQUEST_ENDED'] },
      schema: {
        ...about('signing', 'cancelSigningRequest', 'Make no further attempt'),
        ...{ params: SigningPath, querystring: NoQuery, response: { 200: SigningBody } },
      },
    },
    async (request) => {
      await ownRequest(ctx, request, request.params.requestId)
      return signingBody(await signingDriver.cancel(request.params.requestId))
    },
  )
  refuseOtherMethods(app, cancel, ['POST'])
}
