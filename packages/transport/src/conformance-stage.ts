import type { ClusterLock, IdentitySigner, Member } from '@conclave/core'
import type { TestCluster } from './conformance-cluster.ts'
import type { Logger } from './logger.ts'
import type { DownReason, LinkStatus, Transport, TransportEvents } from './transport.ts'

/** One network for the transports of one test. */
export interface ConformanceWorld {
  transport(init: { lock: ClusterLock; self: string; signer: IdentitySigner; identity?: IdentitySigner; logger: Logger }): Transport
  close(): Promise<void>
}

export interface Seen {
  readonly kind: 'up' | 'down' | 'frame' | 'unproved'
  /** Names: who saw it, about whom. */
  readonly at: string
  readonly from: string
  readonly frame?: Uint8Array
  readonly reason?: DownReason
}

/** Far longer than anything takes; only a broken transport reaches it. */
const DEADLINE_MS = 60_000

/** The transports of one test, everything they report, and a way to wait for it. */
export class Stage {
  readonly seen: Seen[] = []
  readonly logged: { level: string; fields: object; message: string }[] = []
  readonly cluster: TestCluster
  readonly #world: ConformanceWorld
  readonly #transports = new Map<string, Transport>()
  readonly #retired: Transport[] = []
  readonly #waiting = new Set<() => void>()

  constructor(world: ConformanceWorld, cluster: TestCluster) {
    this.#world = world
    this.cluster = cluster
  }

  readonly logger: Logger = {
    debug: (fields, message) => this.#log('debug', fields, message),
    info: (fields, message) => this.#log('info', fields, message),
    warn: (fields, message) => this.#log('warn', fields, message),
    error: (fields, message) => this.#log('error', fields, message),
  }

  /** A transport that is not started, in place of an earlier one of that name. */
  make(name: string, lock: ClusterLock = this.cluster.lock): Transport {
    const before = this.#transports.get(name)
    if (before !== undefined) this.#retired.push(before)
    const identity = this.cluster.identity(name)
    const keys = { signer: this.cluster.signer(name), ...(identity === undefined ? {} : { identity }) }
    const transport = this.#world.transport({ lock, self: name, ...keys, logger: this.logger })
    this.#transports.set(name, transport)
    return transport
  }

  async start(...names: readonly string[]): Promise<void> {
    await Promise.all(names.map((name) => this.make(name).start(this.events(name))))
  }

  events(at: string): TransportEvents {
    return {
      linkUp: (member) => this.#see({ kind: 'up', at, from: member.name }),
      linkDown: (member, reason) => this.#see({ kind: 'down', at, from: member.name, reason }),
      unproved: (member) => this.#see({ kind: 'unproved', at, from: member.name }),
      frame: (member, frame) => this.#see({ kind: 'frame', at, from: member.name, frame }),
    }
  }

  of(name: string): Transport {
    const transport = this.#transports.get(name)
    if (transport === undefined) throw new Error(`no transport ${name} on this stage`)
    return transport
  }

  send(from: string, to: string, frame: Uint8Array): void {
    this.of(from).send(this.cluster.member(to), frame)
  }

  status(at: string, from: string): LinkStatus {
    const status = this.of(at)
      .links()
      .find((l) => l.member.name === from)
    if (status === undefined) throw new Error(`${at} has no link to ${from}`)
    return status
  }

  frames(at: string, from: string): Uint8Array[] {
    return this.seen.flatMap((s) => (s.kind === 'frame' && s.at === at && s.from === from && s.frame !== undefined ? [s.frame] : []))
  }

  ups(at: string, from: string): number {
    return this.seen.filter((s) => s.kind === 'up' && s.at === at && s.from === from).length
  }

  isUp(a: string, b: string): boolean {
    return this.status(a, b).up && this.status(b, a).up
  }

  /** Waits until `condition` holds, looking again after every event and log record. */
  async until(condition: () => boolean, what: string): Promise<void> {
    const done = Promise.withResolvers<void>()
    const look = () => {
      try {
        if (condition()) done.resolve()
      } catch (error) {
        done.reject(error)
      }
    }
    const timer = setTimeout(() => done.reject(new Error(`waited in vain: ${what}`)), DEADLINE_MS)
    this.#waiting.add(look)
    try {
      look()
      await done.promise
    } finally {
      clearTimeout(timer)
      this.#waiting.delete(look)
    }
  }

  async untilUp(...pairs: readonly (readonly [string, string])[]): Promise<void> {
    await this.until(() => pairs.every(([a, b]) => this.isUp(a, b)), `up: ${pairs.map((p) => p.join('-')).join(' ')}`)
  }

  async close(): Promise<void> {
    await Promise.all([...this.#retired, ...this.#transports.values()].map((t) => t.stop()))
    await this.#world.close()
  }

  #log(level: string, fields: object, message: string): void {
    this.logged.push({ level, fields, message })
    this.#poke()
  }

  #see(seen: Seen): void {
    this.seen.push(seen)
    this.#poke()
  }

  #poke(): void {
    // After whoever reports has finished, so that a condition sees the state that the event led to.
    queueMicrotask(() => {
      for (const look of [...this.#waiting]) look()
    })
  }
}

/** For every member `up` and `down` alternate, beginning with `up`, and frames come only while up. */
export function wellFormed(seen: readonly Seen[], at: string, from: Member): boolean {
  let up = false
  for (const s of seen.filter((x) => x.at === at && x.from === from.name && x.kind !== 'unproved')) {
    if (s.kind === 'frame' ? !up : (s.kind === 'up') === up) return false
    if (s.kind !== 'frame') up = s.kind === 'up'
  }
  return true
}
