import { openListener, openOtlpTracer, type Readiness } from '@conclave/telemetry'
import type { Logger } from '@conclave/transport'
import type { NodeParts } from '../node-parts.ts'
import type { NodeSettings } from '../settings.ts'
import type { NodeMetrics } from './node-metrics.ts'

/** What a node shows of itself to its operator's monitoring. */
export interface NodeTelemetry {
  readonly parts: Pick<NodeParts, 'metrics' | 'tracer'>
  /** From now on it may be ready; until then it is STARTING. */
  serve(ready: () => Promise<Readiness>): void
  /** Never rejects. Safe to call twice. */
  close(): Promise<void>
}

/** Opens what the settings ask for: nothing by default. @throws {ConfigError} METRICS_LISTEN. */
export async function openTelemetry(
  { name, metricsListen, otlpUrl }: Pick<NodeSettings, 'name' | 'metricsListen' | 'otlpUrl'>,
  log: Logger,
): Promise<NodeTelemetry> {
  await using opened = new AsyncDisposableStack()
  let ready: () => Readiness | Promise<Readiness> = () => ({ isReady: false, code: 'STARTING', detail: 'the node is starting' })
  const parts: { metrics?: NodeMetrics; tracer?: NodeParts['tracer'] } = {}
  if (metricsListen !== undefined) {
    // Loaded here: who is asked for no metrics does not pay for them.
    const [{ NodeMetrics }, { watchProcess }] = await Promise.all([import('./node-metrics.ts'), import('@conclave/telemetry/metrics')])
    const metrics = new NodeMetrics()
    parts.metrics = metrics
    opened.defer(watchProcess(metrics.registry))
    const failed = (reason: string) => log.warn({ reason }, 'metrics could not be read')
    const listener = await openListener({ listen: metricsListen, registry: metrics.registry, ready: () => ready(), failed })
    opened.defer(() => listener.close())
    log.info({ url: listener.url }, 'metrics are served')
  }
  if (otlpUrl !== undefined) {
    const failed = (reason: string) => log.warn({ reason }, 'traces could not be sent')
    const tracer = await openOtlpTracer({ url: otlpUrl, service: 'conclave-node', instance: name, failed })
    parts.tracer = tracer
    opened.defer(() => tracer.close())
  }
  const kept = opened.move()
  return {
    parts: parts as NodeTelemetry['parts'],
    serve(given) {
      ready = given
    },
    close: () => kept.disposeAsync(),
  }
}
