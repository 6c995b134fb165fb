import { type FreezeBody, FreezeListBody, FreezesQuery, ShownFreezes } from './cluster-schemas.ts'
import { type App, callerOf, refuseOtherMethods } from './http-app.ts'
import { lookAtAll, topicOf } from './node-looks.ts'
import { about } from './openapi.ts'
import type { RouteContext } from './routes.ts'
import { ownKeys } from './tenancy.ts'

const KEY_OF_SCOPE = /^(?:key|child):([^/]*)/
const FREEZES = topicOf('freezes', ShownFreezes)

/** `/v1/freezes`: what nodes and approvers have frozen. A coordinator freezes nothing, and thaws nothing. */
export function addFreezeRoutes(app: App, ctx: RouteContext): void {
  app.get(
    '/v1/freezes',
    {
      config: { role: 'viewer', problems: ['NODES_UNREACHABLE'] },
      schema: {
        ...about('policies', 'listFreezes', 'What is frozen, and at which nodes'),
        ...{ querystring: FreezesQuery, response: { 200: FreezeListBody } },
      },
    },
    async (request) => {
      const { active } = request.query
      const own = new Set((await ownKeys(ctx, callerOf(request).tenant)).map((key) => key.keyId))
      const byState = new Map<string, FreezeBody>()
      for (const { node, shown } of await lookAtAll(ctx, FREEZES, { nodes: ctx.lock.nodes.map((n) => n.index) })) {
        for (const freeze of shown?.freezes ?? []) {
          if (active !== undefined && freeze.isActive !== active) continue
          // One of the whole cluster concerns everybody.
          const keyId = KEY_OF_SCOPE.exec(freeze.scope)?.[1]
          if (keyId !== undefined && !own.has(keyId)) continue
          // Nodes that say different things of one freeze stand apart.
          const text = JSON.stringify(freeze)
          const known = byState.get(text) ?? { ...freeze, nodes: [] }
          known.nodes.push(node)
          byState.set(text, known)
        }
      }
      return { items: [...byState.values()].sort((a, b) => (a.at < b.at ? 1 : -1)) }
    },
  )
  refuseOtherMethods(app, '/v1/freezes', ['GET'])
}
