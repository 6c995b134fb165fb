import { boundedLabel } from '@conclave/telemetry'
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { isOver, type SigningRecord } from './records.ts'

/** Upper bounds, in seconds: a signature on one machine to one that waits for people. */
const REQUEST_SECONDS = [0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600]
const HTTP_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 30]
const STORE_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5]
const ROUTES_MAX = 128
const METHODS_MAX = 16

export type StoreOperation = 'admit' | 'save'

export interface HttpExchange {
  readonly method: string
  /** As it is declared, with the names of its parameters; undefined for a path that is none. */
  readonly route: string | undefined
  readonly status: number
  readonly seconds: number
}

/** What is read at each scrape. */
export interface CoordinatorGauges {
  /** Open signing requests, by state. */
  open(): ReadonlyMap<string, number>
  nodesUp(): readonly string[]
  /** Nodes that could sign now, as far as they say. */
  nodesAble(): readonly string[]
  /** How many it takes. */
  nodesNeeded(): number
  nodes(): readonly string[]
  isDraining(): boolean
}

/** What a coordinator measures, in the format of Prometheus. */
export class CoordinatorMetrics {
  readonly registry = new Registry()
  readonly #code = boundedLabel()
  readonly #route = boundedLabel(ROUTES_MAX)
  readonly #method = boundedLabel(METHODS_MAX)
  readonly #requests: Counter<'state' | 'code'>
  readonly #attempts: Counter<'outcome' | 'code'>
  readonly #durations: Histogram<'state'>
  readonly #http: Histogram<'method' | 'route' | 'status'>
  readonly #store: Histogram<'operation' | 'outcome'>

  constructor() {
    const registers = [this.registry]
    this.#requests = new Counter({
      name: 'conclave_coordinator_requests_total',
      help: 'Signing requests that have ended, by their last state and the code of the problem; empty for those that were signed.',
      labelNames: ['state', 'code'],
      registers,
    })
    this.#durations = new Histogram({
      name: 'conclave_coordinator_request_duration_seconds',
      help: 'From the admission of a signing request to its end.',
      labelNames: ['state'],
      buckets: REQUEST_SECONDS,
      registers,
    })
    this.#attempts = new Counter({
      name: 'conclave_coordinator_attempts_total',
      help: 'Attempts of the requests that have ended, by outcome and code; empty where nothing went wrong.',
      labelNames: ['outcome', 'code'],
      registers,
    })
    this.#http = new Histogram({
      name: 'conclave_coordinator_http_duration_seconds',
      help: 'Exchanges over HTTP, from the first byte to the last; those that wait for a request to end count too.',
      labelNames: ['method', 'route', 'status'],
      buckets: HTTP_SECONDS,
      registers,
    })
    this.#store = new Histogram({
      name: 'conclave_coordinator_store_duration_seconds',
      help: 'Until a change of a signing request is kept.',
      labelNames: ['operation', 'outcome'],
      buckets: STORE_SECONDS,
      registers,
    })
  }

  /** A signing request is not driven any more; one that is still open counts at its end. */
  ended(record: SigningRecord): void {
    if (!isOver(record)) return
    const { state, error, attempts, createdAtMs, endedAtMs } = record
    this.#requests.inc({ state, code: error === null ? '' : this.#code(error.code) })
    this.#durations.observe({ state }, Math.max(0, (endedAtMs ?? createdAtMs) - createdAtMs) / 1000)
    for (const { outcome, code } of attempts) this.#attempts.inc({ outcome, code: code === null ? '' : this.#code(code) })
  }

  exchanged({ method, route = 'none', status, seconds }: HttpExchange): void {
    this.#http.observe({ method: this.#method(method), route: this.#route(route), status: String(status) }, seconds)
  }

  /** Times one change of what is stored. */
  async stored<T>(operation: StoreOperation, act: () => Promise<T>): Promise<T> {
    const end = this.#store.startTimer({ operation })
    try {
      const result = await act()
      end({ outcome: 'ok' })
      return result
    } catch (error) {
      end({ outcome: 'failed' })
      throw error
    }
  }

  /** Adds what is read at each scrape. */
  watch({ open, nodes, nodesUp, nodesAble, nodesNeeded, isDraining }: CoordinatorGauges): void {
    const registers = [this.registry]
    new Gauge({
      ...{
        name: 'conclave_coordinator_requests_open',
        help: 'Signing requests that are open, by state.',
        labelNames: ['state'],
        registers,
      },
      collect() {
        this.reset()
        for (const [state, count] of open()) this.set({ state }, count)
      },
    })
    const perNode = (name: string, help: string, read: () => readonly string[]) =>
      new Gauge({
        ...{ name, help, labelNames: ['node'], registers },
        collect() {
          const those = read()
          for (const node of nodes()) this.set({ node }, those.includes(node) ? 1 : 0)
        },
      })
    perNode('conclave_coordinator_node_up', '1 while the node is connected and does not leave.', nodesUp)
    perNode('conclave_coordinator_node_able', '1 while the node is able to sign with others, as far as they say.', nodesAble)
    const flag = (name: string, help: string, read: () => boolean) =>
      new Gauge({
        ...{ name, help, registers },
        collect() {
          this.set(read() ? 1 : 0)
        },
      })
    const isAble = () => nodesAble().length >= nodesNeeded()
    flag('conclave_coordinator_quorum_able', '1 while as many nodes as the cluster lock asks for are able to sign.', isAble)
    flag('conclave_coordinator_draining', '1 from the moment on at which the coordinator was told to stop.', isDraining)
  }
}
