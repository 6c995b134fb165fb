import type { Registry } from 'prom-client'
import { Type } from 'typebox'
import { type App, refuseOtherMethods } from './http-app.ts'
import { about } from './openapi.ts'
import { NoQuery } from './schemas.ts'

/** `/metrics`, in the format of Prometheus, for whoever has the key of a viewer. */
export function addMetricsRoute(app: App, registry: Registry): void {
  const schema = {
    ...about('service', 'getMetrics', 'What it measures, in the format of Prometheus'),
    querystring: NoQuery,
    produces: ['text/plain'],
  }
  app.get('/metrics', { config: { role: 'viewer' }, schema: { ...schema, response: { 200: Type.String() } } }, async (_, reply) => {
    const text = await registry.metrics()
    return reply.header('content-type', registry.contentType).serializer(String).send(text)
  })
  refuseOtherMethods(app, '/metrics', ['GET'])
}
