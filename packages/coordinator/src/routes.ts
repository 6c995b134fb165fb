import type { Clock, ClusterLock, NodeMember, Random } from '@conclave/core'
import type { Decoding } from '@conclave/policy'
import type { Transport } from '@conclave/transport'
import type { Admission } from './admission.ts'
import type { ApiKeyStore } from './api-key-store.ts'
import type { Caller, Callers } from './api-keys.ts'
import { AvailabilityReport } from './availability.ts'
import type { CallLog } from './call-log.ts'
import type { ChildKeyStore } from './child-key-store.ts'
import type { ClusterView } from './cluster-view.ts'
import type { CoordinatorMetrics } from './coordinator-metrics.ts'
import type { Database } from './database/database.ts'
import { type App, callerOf, refuseOtherMethods } from './http-app.ts'
import type { KeyDirectory } from './key-directory.ts'
import type { KeyDriver } from './key-driver.ts'
import type { KeyLives } from './key-lives.ts'
import type { KeyNotes } from './key-notes.ts'
import type { NodeCalls } from './node-calls.ts'
import { NodeBody, NodeListBody } from './node-schemas.ts'
import { readinessOf } from './observing.ts'
import { about, addDocumentRoute } from './openapi.ts'
import { ApiError } from './problem.ts'
import type { Records } from './record-store.ts'
import { addApiKeyRoutes } from './routes-api-keys.ts'
import { addChildRoutes } from './routes-children.ts'
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
import { ownKeys } from './tenancy.ts'
import { nodeBody } from './views.ts'

export interface RouteContext {
  readonly database: Database
  readonly apiKeys: ApiKeyStore
  readonly callers: Callers
  readonly callLog: CallLog
  readonly keyNotes: KeyNotes
  readonly children: ChildKeyStore
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
}

/** Every route of the API. */
export function addRoutes(app: App, ctx: RouteContext): void {
  addKeyRoutes(app, ctx)
  addDerivedRoutes(app, ctx)
  addChildRoutes(app, ctx)
  addRenewalRoutes(app, ctx)
  addOperationRoutes(app, ctx)
  addSigningRoutes(app, ctx)
  addApiKeyRoutes(app, ctx)
  addPolicyRoutes(app, ctx)
  addFreezeRoutes(app, ctx)
  addLogRoutes(app, ctx)
  addReceiptRoute(app, ctx)
  addNodeRoutes(app, ctx)
  addMetricsRoute(app, ctx.metrics.registry)
  addDocumentRoute(app)
}

function addNodeRoutes(app: App, ctx: RouteContext): void {
  const { lock, transport, view, admission } = ctx
  const bodies = async (nodes: readonly NodeMember[], { tenant }: Caller): Promise<NodeBody[]> => {
    const links = new Map(transport.links().map((link) => [link.member.name, link]))
    const own = await ownKeys(ctx, tenant)
    const names = new Set(own.map((key) => key.keyId))
    const availability = new AvailabilityReport(view, own)
    return nodes.map((node) => {
      const { index, name } = node
      const body = nodeBody({ node, link: links.get(name), report: view.report(index), availability: availability.of(index) })
      const keys = body.status?.keys.filter(({ keyId }) => names.has(keyId)) ?? []
      return body.status === null ? body : { ...body, status: { ...body.status, keys } }
    })
  }
  app.get(
    '/v1/nodes',
    {
      config: { role: 'viewer' },
      schema: { ...about('nodes', 'listNodes', 'Every node'), querystring: NoQuery, response: { 200: NodeListBody } },
    },
    async (request) => ({
      items: await bodies(lock.nodes, callerOf(request)),
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
    async (request) => {
      const { index } = request.params
      const [body] = await bodies(
        lock.nodes.filter((n) => String(n.index) === index),
        callerOf(request),
      )
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
