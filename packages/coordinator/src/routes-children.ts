import { type DerivationPath, fromHex, PATH_DEPTH_MAX, PATH_INDEX_MAX, parsePath } from '@conclave/core'
import { type BitcoinNetwork, bitcoinAddresses } from '@conclave/policy'
import { deriveChildren } from './child-batch.ts'
import type { ChildRecord } from './child-key-store.ts'
import {
  AddChildrenBody,
  CHILDREN_MAX,
  ChangeChildBody,
  ChildBody,
  ChildListBody,
  ChildPath,
  ChildrenAddedBody,
  ChildrenQuery,
} from './child-schemas.ts'
import { type App, callerOf, refuseOtherMethods } from './http-app.ts'
import { extendedKeyOf } from './key-creation.ts'
import { about } from './openapi.ts'
import { pageQuery } from './pages.ts'
import { ApiError } from './problem.ts'
import type { RouteContext } from './routes.ts'
import { KeyPath, NoQuery } from './schemas.ts'
import { ownKey } from './tenancy.ts'

/** Ten thousand keys are some seconds of work. */
const BULK_COST = 20

interface Asked {
  readonly path: DerivationPath
  readonly label: string | null
  readonly tags: readonly string[]
}

/** @throws {ApiError} BAD_BODY, BAD_PATH; {InvalidArgument} BAD_PATH. */
function askedChildren({ items, prefix, from, count, label = null as unknown as string, tags = [] }: AddChildrenBody): readonly Asked[] {
  if ((items === undefined) === (count === undefined)) throw new ApiError('BAD_BODY', 'body: either items, or count with prefix and from')
  if (items !== undefined) {
    if (prefix !== undefined || from !== undefined) throw new ApiError('BAD_BODY', 'body: with items, each has a path of its own')
    return items.map((item) => ({ path: childPath(item.path), label: item.label ?? label, tags: item.tags ?? tags }))
  }
  const parent = parsePath(prefix ?? 'm')
  const [first, last] = [from ?? 0, (from ?? 0) + (count as number) - 1]
  if (parent.length >= PATH_DEPTH_MAX || last > PATH_INDEX_MAX) throw new ApiError('BAD_PATH', 'body: there are no such children')
  return Array.from({ length: last - first + 1 }, (_, i) => ({ path: [...parent, first + i], label, tags }))
}

function childPath(text: string): DerivationPath {
  const path = parsePath(text)
  if (path.length === 0) throw new ApiError('BAD_PATH', 'm is the key itself, and no child')
  return path
}

function bodyOf({ createdAtMs, tags, ...child }: ChildRecord, network: BitcoinNetwork = 'mainnet'): ChildBody {
  const bitcoin = { ...bitcoinAddresses(fromHex(child.publicKey), network) }
  return { ...child, tags: [...tags], bitcoin, addedAt: new Date(createdAtMs).toISOString() }
}

function addBulkRoute(app: App, ctx: RouteContext): void {
  app.post(
    '/v1/keys/:keyId/derived',
    {
      config: { role: 'requester', cost: BULK_COST, problems: ['KEY_NOT_FOUND', 'TOO_MANY'] },
      schema: {
        ...about('keys', 'addChildren', 'Take child keys into use, up to 10,000 at once; those that are in use already stay as they are'),
        ...{ params: KeyPath, querystring: NoQuery, body: AddChildrenBody, response: { 200: ChildrenAddedBody } },
      },
    },
    async (request) => {
      const key = await ownKey(ctx, callerOf(request).tenant, request.params.keyId)
      const asked = askedChildren(request.body)
      if ((await ctx.children.count(key.keyId)) + asked.length > CHILDREN_MAX)
        throw new ApiError('TOO_MANY', `a key has at most ${CHILDREN_MAX} child keys in use`)
      const derived = await deriveChildren(
        extendedKeyOf(key),
        asked.map((a) => a.path),
      )
      const createdAtMs = ctx.clock.nowMs()
      const rows = derived.map((d, i): ChildRecord => {
        const { label, tags } = asked[i] as Asked
        return { ...d, label, tags, state: 'active', createdAtMs }
      })
      const added = await ctx.children.add(key.keyId, rows)
      return { added, known: rows.length - added }
    },
  )
}

function addOneChildRoutes(app: App, ctx: RouteContext): void {
  const one = '/v1/keys/:keyId/children/:path'
  app.get(
    one,
    {
      config: { role: 'viewer', problems: ['KEY_NOT_FOUND', 'CHILD_NOT_FOUND'] },
      schema: {
        ...about('keys', 'getChild', 'One child key, by its path (m%2F0%2F5)'),
        ...{ params: ChildPath, querystring: NoQuery, response: { 200: ChildBody } },
      },
    },
    async (request) => {
      const { keyId } = await ownKey(ctx, callerOf(request).tenant, request.params.keyId)
      const child = await ctx.children.get(keyId, request.params.path)
      if (child === undefined) throw new ApiError('CHILD_NOT_FOUND', 'no such child key is in use')
      return bodyOf(child, ctx.decoding.bitcoinNetwork)
    },
  )
  app.patch(
    one,
    {
      config: { role: 'admin', problems: ['KEY_NOT_FOUND', 'CHILD_NOT_FOUND', 'CHILD_INACTIVE'] },
      schema: {
        ...about(
          'keys',
          'changeChild',
          'Name, tag, suspend or revoke a child key. This coordinator asks nothing for it then; what nodes refuse is a freeze',
        ),
        ...{ params: ChildPath, querystring: NoQuery, body: ChangeChildBody, response: { 200: ChildBody } },
      },
    },
    async (request) => {
      const { keyId } = await ownKey(ctx, callerOf(request).tenant, request.params.keyId)
      const { path } = request.params
      const child = await ctx.children.change(keyId, path, request.body)
      if (child !== undefined) return bodyOf(child, ctx.decoding.bitcoinNetwork)
      if ((await ctx.children.get(keyId, path)) === undefined) throw new ApiError('CHILD_NOT_FOUND', 'no such child key is in use')
      throw new ApiError('CHILD_INACTIVE', 'a revoked child key stays revoked')
    },
  )
  refuseOtherMethods(app, one, ['GET', 'PATCH'])
}

/** `/v1/keys/{keyId}/children`: child keys that the platform has taken into use, with names, tags and states. */
export function addChildRoutes(app: App, ctx: RouteContext): void {
  addBulkRoute(app, ctx)
  app.get(
    '/v1/keys/:keyId/children',
    {
      config: { role: 'viewer', problems: ['KEY_NOT_FOUND', 'BAD_CURSOR'] },
      schema: {
        ...about('keys', 'listChildren', 'Child keys in use, in the order in which they were added'),
        ...{ params: KeyPath, querystring: ChildrenQuery, response: { 200: ChildListBody } },
      },
    },
    async (request) => {
      const { keyId } = await ownKey(ctx, callerOf(request).tenant, request.params.keyId)
      const { tag, state, address, ...page } = request.query
      const { items, nextCursor } = await ctx.children.list(keyId, pageQuery(page), { tag, state, address })
      return { items: items.map((child) => bodyOf(child, ctx.decoding.bitcoinNetwork)), nextCursor }
    },
  )
  refuseOtherMethods(app, '/v1/keys/:keyId/children', ['GET'])
  addOneChildRoutes(app, ctx)
}
