import type { Clock, ClusterLock, Random } from '@conclave/core'
import type { Transport } from '@conclave/transport'
import type { Admission } from './admission.ts'
import type { ClusterView } from './cluster-view.ts'
import { type App, refuseOtherMethods } from './http-app.ts'
import type { KeyDirectory } from './key-directory.ts'
import type { KeyDriver } from './key-driver.ts'
import { ApiError } from './problem.ts'
import type { Records } from './records.ts'
import { addKeyRoutes } from './routes-keys.ts'
import { addOperationRoutes } from './routes-operations.ts'
import { addRenewalRoutes } from './routes-renewal.ts'
import { addSigningRoutes } from './routes-signing.ts'
import type { Schedules } from './schedule.ts'
import { HealthBody, NodeListBody, NoQuery, ReadyBody } from './schemas.ts'
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
  readonly signingDriver: SigningDriver
  readonly signing: SigningSettings
  readonly transport: Transport
}

/** Every route of the API. */
export function addRoutes(app: App, ctx: RouteContext): void {
  addKeyRoutes(app, ctx)
  addRenewalRoutes(app, ctx)
  addOperationRoutes(app, ctx)
  addSigningRoutes(app, ctx)
  addNodeRoutes(app, ctx)
}

function addNodeRoutes(app: App, { lock, transport, view }: RouteContext): void {
  app.get('/v1/nodes', { config: { role: 'viewer' }, schema: { querystring: NoQuery, response: { 200: NodeListBody } } }, async () => {
    const links = new Map(transport.links().map((link) => [link.member.name, link]))
    return { items: lock.nodes.map((node) => nodeBody(node, links.get(node.name), view.report(node.index))) }
  })
  app.get('/healthz', { config: { role: 'nobody' }, schema: { response: { 200: HealthBody } } }, async () => ({ status: 'ok' as const }))
  app.get('/readyz', { config: { role: 'nobody' }, schema: { response: { 200: ReadyBody } } }, async () => {
    const nodesUp = view.upNodes().length
    const nodesNeeded = lock.quorum.required
    if (nodesUp < nodesNeeded) throw new ApiError('NOT_READY', `${nodesUp} nodes are connected and ${nodesNeeded} are needed`)
    return { status: 'ready' as const, nodesUp, nodesNeeded }
  })
  for (const url of ['/v1/nodes', '/healthz', '/readyz']) refuseOtherMethods(app, url, ['GET'])
}
