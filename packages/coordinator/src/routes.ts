import type { Clock, ClusterLock, NodeMember, Random } from '@conclave/core'
import type { Decoding } from '@conclave/policy'
import type { Transport } from '@conclave/transport'
import type { Admission } from './admission.ts'
import { AvailabilityReport } from './availability.ts'
import type { ClusterView } from './cluster-view.ts'
import type { CoordinatorMetrics } from './coordinator-metrics.ts'
import type { EventStreams } from './events/event-stream.ts'
import { addEventRoutes } from './events/routes-events.ts'
import { type App, refuseOtherMethods } from './http-app.ts'
import type { KeyDirectory } from './key-directory.ts'
import type { KeyDriver } from './key-driver.ts'
import type { KeyLives } from './key-lives.ts'
import type { NodeCalls } from './node-calls.ts'
import { NodeBody, NodeListBody } from './node-schemas.ts'
import { readinessOf } from './observing.ts'
import { about, addDocumentRoute } from './openapi.ts'
import { ApiError } from './problem.ts'
import type { Records } from './record-store.ts'
import { addDerivedRoutes } from './routes-derived.ts'
import { addFreezeRoutes } from './routes-freezes.ts'
import { addKeyRoutes } from './routes-keys.ts'
import { addLogRoutes } from './routes-log.ts'
import { addMetricsRoute } from './routes-metrics.ts'
import { addOperationRoutes } from './routes-operations.ts'
import { addPolicyRoutes } from './routes-policies.ts'
import { addReceiptRoute } from './routes-receipt.ts'
import { addRenewalRoutes } from './routes-renewal.ts'
import { addSigningRoutes } from './routes-signing.ts'
import type { Schedules } from './schedule.ts'
import { HealthBody, NodePath, NoQuery, ReadyBody } from './schemas.ts'
import type { SigningSettings } from './settings.ts'
import type { SigningDriver } from './signing-driver.ts'
import { nodeBody } from './views.ts'

export interface RouteContext {
  readonly lock: ClusterLock
  readonly clock: Clock
  readonly random: Random
  readonly records: Records
  readonly admission: Admission
  readonly view: ClusterView
  readonly directory: KeyDirectory
  readonly keyDriver: KeyDriver
  readonly schedules: Schedules
  readonly lives: KeyLives
  readonly signingDriver: SigningDriver
  readonly signing: SigningSettings
  readonly decoding: Decoding
  readonly transport: Transport
  readonly calls: NodeCalls
  readonly stopping: AbortSignal
  readonly metrics: CoordinatorMetrics
  readonly streams: EventStreams
}

/** Every route of the API. */
export function addRoutes(app: App, ctx: RouteContext): void {
  addKeyRoutes(app, ctx)
  addDerivedRoutes(app, ctx)
  addRenewalRoutes(app, ctx)
  addOperationRoutes(app, ctx)
  addSigningRoutes(app, ctx)
  addEventRoutes(app, ctx)
  addPolicyRoutes(app, ctx)
  addFreezeRoutes(app, ctx)
  addLogRoutes(app, ctx)
  addReceiptRoute(app, ctx)
  addNodeRoutes(app, ctx)
  addMetricsRoute(app, ctx.metrics.registry)
  addDocumentRoute(app)
}

function addNodeRoutes(app: App, { lock, transport, view, directory, admission }: RouteContext): void {
  const bodies = (nodes: readonly NodeMember[]): NodeBody[] => {
    const links = new Map(transport.links().map((link) => [link.member.name, link]))
    const availability = new AvailabilityReport(view, directory.list())
    return nodes.map((node) => {
      const { index, name } = node
      return nodeBody({ node, link: links.get(name), report: view.report(index), availability: availability.of(index) })
    })
  }
  app.get(
    '/v1/nodes',
    {
      config: { role: 'viewer' },
      schema: { ...about('nodes', 'listNodes', 'Every node'), querystring: NoQuery, response: { 200: NodeListBody } },
    },
    async () => ({
      items: bodies(lock.nodes),
    }),
  )
  app.get(
    '/v1/nodes/:index',
    {
      config: { role: 'viewer', problems: ['NODE_NOT_FOUND'] },
      schema: {
        ...about('nodes', 'getNode', 'One node, by its index'),
        params: NodePath,
        querystring: NoQuery,
        response: { 200: NodeBody },
      },
    },
    async ({ params }) => {
      const [body] = bodies(lock.nodes.filter((n) => String(n.index) === params.index))
      if (body === undefined) throw new ApiError('NODE_NOT_FOUND', 'no node of the cluster lock has this index')
      return body
    },
  )
  app.get(
    '/healthz',
    { config: { role: 'nobody', cost: 0 }, schema: { ...about('service', 'getHealth', 'Whether it runs'), response: { 200: HealthBody } } },
    async () => ({ status: 'ok' as const }),
  )
  app.get(
    '/readyz',
    {
      config: { role: 'nobody', cost: 0, problems: ['NOT_READY', 'DRAINING'] },
      schema: { ...about('service', 'getReadiness', 'Whether a quorum of nodes is connected'), response: { 200: ReadyBody } },
    },
    async () => {
      const { isReady, code, detail } = readinessOf({ lock, view, admission })
      if (!isReady) throw new ApiError(code === 'DRAINING' ? code : 'NOT_READY', detail)
      return { status: 'ready' as const, nodesUp: view.upNodes().length, nodesNeeded: lock.quorum.required }
    },
  )
  for (const url of ['/v1/nodes', '/v1/nodes/:index', '/healthz', '/readyz']) refuseOtherMethods(app, url, ['GET'])
}
