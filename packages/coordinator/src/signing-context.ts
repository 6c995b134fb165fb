import type { Clock } from '@conclave/core'
import type { Logger } from 'pino'
import type { ClusterView } from './cluster-view.ts'
import type { CoordinatorMetrics } from './coordinator-metrics.ts'
import type { Doubts } from './doubts.ts'
import type { KeyDirectory } from './key-directory.ts'
import type { NodeCalls } from './node-calls.ts'
import type { NodeLoads } from './node-loads.ts'
import type { Records } from './record-store.ts'
import type { SigningSettings } from './settings.ts'
import type { Limiter } from './wait.ts'

/** What every signing request shares. */
export interface SigningContext {
  readonly view: ClusterView
  readonly calls: NodeCalls
  readonly records: Records
  readonly directory: KeyDirectory
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: CoordinatorMetrics
  readonly settings: SigningSettings
  readonly slots: Limiter
  readonly loads: NodeLoads
  readonly doubts: Doubts
  /** Aborts when the coordinator stops: jobs return and leave their record open. */
  readonly stopping: AbortSignal
}
