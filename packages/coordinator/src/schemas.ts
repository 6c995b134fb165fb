import { Type } from 'typebox'

/** Longest time that a GET waits for a terminal state. */
export const WAIT_MS_MAX = 30_000
export const PAGE_MAX = 200
export const PAGE_DEFAULT = 50
export const PATH_CHARS_MAX = 256

/** Bodies and queries are closed: a field that is not known is refused, because it may be a misspelt one. */
export const closed = { additionalProperties: false }
export const hexBytes = (bytes: number) => Type.String({ pattern: `^[0-9a-f]{${2 * bytes}}$` })

export const KeyPath = Type.Object({ keyId: Type.String({ maxLength: 64 }) })
export const OperationPath = Type.Object({ operationId: Type.String({ maxLength: 64 }) })
export const SigningPath = Type.Object({ requestId: Type.String({ maxLength: 64 }) })

export const NodePath = Type.Object({ index: Type.String({ maxLength: 2 }) })

export const NoQuery = Type.Object({}, closed)
export const WaitQuery = Type.Object({ waitMs: Type.Optional(Type.Integer({ minimum: 0, maximum: WAIT_MS_MAX })) }, closed)
export const PageQuery = Type.Object(
  {
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: PAGE_MAX, default: PAGE_DEFAULT })),
    cursor: Type.Optional(Type.String({ maxLength: 64 })),
  },
  closed,
)

export const NodeVerdictBody = Type.Object(
  {
    node: Type.Integer(),
    allowed: Type.Boolean(),
    code: Type.String(),
    reason: Type.String(),
    rule: Type.String(),
  },
  { title: 'NodeVerdict' },
)

export const ProblemBody = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    code: Type.String(),
    detail: Type.String(),
    retriable: Type.Boolean(),
    requestId: Type.String(),
    nodeVerdicts: Type.Optional(Type.Array(NodeVerdictBody)),
  },
  { title: 'Problem' },
)

export const OrNull = <T extends Parameters<typeof Type.Union>[0][number]>(type: T) => Type.Union([type, Type.Null()])
export const Time = Type.String({ description: 'ISO 8601, UTC' })

export const HealthBody = Type.Object({ status: Type.Literal('ok') }, { title: 'Health' })
export const ReadyBody = Type.Object(
  { status: Type.Literal('ready'), nodesUp: Type.Integer(), nodesNeeded: Type.Integer() },
  { title: 'Ready' },
)
