import { ConclaveError } from '@conclave/core'

interface ProblemKind {
  readonly status: number
  readonly title: string
  readonly retriable?: true
}

/** Every `code` that the API answers with, and what HTTP makes of it. Clients branch on the code. */
const PROBLEMS = {
  UNAUTHENTICATED: { status: 401, title: 'A valid API key is required' },
  FORBIDDEN: { status: 403, title: 'The role of this API key does not allow this' },
  ROUTE_NOT_FOUND: { status: 404, title: 'No such route' },
  METHOD_NOT_ALLOWED: { status: 405, title: 'This route does not have this method' },
  KEY_NOT_FOUND: { status: 404, title: 'No such key' },
  API_KEY_NOT_FOUND: { status: 404, title: 'No such API key' },
  CHILD_NOT_FOUND: { status: 404, title: 'No such child key was added' },
  OPERATION_NOT_FOUND: { status: 404, title: 'No such operation' },
  NODE_NOT_FOUND: { status: 404, title: 'No such node' },
  REQUEST_NOT_FOUND: { status: 404, title: 'No such signing request' },
  LOG_FILE_NOT_FOUND: { status: 404, title: 'No such checkpoint or tile' },
  BAD_REQUEST: { status: 400, title: 'The request cannot be understood' },
  BAD_JSON: { status: 400, title: 'The body is not JSON' },
  BAD_BODY: { status: 400, title: 'The body does not have the right shape' },
  BAD_QUERY: { status: 400, title: 'A query parameter is wrong' },
  BAD_PATH: { status: 400, title: 'The path is wrong' },
  UNKNOWN_FIELD: { status: 400, title: 'A field is not known' },
  DUPLICATE_FIELD: { status: 400, title: 'A field is named twice' },
  BAD_HEX: { status: 400, title: 'Not hexadecimal' },
  BAD_KEY_ID: { status: 400, title: 'Not a key id' },
  BAD_THRESHOLD: { status: 400, title: 'Not a possible quorum' },
  BAD_CURSOR: { status: 400, title: 'Not a cursor of this list' },
  UNKNOWN_PAYLOAD_TYPE: { status: 400, title: 'No decoder for this payload type' },
  PAYLOAD_UNDECODABLE: { status: 400, title: 'What cannot be decoded is not signed' },
  TOO_MANY_SIGNATURES: { status: 400, title: 'More signatures than a request may have' },
  BODY_TOO_LARGE: { status: 413, title: 'The body is too large' },
  PAYLOAD_TOO_LARGE: { status: 413, title: 'The payload is too large' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, title: 'The body must be application/json' },
  IDEMPOTENCY_KEY_REQUIRED: { status: 400, title: 'The Idempotency-Key header is required' },
  BAD_IDEMPOTENCY_KEY: { status: 400, title: 'The Idempotency-Key header is malformed' },
  IDEMPOTENCY_CONFLICT: { status: 409, title: 'This idempotency key was used with another body' },
  API_KEY_EXISTS: { status: 409, title: 'An API key of this name exists or has existed' },
  API_KEY_ENDED: { status: 409, title: 'The API key is revoked' },
  API_KEY_FIXED: { status: 409, title: 'The API key is in the settings of the coordinator' },
  CHILD_INACTIVE: { status: 409, title: 'The child key is suspended or revoked' },
  TOO_MANY: { status: 409, title: 'More than this coordinator keeps' },
  KEY_EXISTS: { status: 409, title: 'A key with this id exists' },
  KEY_BEING_CREATED: { status: 409, title: 'A key with this id is being created' },
  KEY_BUSY: { status: 409, title: 'Another operation on this key is open' },
  RESHARE_NEEDED: { status: 409, title: 'Not every party of the key can take part: a refresh needs all of them' },
  PAIR_BURNED: { status: 409, title: 'Two nodes have a burned pair' },
  COMMITTEE_CHANGED: { status: 409, title: 'The nodes of the cluster lock have changed since this was asked' },
  REQUEST_EXISTS: { status: 409, title: 'This signed request was sent before' },
  APPROVAL_REFUSED: { status: 409, title: 'No node took the approval' },
  RECEIPT_NOT_READY: { status: 409, title: 'There is no receipt yet', retriable: true },
  NO_RECEIPT: { status: 404, title: 'Nothing was signed that there could be a receipt of' },
  RECEIPT_REFUSED: { status: 502, title: 'What the nodes answered is no receipt that verifies' },
  REJECTED: { status: 403, title: 'Rejected by an approver' },
  APPROVALS_MISSING: { status: 504, title: 'Not enough approvals in time', retriable: true },
  REQUEST_ENDED: { status: 409, title: 'The signing request has already ended' },
  RATE_LIMITED: { status: 429, title: 'Too many calls', retriable: true },
  TOO_MANY_OPEN: { status: 429, title: 'Too many requests are open', retriable: true },
  POLICY_DENIED: { status: 403, title: 'Denied by the nodes' },
  CANCELLED: { status: 409, title: 'Cancelled' },
  NODE_REFUSED: { status: 502, title: 'The node did not answer that' },
  NODES_UNREACHABLE: { status: 503, title: 'Not every node is reachable', retriable: true },
  KEY_CREATION_FAILED: { status: 502, title: 'The nodes did not create the key' },
  KEY_RENEWAL_FAILED: { status: 502, title: 'The nodes did not renew the key' },
  KEY_MISMATCH: { status: 502, title: 'The nodes answered different keys' },
  QUORUM_UNREACHABLE: { status: 503, title: 'Too few nodes are able to sign', retriable: true },
  DEADLINE_EXCEEDED: { status: 504, title: 'The deadline has passed', retriable: true },
  SIGNING_FAILED: { status: 502, title: 'Every attempt to sign failed', retriable: true },
  STORE_UNAVAILABLE: { status: 503, title: 'The database cannot be used at the moment', retriable: true },
  NOT_READY: { status: 503, title: 'Too few nodes are connected', retriable: true },
  DRAINING: { status: 503, title: 'The coordinator takes no new requests', retriable: true },
  STOPPING: { status: 503, title: 'The coordinator is stopping', retriable: true },
  INTERNAL: { status: 500, title: 'Internal error' },
} as const satisfies Record<string, ProblemKind>

export type ProblemCode = keyof typeof PROBLEMS

export interface NodeVerdict {
  /** The node's index in the cluster lock. */
  readonly node: number
  readonly allowed: boolean
  readonly code: string
  readonly reason: string
  readonly rule: string
}

/** RFC 9457 problem details with our extensions. */
export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly code: string
  readonly detail: string
  readonly retriable: boolean
  /** Of the HTTP exchange, or of the operation or signing request that ended so. */
  readonly requestId: string
  readonly nodeVerdicts?: readonly NodeVerdict[]
}

const RETRY_AFTER_S = 1

/** Something that the caller is told, by a code of the table above. */
export class ApiError extends ConclaveError {
  readonly nodeVerdicts: readonly NodeVerdict[] | undefined
  /** When it makes sense to ask again, for statuses that say so. */
  readonly retryAfterS: number

  constructor(
    code: ProblemCode,
    message: string,
    options: { cause?: unknown; retriable?: boolean; nodeVerdicts?: readonly NodeVerdict[]; retryAfterS?: number } = {},
  ) {
    const kind: ProblemKind = PROBLEMS[code]
    super(code, message, { cause: options.cause, retriable: options.retriable ?? kind.retriable ?? false })
    this.nodeVerdicts = options.nodeVerdicts
    this.retryAfterS = options.retryAfterS ?? RETRY_AFTER_S
  }
}

export function statusOf(code: ProblemCode): number {
  return PROBLEMS[code].status
}

/** Whether an answer with this code says when it makes sense to ask again. */
export function saysRetryAfter(code: ProblemCode): boolean {
  const { status, retriable }: ProblemKind = PROBLEMS[code]
  return status === 429 || status === 503 || (status === 409 && retriable === true)
}

export function titleOf(code: ProblemCode): string {
  return PROBLEMS[code].title
}

export function isProblemCode(code: string): code is ProblemCode {
  return Object.hasOwn(PROBLEMS, code)
}

/** The problem document of an error. `status` overrides the table for what HTTP itself decided. */
export function problemOf(error: ApiError, requestId: string, status?: number): Problem {
  const kind: ProblemKind = PROBLEMS[error.code as ProblemCode]
  return {
    type: `urn:conclave:problem:${error.code}`,
    title: kind.title,
    status: status ?? kind.status,
    code: error.code,
    detail: error.message,
    retriable: error.retriable,
    requestId,
    ...(error.nodeVerdicts === undefined ? {} : { nodeVerdicts: error.nodeVerdicts }),
  }
}
