import { setImmediate } from 'node:timers/promises'
import { deriveChild, type ExtendedKey, PATH_DEPTH_MAX, PATH_INDEX_MAX, parsePath } from '@conclave/core'
import type { BitcoinNetwork } from '@conclave/policy'
import { childKey } from './child-keys.ts'
import { type App, callerOf, refuseOtherMethods } from './http-app.ts'
import { extendedKeyOf } from './key-creation.ts'
import { DERIVED_DEFAULT, DerivedBody, type DerivedKeyBody, DerivedQuery } from './key-schemas.ts'
import { about } from './openapi.ts'
import { ApiError } from './problem.ts'
import type { RouteContext } from './routes.ts'
import { KeyPath } from './schemas.ts'
import { ownKey } from './tenancy.ts'
import { derivedKeyBody } from './views.ts'

/** Keys that are derived before others get their turn: about ten milliseconds of work. */
const BATCH = 20

interface Range {
  readonly network: BitcoinNetwork | undefined
  readonly prefix: string
  readonly from: number
  readonly count: number
}

/** Children `from` to `from + count - 1` of the key at `prefix`; fewer where the indices end. */
async function deriveRange(root: ExtendedKey, { network, prefix, from, count }: Range): Promise<DerivedKeyBody[]> {
  const path = parsePath(prefix)
  if (path.length === PATH_DEPTH_MAX)
    throw new ApiError('BAD_PATH', `prefix: at most ${PATH_DEPTH_MAX - 1} levels, for its children have one more`)
  const parent = childKey(root, path)
  const items: DerivedKeyBody[] = []
  for (let index = from; index < from + count && index <= PATH_INDEX_MAX; index++) {
    items.push(derivedKeyBody([...path, index], deriveChild(parent, [index]), network))
    if (items.length % BATCH === 0) await setImmediate()
  }
  return items
}

/** `/v1/keys/{keyId}/derived`: public keys and addresses below a key. Nothing is stored, and no node is asked. */
export function addDerivedRoutes(app: App, ctx: RouteContext): void {
  const { decoding } = ctx
  const url = '/v1/keys/:keyId/derived'
  app.get(
    url,
    {
      config: { role: 'viewer', problems: ['KEY_NOT_FOUND'] },
      schema: {
        ...about('keys', 'deriveKeys', 'Public keys and addresses below a key, which nothing remembers'),
        ...{ params: KeyPath, querystring: DerivedQuery, response: { 200: DerivedBody } },
      },
    },
    async (request) => {
      const { path, prefix, from, count } = request.query
      const key = await ownKey(ctx, callerOf(request).tenant, request.params.keyId)
      const root = extendedKeyOf(key)
      if (path === undefined) {
        const range = { prefix: prefix ?? 'm', from: from ?? 0, count: count ?? DERIVED_DEFAULT }
        return { items: await deriveRange(root, { ...range, network: decoding.bitcoinNetwork }) }
      }
      if (prefix !== undefined || from !== undefined || count !== undefined) {
        throw new ApiError('BAD_QUERY', 'query: either path, or prefix, from and count')
      }
      const levels = parsePath(path)
      return derivedKeyBody(levels, childKey(root, levels), decoding.bitcoinNetwork)
    },
  )
  refuseOtherMethods(app, url, ['GET', 'POST'])
}
