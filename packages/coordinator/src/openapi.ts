import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyContextConfig, FastifySchema } from 'fastify'
import { Type } from 'typebox'
import { IDEMPOTENCY_KEY } from './admission.ts'
import type { App } from './http-app.ts'
import { hoistNamed } from './openapi-components.ts'
import { type ProblemCode, saysRetryAfter, statusOf, titleOf } from './problem.ts'
import { ProblemBody } from './schemas.ts'

const DOCS = '/docs'
const DOCUMENT = '/v1/openapi.json'
/** The page has its scripts, styles and pictures from here and calls nothing but this API. */
const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const TAGS = [
  ['keys', 'Keys of the cluster, their children, their renewal'],
  ['signing', 'Requests for signatures, and what became of them'],
  ['operations', 'What takes longer than an answer'],
  ['policies', 'What the nodes judge by, who approves, what is frozen: each node in its own words'],
  ['nodes', 'The nodes as the coordinator sees them'],
  ['access', 'Who may call, and who has called'],
  ['service', 'This coordinator'],
] as const
/** What the document says of a route in one line, and what generated clients call it. */
export function about(tag: (typeof TAGS)[number][0], operationId: string, summary: string) {
  return { operationId, tags: [tag], summary }
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What the route answers beside what every route may; it is in the document, and the tests hold the route to it. */
    problems?: readonly ProblemCode[]
    /** It is done once for each Idempotency-Key, which it needs. */
    idempotent?: true
  }
}

/** Codes that follow from what a route is. */
function commonProblems(method: string, schema: FastifySchema, { role, idempotent, cost }: FastifyContextConfig): readonly ProblemCode[] {
  const codes: ProblemCode[] = ['INTERNAL', 'BAD_REQUEST', 'BAD_QUERY']
  if (role !== 'nobody') codes.push('UNAUTHENTICATED', 'STORE_UNAVAILABLE')
  if (cost !== 0) codes.push('RATE_LIMITED')
  if (role !== 'nobody' && role !== 'viewer') codes.push('FORBIDDEN')
  if (schema.querystring !== undefined) codes.push('UNKNOWN_FIELD')
  if (schema.params !== undefined) codes.push('BAD_PATH')
  if (method !== 'GET') codes.push('BAD_JSON', 'DUPLICATE_FIELD', 'BODY_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE')
  if (schema.body !== undefined) codes.push('BAD_BODY', 'UNKNOWN_FIELD')
  if (idempotent === true) codes.push('IDEMPOTENCY_KEY_REQUIRED', 'BAD_IDEMPOTENCY_KEY', 'IDEMPOTENCY_CONFLICT', 'DRAINING')
  return codes
}

/** One response for each status, which tells the codes that it may have. */
function problemResponses(codes: readonly ProblemCode[]): Record<string, unknown> {
  const byStatus = Map.groupBy([...new Set(codes)].sort(), statusOf)
  const response = (of: readonly ProblemCode[]) => ({
    description: of.map((code) => `\`${code}\`: ${titleOf(code)}`).join('. '),
    ...(of.some(saysRetryAfter) ? { headers: RetryAfter } : {}),
    content: {
      'application/problem+json': { schema: { allOf: [ProblemBody, { type: 'object', properties: { code: { enum: [...of] } } }] } },
    },
  })
  return Object.fromEntries([...byStatus].map(([status, of]) => [String(status), response(of)]))
}

/** Statuses that come with the header. */
const RetryAfter = { 'retry-after': { type: 'integer', description: 'Seconds' } } as const

const DONE: Readonly<Record<string, string>> = { 201: 'Accepted, and kept', 202: 'Accepted, and kept: an operation goes on with it' }

function described(responses: unknown): Record<string, object> {
  const entries = Object.entries((responses ?? {}) as Readonly<Record<string, object>>)
  return Object.fromEntries(entries.map(([status, schema]) => [status, { 'x-response-description': DONE[status] ?? 'Done', ...schema }]))
}

const IdempotencyHeader = Type.Object({
  'idempotency-key': Type.String({
    pattern: IDEMPOTENCY_KEY.source,
    description: 'A fresh one for each call that is meant. The same key and body get the first answer again.',
  }),
})

function documented(method: string, schema: FastifySchema, config: FastifyContextConfig): FastifySchema {
  if (schema.hide === true) return schema
  const codes = [...commonProblems(method, schema, config), ...(config.problems ?? [])]
  return {
    ...schema,
    ...(config.idempotent === true ? { headers: IdempotencyHeader } : {}),
    ...(config.role === 'nobody' ? { security: [] } : {}),
    description: [schema.description, `Role: ${config.role ?? 'admin'}.`].filter((d) => d !== undefined).join('\n\n'),
    response: { ...described(schema.response), ...problemResponses(codes) },
  }
}

/** The rest of a path, slashes and all, is a parameter that the document calls `path`. */
function withRest(url: string, schema: FastifySchema): FastifySchema {
  if (!url.endsWith('*') || schema.hide === true) return schema
  const { properties = {} } = (schema.params ?? {}) as { properties?: Record<string, object> }
  return { ...schema, params: { type: 'object', properties: { ...properties, path: { type: 'string' } } } }
}

interface OneOf {
  readonly anyOf?: readonly { readonly type?: unknown }[]
}
interface Body {
  required: boolean
  readonly content: Readonly<Record<string, { schema: OneOf }>>
}

/** A body that may be null is one that may be left out. */
function withOptionalBodies<D extends { paths?: object }>(document: D): D {
  const operations = Object.values(document.paths ?? {}).flatMap((methods: Record<string, { requestBody?: Body }>) =>
    Object.values(methods),
  )
  for (const { requestBody } of operations) {
    const media = requestBody?.content['application/json']
    const rest = media?.schema.anyOf?.filter(({ type }) => type !== 'null')
    if (requestBody === undefined || media === undefined || rest?.length !== 1) continue
    requestBody.required = false
    media.schema = rest[0] as OneOf
  }
  return document
}

/** Collects the routes that are added afterwards into an OpenAPI 3.1 document, and serves it with a page to browse it. */
export async function addOpenApi(app: App): Promise<void> {
  app.addHook('onRoute', (route) => {
    if (route.url !== DOCS && !route.url.startsWith(`${DOCS}/`)) return
    route.config = { ...route.config, role: 'nobody' }
  })
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.1',
      info: {
        title: 'Conclave coordinator',
        version: '1',
        description:
          'Keys and signatures of a threshold cluster. Errors are problem details (RFC 9457) with a stable `code`: clients branch on it. Fields may be added to answers.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      tags: TAGS.map(([name, description]) => ({ name, description })),
      components: { securitySchemes: { apiKey: { type: 'http', scheme: 'bearer', description: 'An API key of this coordinator' } } },
      security: [{ apiKey: [] }],
    },
    transform: ({ schema, url, route }) => {
      const config: FastifyContextConfig = route.config ?? {}
      const method = Array.isArray(route.method) ? (route.method[0] ?? 'GET') : route.method
      return { url: url.replace(/\*$/, ':path'), schema: withRest(url, documented(method, schema ?? { hide: true }, config)) }
    },
    transformObject: (made) => ('openapiObject' in made ? hoistNamed(withOptionalBodies(made.openapiObject)) : made.swaggerObject),
  })
  await app.register(swaggerUi, {
    routePrefix: DOCS,
    staticCSP: PAGE_POLICY,
    uiConfig: { url: DOCUMENT, deepLinking: true, validatorUrl: null, persistAuthorization: false },
  })
}

/** Call after every other route. */
export function addDocumentRoute(app: App): void {
  app.get(DOCUMENT, { config: { role: 'nobody' }, schema: { hide: true } }, async () => app.swagger())
}
