import type { Registry } from 'prom-client'
import { type App, refuseOtherMethods } from './http-app.ts'
import { NoQuery } from './schemas.ts'

/** `/metrics`, in the format of Prometheus, for whoever has the key of a viewer. */
export function addMetricsRoute(app: App, registry: Registry): void {
  app.get('/metrics', { config: { role: 'viewer' }, schema: { querystring: NoQuery } }, async (_, reply) => {
    const text = await registry.metrics()
    return reply.header('content-type', registry.contentType).serializer(String).send(text)
  })
  refuseOtherMethods(app, '/metrics', ['GET'])
}
