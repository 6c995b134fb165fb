import { codeOf, type ExtendedKey, formatPath, messageOf, parseKeyId, parsePath, toHex } from '@conclave/core'
import type { Decoding } from '@conclave/policy'
import { DIGESTS_MAX } from '@conclave/wire'
import { carryApproval } from './approval-desk.ts'
import { childKey } from './child-keys.ts'
import { type App, callerOf, hangUp, refuseOtherMethods } from './http-app.ts'
import { extendedKeyOf } from './key-creation.ts'
import { about } from './openapi.ts'
import { checkPayloadsLength, readPayload, summarizeSigner } from './payload.ts'
import { ApiError, isProblemCode, type ProblemCode } from './problem.ts'
import { digestsOf, isOver, type KeyRecord, type SigningItem, type SigningRecord } from './records.ts'
import { nameRequest } from './request-terms.ts'
import type { RouteContext } from './routes.ts'
import { NoQuery, PAGE_DEFAULT, PageQuery, SigningPath, WaitQuery } from './schemas.ts'
import {
  ApprovalAnswersBody,
  CreateApprovalBody,
  CreateSigningBody,
  SigningBody,
  SigningCreatedBody,
  SigningListBody,
} from './signing-schemas.ts'
import { acceptedBody, keptAcceptedBody, signingBody } from './views.ts'

const CURSOR = /^\d{16}$/
const CREATE_PROBLEMS: ProblemCode[] = [
  ...(['BAD_KEY_ID', 'KEY_NOT_FOUND', 'BAD_HEX', 'BAD_PATH', 'UNKNOWN_PAYLOAD_TYPE', 'PAYLOAD_UNDECODABLE', 'PAYLOAD_TOO_LARGE'] as const),
  ...(['TOO_MANY_SIGNATURES', 'TOO_MANY_OPEN', 'REQUEST_EXISTS'] as const),
]

type AskedItem = NonNullable<CreateSigningBody['items']>[number]

/** @throws {ApiError} BAD_BODY. */
function askedItems({ payload, derivationPath, items }: CreateSigningBody): readonly AskedItem[] {
  if ((payload === undefined) === (items === undefined)) throw new ApiError('BAD_BODY', 'body: either payload or items')
  if (payload !== undefined) return [derivationPath === undefined ? { payload } : { payload, derivationPath }]
  if (derivationPath !== undefined) throw new ApiError('BAD_BODY', 'body: with items, each has a derivationPath of its own')
  const asked = items as readonly AskedItem[]
  if (asked.some((item) => item.payload.type !== asked[0]?.payload.type))
    throw new ApiError('BAD_BODY', 'body.items: all of one payload type')
  return asked
}

/** @throws {ApiError} what {@link readPayload} throws; {InvalidArgument} BAD_PATH. */
function newItem(key: ExtendedKey, decoding: Decoding, { payload, derivationPath = 'm' }: AskedItem): SigningItem {
  const path = parsePath(derivationPath)
  const { publicKey } = childKey(key, path)
  const { digests, summary } = readPayload(payload, path, { ...decoding, key })
  const said = [...summarizeSigner(payload.type, path, publicKey), ...summary]
  const signings = digests.map((d) => ({
    derivationPath: formatPath(d.path),
    publicKey: toHex(childKey(key, d.path).publicKey),
    digest: toHex(d.digest),
  }))
  return { derivationPath: formatPath(path), publicKey: toHex(publicKey), payload, digests: signings, summary: said }
}

/** What is wrong with one item of several says with which. */
function newItems(record: KeyRecord, decoding: Decoding, asked: readonly AskedItem[]): readonly SigningItem[] {
  checkPayloadsLength(asked.map((item) => item.payload))
  const key = extendedKeyOf(record)
  const items = asked.map((item, i) => {
    try {
      return newItem(key, decoding, item)
    } catch (cause) {
      const code = codeOf(cause)
      if (asked.length === 1 || !isProblemCode(code)) throw cause
      throw new ApiError(code, `item ${i + 1} of ${asked.length}: ${messageOf(cause)}`, { cause })
    }
  })
  if (digestsOf({ items }).length > DIGESTS_MAX) throw new ApiError('TOO_MANY_SIGNATURES', `at most ${DIGESTS_MAX} signatures in a request`)
  return items
}

function newSigning(ctx: RouteContext, body: CreateSigningBody, requester: string): SigningRecord {
  const { clock, random, directory, decoding, signing, signingDriver } = ctx
  signingDriver.checkRoom()
  const asked = askedItems(body)
  const keyId = parseKeyId(body.keyId)
  const key = directory.get(keyId)
  if (key === undefined) throw new ApiError('KEY_NOT_FOUND', `no key ${keyId}`)
  const items = newItems(key, decoding, asked)
  const createdAtMs = clock.nowMs()
  const latestMs = createdAtMs + (body.deadlineMs ?? signing.deadlineMs)
  const deadlineAtMs = Math.min(latestMs, body.signed?.expiresAtMs ?? latestMs)
  const made = { keyId, keyEpoch: key.epoch, items, caller: requester, nowMs: createdAtMs, deadlineAtMs, random }
  const { requestId, terms } = nameRequest({ clusterId: ctx.lock.clusterId, body, ...made })
  return {
    requestId,
    keyId,
    items,
    requester,
    terms,
    state: 'decoded',
    cancelRequested: false,
    nodeVerdicts: [],
    attempts: [],
    result: null,
    error: null,
    createdAtMs,
    deadlineAtMs,
    endedAtMs: null,
  }
}

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
    async ({ params: { requestId }, body }) => {
      const record = await signingDriver.record(requestId)
      if (record === undefined) throw new ApiError('REQUEST_NOT_FOUND', 'no such signing request')
      if (isOver(record)) throw new ApiError('REQUEST_ENDED', `the request is already ${record.state}`)
      const answers = await carryApproval(ctx, directory.get(record.keyId)?.parties ?? [], requestId, body)
      signingDriver.approved(requestId)
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
      config: { role: 'requester', idempotent: true, problems: CREATE_PROBLEMS },
      schema: {
        ...about('signing', 'createSigningRequest', 'Ask for signatures; with waitMs the request when it has ended, or then'),
        ...{ querystring: WaitQuery, body: CreateSigningBody, response: { 201: SigningCreatedBody } },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request).name
      const idempotencyKey = request.headers['idempotency-key'] as string | undefined
      const post = { caller, route: 'POST /v1/signing-requests', idempotencyKey, body: request.body, named: request.body.signed?.nonce }
      const create = async () => {
        const record = newSigning(ctx, request.body, caller)
        await refuseRepeated(ctx, record)
        return { record, status: 201, body: acceptedBody(record) }
      }
      const { status, body: kept } = await admission.admit(post, create, ({ record }) => signingDriver.submit(record), 'own')
      const body = keptAcceptedBody(kept)
      reply.code(status as 201)
      const waitMs = request.query.waitMs ?? 0
      if (waitMs === 0) return reply.send(body)
      const record = await signingDriver.settled(body.requestId, waitMs, hangUp(reply))
      return reply.send(record === undefined ? body : signingBody(record))
    },
  )
}

/** `/v1/signing-requests`. */
export function addSigningRoutes(app: App, ctx: RouteContext): void {
  const { records, signingDriver } = ctx
  addCreateRoute(app, ctx)

  app.get(
    '/v1/signing-requests',
    {
      config: { role: 'viewer', problems: ['BAD_CURSOR'] },
      schema: {
        ...about('signing', 'listSigningRequests', 'Signing requests, newest first'),
        ...{ querystring: PageQuery, response: { 200: SigningListBody } },
      },
    },
    async ({ query }) => {
      if (query.cursor !== undefined && !CURSOR.test(query.cursor)) throw new ApiError('BAD_CURSOR', 'cursor: not one of this list')
      const { items, nextCursor } = await records.signings(query.limit ?? PAGE_DEFAULT, query.cursor)
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
      const record = await signingDriver.settled(request.params.requestId, request.query.waitMs ?? 0, hangUp(reply))
      if (record === undefined) throw new ApiError('REQUEST_NOT_FOUND', 'no such signing request')
      return signingBody(record)
    },
  )
  refuseOtherMethods(app, '/v1/signing-requests/:requestId', ['GET'])

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
    async ({ params }) => signingBody(await signingDriver.cancel(params.requestId)),
  )
  refuseOtherMethods(app, cancel, ['POST'])
}
