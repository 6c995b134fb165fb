import type { ClusterLock } from '@conclave/core'
import { NO_TRACER, openListener, openOtlpTracer, type Readiness, type Tracer } from '@conclave/telemetry'
import { watchProcess } from '@conclave/telemetry/metrics'
import type { Logger } from 'pino'
import type { Admission } from './admission.ts'
import { AvailabilityReport } from './availability.ts'
import type { ClusterView } from './cluster-view.ts'
import { CoordinatorMetrics } from './coordinator-metrics.ts'
import type { KeyDirectory } from './key-directory.ts'
import type { CoordinatorSettings } from './settings.ts'
import type { SigningDriver } from './signing-driver.ts'

export interface ObservedParts {
  readonly lock: ClusterLock
  readonly view: ClusterView
  readonly directory: KeyDirectory
  readonly admission: Admission
  readonly signingDriver: SigningDriver
}

/** What a coordinator shows of itself: metrics, readiness, traces. */
export interface Observing {
  readonly metrics: CoordinatorMetrics
  readonly tracer: Tracer
  /** Begins to read the parts at each scrape, and to answer on the address of the settings, if there is one. @throws {ConfigError} METRICS_LISTEN. */
  watch(parts: ObservedParts): Promise<void>
  /** Never rejects. */
  close(): Promise<void>
}

/** Whether a quorum of nodes is connected, and new requests are taken. */
export function readinessOf({ lock, view, admission }: Pick<ObservedParts, 'lock' | 'view' | 'admission'>): Readiness {
  const [nodesUp, needed] = [view.upNodes().length, lock.quorum.required]
  if (admission.isClosed) return { isReady: false, code: 'DRAINING', detail: 'the coordinator is stopping' }
  if (nodesUp < needed) return { isReady: false, code: 'NOT_READY', detail: `${nodesUp} nodes are connected and ${needed} are needed` }
  return { isReady: true, code: 'READY', detail: `${nodesUp} nodes are connected` }
}

export async function openObserving({ coordinator, metrics: at, tracing }: CoordinatorSettings, logger: Logger): Promise<Observing> {
  const metrics = new CoordinatorMetrics()
  const failed = (what: string) => (reason: string) => logger.warn({ reason }, what)
  const otlp = tracing && { url: tracing.otlp, service: 'conclave-coordinator', instance: coordinator.name }
  const tracer = otlp === undefined ? NO_TRACER : await openOtlpTracer({ ...otlp, failed: failed('traces could not be sent') })
  const opened = new AsyncDisposableStack()
  opened.defer(() => tracer.close())
  return {
    metrics,
    tracer,
    async watch(parts) {
      const { lock, view, directory, admission, signingDriver } = parts
      const nameOf = ({ name }: { readonly name: string }) => name
      const ableNodes = () => {
        const report = new AvailabilityReport(view, directory.list())
        return lock.nodes.filter(({ index }) => report.of(index).able).map(nameOf)
      }
      metrics.watch({
        open: () => signingDriver.open(),
        nodes: () => lock.nodes.map(nameOf),
        nodesUp: () => view.upNodes().map(nameOf),
        nodesAble: ableNodes,
        nodesNeeded: () => lock.quorum.required,
        isDraining: () => admission.isClosed,
      })
      opened.defer(watchProcess(metrics.registry))
      if (at === undefined) return
      const { registry } = metrics
      const listener = await openListener({
        ...{ listen: at.listen, registry, ready: () => readinessOf(parts), failed: failed('metrics could not be read') },
      })
      opened.defer(() => listener.close())
      logger.info({ url: listener.url }, 'metrics are served')
    },
    close: () => opened.disposeAsync(),
  }
}
