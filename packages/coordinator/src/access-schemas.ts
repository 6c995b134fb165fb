import { type Static, Type } from 'typebox'
import { closed, OrNull, PAGE_DEFAULT, PAGE_MAX, Time } from './schemas.ts'
import { API_ROLES } from './settings.ts'

const DAY_MS = 86_400_000
export const OVERLAP_MS_DEFAULT = DAY_MS

export const NAME_PATTERN = '^[a-z0-9][a-z0-9-]{0,31}$'
const Name = Type.String({ pattern: NAME_PATTERN })
/** Times in a query are milliseconds since 1970, as everywhere in bodies that are sent. */
export const TimeQuery = {
  fromMs: Type.Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })),
  toMs: Type.Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })),
}
export const PageFields = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: PAGE_MAX, default: PAGE_DEFAULT })),
  cursor: Type.Optional(Type.String({ maxLength: 64 })),
}

export const ApiKeyPath = Type.Object({ name: Type.String({ maxLength: 64 }) })
export const CreateApiKeyBody = Type.Object(
  {
    name: Name,
    role: Type.Enum([...API_ROLES]),
    tenant: Type.Optional(
      Type.String({ pattern: NAME_PATTERN, description: 'Only the administrator of the settings may name another one than its own' }),
    ),
  },
  { ...closed, title: 'CreateApiKey' },
)
export const RotateApiKeyBody = Type.Union([
  Type.Object(
    {
      overlapMs: Type.Optional(
        Type.Integer({
          minimum: 0,
          maximum: 30 * DAY_MS,
          description: `How long the secret before is taken; ${OVERLAP_MS_DEFAULT} without it`,
        }),
      ),
    },
    { ...closed, title: 'RotateApiKey' },
  ),
  Type.Null(),
])

const ApiKeyFields = {
  name: Type.String(),
  tenant: Type.String(),
  role: Type.Enum([...API_ROLES]),
  createdBy: Type.String(),
  createdAt: Time,
  /** Until when the secret before the last rotation is taken. */
  oldUntil: OrNull(Time),
  revokedAt: OrNull(Time),
  /** To the minute. */
  lastUsedAt: OrNull(Time),
}
export const ApiKeyBody = Type.Object(ApiKeyFields, { title: 'ApiKey' })
export type ApiKeyBody = Static<typeof ApiKeyBody>
export const NewApiKeyBody = Type.Object(
  { ...ApiKeyFields, secret: Type.String({ description: 'Told once: what is kept is its hash' }) },
  { title: 'NewApiKey' },
)
export const ApiKeyListBody = Type.Object({ items: Type.Array(ApiKeyBody), nextCursor: OrNull(Type.String()) }, { title: 'ApiKeyList' })
export const ApiKeysQuery = Type.Object({ ...PageFields, tenant: Type.Optional(Name) }, closed)

export const ApiCallsQuery = Type.Object({ ...PageFields, ...TimeQuery, caller: Type.Optional(Type.String({ maxLength: 64 })) }, closed)
const ApiCallBody = Type.Object(
  {
    at: Time,
    /** Null: without a valid key. */
    caller: OrNull(Type.String()),
    method: Type.String(),
    route: OrNull(Type.String()),
    status: Type.Integer(),
    durationMs: Type.Integer(),
    requestId: Type.String({ description: 'x-request-id of the answer' }),
  },
  { title: 'ApiCall' },
)
export const ApiCallListBody = Type.Object({ items: Type.Array(ApiCallBody), nextCursor: OrNull(Type.String()) }, { title: 'ApiCallList' })
