import type { Socket } from 'node:net'
import { ConclaveError, messageOf } from '@conclave/core'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { ApiError, isProblemCode, type Problem, type ProblemCode, problemOf, saysRetryAfter } from './problem.ts'

const PROBLEM_JSON = 'application/problem+json; charset=utf-8'

/** What Fastify itself refuses. Its own messages are for programmers; ours are stable. */
const FRAMEWORK: Readonly<Record<string, readonly [ProblemCode, string]>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ['BODY_TOO_LARGE', 'the body is larger than this coordinator accepts'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['UNSUPPORTED_MEDIA_TYPE', 'send the body as application/json'],
  FST_ERR_CTP_EMPTY_JSON_BODY: ['BAD_JSON', 'the body is empty'],
  FST_ERR_CTP_INVALID_JSON_BODY: ['BAD_JSON', 'the body is not JSON'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['BAD_REQUEST', 'the body is not as long as Content-Length says'],
  FST_ERR_BAD_URL: ['BAD_PATH', 'the path is not a valid URL'],
  FST_ERR_MAX_PARAM_LENGTH: ['BAD_PATH', 'a part of the path is too long'],
}
const PLACES: Readonly<Record<string, readonly [ProblemCode, string]>> = {
  body: ['BAD_BODY', 'body'],
  querystring: ['BAD_QUERY', 'query'],
  params: ['BAD_PATH', 'path'],
  headers: ['BAD_REQUEST', 'headers'],
}

function validationProblem(error: FastifyError): ApiError {
  const [code, place] = PLACES[error.validationContext ?? 'body'] ?? ['BAD_REQUEST', 'request']
  const issues = error.validation ?? []
  // A field that is not known is reported twice, and the first time without its reason.
  const first = issues.find((issue) => issue.keyword === 'additionalProperties') ?? issues[0]
  const at = `${place}${(first?.instancePath ?? '').replaceAll('/', '.')}`
  const extra = first?.params?.additionalProperties
  if (Array.isArray(extra)) return new ApiError('UNKNOWN_FIELD', `${at}: unknown field ${JSON.stringify(String(extra[0]).slice(0, 64))}`)
  return new ApiError(code, `${at}: ${first?.message ?? 'is not valid'}`)
}

/** Whatever was thrown while answering a request, as a problem; what nobody foresaw is INTERNAL and says nothing. */
export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error
  if (error instanceof ConclaveError) {
    if (isProblemCode(error.code)) return new ApiError(error.code, error.message, { cause: error })
    return new ApiError('INTERNAL', 'something went wrong here; the log of the coordinator tells more', { cause: error })
  }
  const fault = error as Partial<FastifyError>
  if (fault.validation !== undefined) return validationProblem(error as FastifyError)
  const known = FRAMEWORK[fault.code ?? '']
  if (known !== undefined) return new ApiError(known[0], known[1])
  // The JSON parser's own errors carry 400 and no code.
  if (error instanceof SyntaxError && fault.statusCode === 400) return new ApiError('BAD_JSON', 'the body is not JSON')
  if (fault.statusCode !== undefined && fault.statusCode >= 400 && fault.statusCode < 500) {
    return new ApiError('BAD_REQUEST', 'the request cannot be understood')
  }
  return new ApiError('INTERNAL', 'something went wrong here; the log of the coordinator tells more', { cause: error })
}

export function sendProblem(request: FastifyRequest, reply: FastifyReply, error: unknown): FastifyReply {
  const told = toApiError(error)
  if (told.code === 'INTERNAL') request.log.error({ err: error, reason: messageOf(error) }, 'unforeseen error')
  const problem = problemOf(told, request.id)
  if (saysRetryAfter(told.code as ProblemCode)) reply.header('retry-after', told.retryAfterS)
  if (problem.status === 401) reply.header('www-authenticate', 'Bearer')
  // Also here, because what the framework refuses passes no hook.
  reply.header('x-request-id', request.id)
  return reply.code(problem.status).header('content-type', PROBLEM_JSON).serializer(JSON.stringify).send(problem)
}

/** Bytes that are not HTTP never reach a route; they still get a problem document. */
export function answerBrokenHttp(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const problem: Problem = problemOf(new ApiError('BAD_REQUEST', 'this is not HTTP'), 'none')
  const body = JSON.stringify(problem)
  const head = [
    'HTTP/1.1 400 Bad Request',
    `content-type: ${PROBLEM_JSON}`,
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
}
