import type { AuditEvent } from '@conclave/core'
import { boundedLabel } from '@conclave/telemetry'
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { RequestAct } from '../request-scope.ts'
import type { Job } from '../sessions/job.ts'

/** Upper bounds, in seconds: from a signature with stock on one machine to a key creation far apart. */
const SESSION_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

/** A value of a gauge, with its labels. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** What a node measures of itself, in the format of Prometheus. Events are counted as they come, everything else is read when it is asked for. */
export class NodeMetrics {
  readonly registry = new Registry()
  readonly #code = boundedLabel()
  readonly #requests: Counter<'act' | 'code'>
  readonly #sessions: Histogram<'kind' | 'outcome'>
  readonly #failovers: Counter<'hsm'>

  constructor() {
    const registers = [this.registry]
    this.#requests = new Counter({
      name: 'conclave_node_requests_total',
      help: 'Proposals and attempts that this node has answered, by the code of the verdict, SIGNED, or the code of the error.',
      labelNames: ['act', 'code'],
      registers,
    })
    this.#sessions = new Histogram({
      name: 'conclave_node_session_duration_seconds',
      help: 'Protocol sessions of this node, from their start to their end.',
      labelNames: ['kind', 'outcome'],
      buckets: SESSION_SECONDS,
      registers,
    })
    this.#failovers = new Counter({
      name: 'conclave_node_hsm_failovers_total',
      help: 'How often another HSM took over the work of this one.',
      labelNames: ['hsm'],
      registers,
    })
  }

  requested(act: RequestAct, code: string): void {
    this.#requests.inc({ act, code: this.#code(code) })
  }

  /** @param code - empty when it succeeded. */
  session(kind: Job['kind'], ms: number, code: string): void {
    this.#sessions.observe({ kind, outcome: code === '' ? 'ok' : 'failed' }, Math.max(0, ms) / 1000)
  }

  /** An event of the vault. */
  vaultEvent({ kind, details }: AuditEvent): void {
    if (kind === 'hsm.failover') this.#failovers.inc({ hsm: String(details.from) })
  }

  /** A gauge that is read at every scrape; what has no sample any more is not shown. */
  gauge(name: string, help: string, labelNames: readonly string[], read: () => readonly Sample[] | Promise<readonly Sample[]>): void {
    new Gauge({
      ...{ name, help, labelNames, registers: [this.registry] },
      async collect() {
        const samples = await read()
        this.reset()
        for (const { labels, value } of samples) this.set(labels, value)
      },
    })
  }

  /** A counter that somebody else keeps since the start of the process; only ever read. */
  counter(name: string, help: string, labelNames: readonly string[], read: () => readonly Sample[] | Promise<readonly Sample[]>): void {
    new Counter({
      ...{ name, help, labelNames, registers: [this.registry] },
      async collect() {
        const samples = await read()
        this.reset()
        for (const { labels, value } of samples) this.inc(labels, value)
      },
    })
  }
}
