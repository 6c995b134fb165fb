import type { Clock, ClusterLock, Journal } from '@conclave/core'
import type { Decoding, Policy } from '@conclave/policy'
import type { Tracer } from '@conclave/telemetry'
import type { Logger, Transport } from '@conclave/transport'
import type { KeyVault, RecordShelf } from '@conclave/vault'
import type { AuditParts } from './audit/node-audit.ts'
import type { BackupPlan } from './backup/make-backup.ts'
import type { NodeMetrics } from './metrics/node-metrics.ts'
import type { WaterMarks } from './pool/refill.ts'
import type { ProcessMeter } from './process-meter.ts'
import type { SessionPool } from './sessions/session-pool.ts'
import type { Store } from './store/store.ts'

/** Everything that a node is made of; the daemon passes real parts, tests pass the memory twins. */
export interface NodeParts {
  readonly lock: ClusterLock
  readonly name: string
  readonly vault: KeyVault
  readonly transport: Transport
  readonly store: Store
  readonly pool: SessionPool
  /** In force where the lock names no authors. */
  readonly policy: Policy
  /** Of this node alone, on top of the policy. */
  readonly overlay?: Policy | undefined
  readonly decoding?: Decoding
  readonly clock: Clock
  readonly meter: ProcessMeter
  readonly log: Logger
  readonly maxConcurrent: number
  readonly silenceTimeoutMs: number
  /** Of the correlation pool. */
  readonly waterMarks: WaterMarks
  readonly abandonedKeys?: readonly string[]
  /** Sealed records outside the store: what is on no shelf is lost at the next rotation of the KEK. */
  readonly shelves?: readonly RecordShelf[]
  /** Who together can open this node's backups. */
  readonly backup?: BackupPlan | undefined
  /** New keys sign nothing before their operator activates them. */
  readonly explicitActivation?: boolean
  /** Its own tamper-evident log; without one, events are lines of the node's log. */
  readonly audit?: AuditParts
  /** How far the clock may be from those of a quorum under rules that depend on the time. */
  readonly clockSkewMaxMs?: number
  /** What is counted and measured, when somebody asks for it. */
  readonly metrics?: NodeMetrics
  readonly tracer?: Tracer
  /** Default: `audit`. */
  readonly journal?: Journal
}
