import { Type } from 'typebox'
import { type App, refuseOtherMethods } from './http-app.ts'
import { logFileOf } from './node-looks.ts'
import { about } from './openapi.ts'
import { ApiError } from './problem.ts'
import type { RouteContext } from './routes.ts'
import { NodePath, NoQuery } from './schemas.ts'

const [CHECKPOINT_TYPE, TILE_TYPE] = ['text/plain; charset=utf-8', 'application/octet-stream']
const file = (type: string, description: string) => ({
  content: { [type.split(';')[0] as string]: { schema: Type.Unsafe<Buffer | string>({ type: 'string', description }) } },
})

/** The audit log of each node as it publishes it: the checkpoint and the tiles of hashes (C2SP tlog-tiles), no entries. */
export function addLogRoutes(app: App, ctx: RouteContext): void {
  const fileOf = async (index: string, name: string): Promise<Buffer> => {
    const node = ctx.lock.nodes.find((n) => String(n.index) === index)
    if (node === undefined) throw new ApiError('NODE_NOT_FOUND', 'no node of the cluster lock has this index')
    return Buffer.from(await logFileOf(ctx, node, name))
  }
  const problems = ['NODE_NOT_FOUND', 'LOG_FILE_NOT_FOUND', 'NODE_REFUSED', 'NODES_UNREACHABLE'] as const
  const checkpoint = '/v1/nodes/:index/log/checkpoint'
  app.get(
    checkpoint,
    {
      config: { role: 'viewer', problems },
      schema: {
        ...about('nodes', 'getLogCheckpoint', "The signed checkpoint of a node's log"),
        ...{ params: NodePath, querystring: NoQuery, response: { 200: file(CHECKPOINT_TYPE, 'C2SP tlog-checkpoint') } },
      },
    },
    async ({ params }, reply) => {
      const bytes = await fileOf(params.index, 'checkpoint')
      return reply.type(CHECKPOINT_TYPE).serializer(String).send(bytes.toString())
    },
  )
  const tiles = '/v1/nodes/:index/log/tile/*'
  app.get(
    tiles,
    {
      config: { role: 'viewer', problems },
      schema: {
        ...about('nodes', 'getLogTile', "Hashes of a node's log"),
        ...{ params: NodePath, querystring: NoQuery, response: { 200: file(TILE_TYPE, 'C2SP tlog-tiles') } },
      },
    },
    async ({ params }, reply) => {
      const bytes = await fileOf(params.index, `tile/${(params as { '*'?: string })['*'] ?? ''}`)
      return reply.type(TILE_TYPE).send(bytes)
    },
  )
  for (const url of [checkpoint, tiles]) refuseOtherMethods(app, url, ['GET'])
}
