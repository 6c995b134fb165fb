import type { ChildProcess } from 'node:child_process'
import { setImmediate } from 'node:timers/promises'
import type { Clock, VaultError } from '@conclave/core'
import type { AgentReply, AgentSettings, BatchedOperation, BatchedReply, Operation, Reply, RequestBody } from './agent/protocol.ts'
import { isAvailability, isPinRefused } from './codes.ts'
import { forkAgent } from './fork-agent.ts'
import { vaultError } from './vault-error.ts'

/** Beyond this an HSM is so far behind that waiting longer is worse than asking another one. */
const QUEUED_MAX = 1024
/** Requests that go to the agent in one message and come back in one; they have the time of one. */
const BATCH_MAX = 8
const BACKOFF_FIRST_MS = 100
const BACKOFF_MAX_MS = 10_000
const CLOSE_TIMEOUT_MS = 3_000
/** Some libraries hold on to a broken connection for the life of their process (D-Bus): by then the agent has reconnected in vain. */
const LOST_MAX_MS = 5_000

const BATCHED: ReadonlySet<Operation> = new Set<BatchedOperation>(['unwrap', 'random'])

/**
 * Tokens that refused their PIN in this process, by agent settings. Kept for the life of the process, whatever is closed and
 * opened again: only an operator's restart may try once more.
 */
const refusedPins = new Map<string, VaultError>()

export interface AgentProcessOptions {
  readonly settings: AgentSettings
  readonly env: Readonly<Record<string, string>>
  readonly requestTimeoutMs: number
  readonly startTimeoutMs: number
  readonly clock: Clock
}

interface Job {
  readonly op: Operation
  readonly body: unknown
  readonly timeoutMs: number
  resolve(result: unknown): void
  reject(error: unknown): void
}

/**
 * The agent of one HSM as seen by its parent: started on first use, one request or batch at a time, killed when it does not answer,
 * replaced on the next use.
 *
 * One at a time, so that a timeout measures the HSM and not our queue. After a timeout everything that waited fails too: the next
 * HSM should be asked now, not after the same wait again.
 */
export class AgentProcess {
  readonly #options: AgentProcessOptions
  readonly #queue: Job[] = []
  /** The agent in use. */
  #child: ChildProcess | undefined
  /** Agents that have not ended yet, killed ones included. */
  readonly #exits = new Map<ChildProcess, Promise<void>>()
  #nextId = 1
  #busy: Promise<void> | undefined
  /** Deaths and timeouts since the last answer. */
  #failures = 0
  #lastFailure: VaultError | undefined
  #restartAtMs = 0
  #closing: Promise<void> | undefined
  #serial: string | undefined
  /** When the agent in use first said that its token is lost, if it has not worked since. */
  #lostAtMs: number | undefined

  constructor(options: AgentProcessOptions) {
    this.#options = options
  }

  /** @throws {VaultError} of docs/hsm.md */
  request<Op extends Operation>(op: Op, body: RequestBody<Op>, timeoutMs: number = this.#options.requestTimeoutMs): Promise<Reply<Op>> {
    if (this.#closing !== undefined) return Promise.reject(this.#error('CLOSED', 'the vault is closed'))
    if (this.#queue.length >= QUEUED_MAX) return Promise.reject(this.#error('BUSY', `${QUEUED_MAX} requests are waiting already`))
    return new Promise<Reply<Op>>((resolve, reject) => {
      this.#queue.push({ op, body, timeoutMs, resolve: (r) => resolve(r as Reply<Op>), reject })
      this.#busy ??= this.#serveAll()
    })
  }

  /** Later agents of this process take only the token with this serial. */
  pinSerial(serial: string): void {
    this.#serial = serial
  }

  /** Forgets a refused PIN and the wait before the next start: a person says that both may be tried again. */
  forgive(): void {
    refusedPins.delete(this.#pinKey())
    this.#failures = 0
    this.#lastFailure = undefined
    this.#restartAtMs = 0
  }

  /** Ends the agent whatever it is doing, and lets it clean up. */
  interrupt(): void {
    if (this.#child?.connected === true) this.#child.disconnect()
  }

  /** Serves what was asked for before, then ends the agent. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await this.#busy
    if (this.#child !== undefined) {
      try {
        await this.#exchange(this.#child, 'close', null, CLOSE_TIMEOUT_MS)
      } catch {
        // It is ended below in any case.
      }
    }
    await Promise.all([...this.#exits.keys()].map((child) => this.#end(child)))
  }

  async #serveAll(): Promise<void> {
    // A session asks for everything that it needs in one turn of the event loop.
    await setImmediate()
    for (let jobs = this.#nextJobs(); jobs.length > 0; jobs = this.#nextJobs()) {
      try {
        const child = this.#child ?? (await this.#start())
        await this.#serve(child, jobs)
      } catch (error) {
        for (const job of jobs) job.reject(error)
        if ((error as VaultError).code === 'TIMEOUT') for (const waiting of this.#queue.splice(0)) waiting.reject(error)
      }
    }
    this.#busy = undefined
  }

  /** The first that waits, and what waits behind it and can go with it. */
  #nextJobs(): Job[] {
    const last = this.#queue.findIndex((job) => !BATCHED.has(job.op))
    const together = Math.min(last < 0 ? this.#queue.length : last, BATCH_MAX)
    return this.#queue.splice(0, Math.max(1, together))
  }

  async #serve(child: ChildProcess, jobs: readonly Job[]): Promise<void> {
    const [job] = jobs as [Job]
    if (jobs.length === 1) return job.resolve(await this.#exchange(child, job.op, job.body, job.timeoutMs))
    const body = jobs.map(({ op, body }) => ({ op, body }))
    const timeoutMs = Math.max(...jobs.map((j) => j.timeoutMs))
    const replies = (await this.#exchange(child, 'batch', body, timeoutMs)) as readonly BatchedReply[]
    for (const [i, { resolve, reject }] of jobs.entries()) {
      const reply = replies[i] as BatchedReply
      if (!('result' in reply)) reject(this.#refusal(reply.fault))
      else {
        this.#lostAtMs = undefined
        resolve(reply.result)
      }
    }
  }

  async #start(): Promise<ChildProcess> {
    const { settings, env, startTimeoutMs, clock } = this.#options
    const refused = refusedPins.get(this.#pinKey())
    if (refused !== undefined) throw refused
    if (this.#lastFailure !== undefined && clock.nowMs() < this.#restartAtMs) throw this.#lastFailure
    const child = forkAgent(settings, env)
    this.#adopt(child)
    try {
      await this.#exchange(child, 'start', { ...settings, serial: this.#serial ?? settings.serial }, startTimeoutMs)
    } catch (error) {
      // Deaths and timeouts were noted where they happened.
      if (!isAvailability((error as VaultError).code)) this.#noteFailure(error as VaultError)
      if (this.#child === child) await this.#end(child)
      throw error
    }
    return child
  }

  #adopt(child: ChildProcess): void {
    const { promise, resolve } = Promise.withResolvers<void>()
    const gone = () => {
      this.#forget(child)
      this.#exits.delete(child)
      resolve()
    }
    this.#child = child
    this.#exits.set(child, promise)
    child.once('exit', gone)
    // Between requests nobody else listens, and an unheard error would end the node. Without a pid it was never born.
    child.on('error', () => (child.pid === undefined ? gone() : this.#kill(child)))
  }

  /** Sends one request and waits for its answer, the agent's death or the timeout, whichever is first. */
  #exchange(child: ChildProcess, op: Operation, body: unknown, timeoutMs: number): Promise<unknown> {
    const id = this.#nextId++
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    let settled = false
    const onMessage = (reply: AgentReply) => {
      if (reply.id !== id || settled) return
      settled = true
      if (op !== 'start') this.#failures = 0
      if (op !== 'start' && op !== 'batch' && 'result' in reply) this.#lostAtMs = undefined
      if ('result' in reply) resolve(reply.result)
      else reject(this.#refusal(reply.fault))
    }
    const fail = (code: 'AGENT_DIED' | 'TIMEOUT', message: string) => {
      if (settled) return
      settled = true
      const error = this.#error(code, message)
      this.#noteFailure(error)
      this.#kill(child)
      reject(error)
    }
    const onExit = () => fail('AGENT_DIED', `the HSM agent ended during "${op}"`)
    const cancelTimer = this.#options.clock.after(timeoutMs, () => fail('TIMEOUT', `no answer to "${op}" within ${timeoutMs} ms`))
    child.on('message', onMessage)
    child.once('exit', onExit)
    child.once('error', onExit)
    if (child.exitCode !== null || child.signalCode !== null || !child.connected) onExit()
    // A broken channel is a dead agent; the exit may be reported later.
    else child.send({ id, op, body }, (error) => error !== null && onExit())
    return promise.finally(() => {
      cancelTimer()
      child.off('message', onMessage).off('exit', onExit).off('error', onExit)
    })
  }

  #refusal(fault: Extract<AgentReply, { fault: unknown }>['fault']): VaultError {
    const error = this.#error(fault.code, fault.message, fault.details)
    if (isPinRefused(fault.code)) {
      refusedPins.set(this.#pinKey(), error)
      if (this.#child !== undefined) this.#kill(this.#child)
    }
    if (fault.code === 'TOKEN_LOST') this.#noteLoss()
    return error
  }

  /** An agent whose token stays lost makes way for another one. */
  #noteLoss(): void {
    const nowMs = this.#options.clock.nowMs()
    this.#lostAtMs ??= nowMs
    if (nowMs - this.#lostAtMs < LOST_MAX_MS || this.#child === undefined) return
    this.#lostAtMs = undefined
    this.#kill(this.#child)
  }

  /** The first restart is immediate; the wait then doubles. While it lasts, requests fail at once, so that others can serve. */
  #noteFailure(error: VaultError): void {
    this.#failures++
    this.#lastFailure = error
    const waitMs = this.#failures === 1 ? 0 : Math.min(BACKOFF_FIRST_MS * 2 ** (this.#failures - 2), BACKOFF_MAX_MS)
    this.#restartAtMs = this.#options.clock.nowMs() + waitMs
  }

  #forget(child: ChildProcess): void {
    if (this.#child === child) this.#child = undefined
  }

  #kill(child: ChildProcess): void {
    this.#forget(child)
    child.kill('SIGKILL')
  }

  /** Lets the agent exit by itself, which it does when the channel closes; kills it if it does not. */
  async #end(child: ChildProcess): Promise<void> {
    this.#forget(child)
    if (child.connected) child.disconnect()
    if (await this.#exitsInTime(child)) return
    child.kill('SIGKILL')
    // Not for ever: a process that a driver holds in the kernel outlives even this, until its call returns.
    await this.#exitsInTime(child)
  }

  async #exitsInTime(child: ChildProcess): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const cancelTimer = this.#options.clock.after(CLOSE_TIMEOUT_MS, () => resolve(false))
    const exited = (this.#exits.get(child) ?? Promise.resolve()).then(() => true)
    const result = await Promise.race([promise, exited])
    cancelTimer()
    return result
  }

  #pinKey(): string {
    const { module, token, serial, pin } = this.#options.settings
    return JSON.stringify([module, token, serial ?? null, pin, Object.entries(this.#options.env).sort()])
  }

  #error(code: Parameters<typeof vaultError>[0], message: string, details: Readonly<Record<string, string | number>> = {}): VaultError {
    const { name } = this.#options.settings
    return vaultError(code, `hsm "${name}": ${message}`, { details: { ...details, hsm: name } })
  }
}
