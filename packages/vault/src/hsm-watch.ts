import { type Clock, codeOf, VaultError } from '@conclave/core'
import type { SigningUse } from './agent/protocol.ts'
import { isAvailability, needsPerson } from './codes.ts'
import { EntropyCheck } from './entropy.ts'
import type { Hsm, HsmDescription, Kek, KekReport, Standing, WrappedKey } from './hsm.ts'
import { vaultError } from './vault-error.ts'
import type { HsmState, VaultEvent } from './vault-events.ts'

/** Between two checks of an HSM that is down: doubles from the first to the last. */
export const CHECK_FIRST_MS = 100
export const CHECK_MAX_MS = 5_000
/** Refusals for want of a session or of time that are taken for load; one more in a row, and the HSM is down. */
const BUSY_MAX = 3
/** Latencies that the median is of. */
const SAMPLES = 64

export interface WatchOptions {
  readonly hsm: Hsm
  readonly clock: Clock
  /** Milliseconds from any fixed point. */
  readonly elapsedMs: () => number
  readonly notify: (event: VaultEvent) => void
  /** How it failed before it was watched. */
  readonly failure?: VaultError | undefined
}

/** What has been seen of an HSM since start. */
export interface Observed {
  readonly state: HsmState
  /** Since when it is in this state, milliseconds since the Unix epoch. */
  readonly sinceMs: number
  /** Of the last failure, whatever came after it. */
  readonly lastCode: string | undefined
  readonly failures: number
  /** Requests that it has answered. */
  readonly operations: number
  /** Median of the last answers; undefined before the first. */
  readonly latencyMs: number | undefined
}

function median(samples: readonly number[]): number | undefined {
  const sorted = [...samples].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]
}

/**
 * An HSM with what is known of its health.
 *
 * Its first failure takes it out of service: others are asked, and it is checked in the background until a check succeeds. Nobody waits
 * for one that let a request time out; one that failed in another way is still asked by who has no other. What only a person can put
 * right is not checked: {@link retry} is that person's word.
 */
export class WatchedHsm implements Hsm {
  readonly name: string
  readonly #o: WatchOptions
  readonly #latencies: number[] = []
  readonly #entropy = new EntropyCheck()
  #known: HsmDescription | undefined
  #state: HsmState = 'up'
  #sinceMs: number
  #failure: VaultError | undefined
  #failures = 0
  #operations = 0
  #busyInARow = 0
  #checking: Promise<void> | undefined
  #checkAgainMs = CHECK_FIRST_MS
  #stopTimer: (() => void) | undefined
  #isClosed = false

  constructor(options: WatchOptions) {
    this.#o = options
    this.name = options.hsm.name
    this.#sinceMs = options.clock.nowMs()
    if (options.failure !== undefined) this.#failed(options.failure)
  }

  get standing(): Standing {
    if (this.#state === 'up') return 'up'
    if (this.#state === 'down') return this.#failure?.code === 'TIMEOUT' ? 'away' : 'doubtful'
    // Of the refusals, those that are about a key show themselves only where that key is needed.
    return this.#state === 'out' || needsPerson(this.#failure?.code ?? '') ? 'away' : 'up'
  }

  get pinSocket(): string | undefined {
    return this.#o.hsm.pinSocket
  }

  get observed(): Observed {
    const { code } = this.#failure ?? {}
    return {
      state: this.#state,
      sinceMs: this.#sinceMs,
      lastCode: code,
      failures: this.#failures,
      operations: this.#operations,
      latencyMs: median(this.#latencies),
    }
  }

  /** What it said of itself, if it ever did. */
  get known(): HsmDescription | undefined {
    return this.#known
  }

  /** The key that seals, once it has said so. */
  get sealing(): { readonly tokenSerial: string; readonly kekId: string } | undefined {
    return this.#known && { tokenSerial: this.#known.tokenSerial, kekId: this.#known.kekId }
  }

  async describe(): Promise<HsmDescription> {
    // It may be answered from memory, so it says nothing of the HSM as it is now.
    this.#known ??= await this.#ask(() => this.#o.hsm.describe())
    return this.#known
  }

  keks(): Promise<KekReport> {
    return this.#ask(() => this.#o.hsm.keks())
  }

  async makeKek(generation: number): Promise<void> {
    await this.#ask(() => this.#o.hsm.makeKek(generation))
    this.#known = await this.#ask(() => this.#o.hsm.describe())
  }

  destroyKek(kek: Kek): Promise<void> {
    return this.#ask(() => this.#o.hsm.destroyKek(kek))
  }

  wrap(aad: Uint8Array, dek: Uint8Array): Promise<WrappedKey> {
    return this.#run(() => this.#o.hsm.wrap(aad, dek))
  }

  unwrap(aad: Uint8Array, key: WrappedKey): Promise<Uint8Array> {
    return this.#run(() => this.#o.hsm.unwrap(aad, key))
  }

  sign(use: SigningUse, message: Uint8Array): Promise<Uint8Array> {
    return this.#run(() => this.#o.hsm.sign(use, message))
  }

  random(length: number): Promise<Uint8Array> {
    return this.#run(async () => this.#entropy.accept(await this.#o.hsm.random(length), length, this.name))
  }

  ping(): Promise<void> {
    return this.#run(() => this.#o.hsm.ping())
  }

  /** Asks the HSM whether it is well, unless somebody else is doing so; `observed` tells the answer. One that is out stays out. */
  check(): Promise<void> {
    if (this.#state === 'out' || this.#isClosed) return Promise.resolve()
    this.#checking ??= this.#check().finally(() => {
      this.#checking = undefined
    })
    return this.#checking
  }

  /** A person has seen to it: what was refused before may be tried once more, now. */
  async retry(): Promise<void> {
    await this.#o.hsm.forgive?.()
    await this.check()
  }

  /** Takes the HSM out of service as if it were gone, until {@link putBack}. */
  takeOut(): void {
    this.#cancelTimer()
    this.#enter('out', vaultError('TAKEN_OUT', `hsm "${this.name}": taken out of service by the operator`, { details: { hsm: this.name } }))
  }

  /** Ends {@link takeOut}: it serves as soon as a check says that it does. */
  async putBack(): Promise<void> {
    if (this.#state !== 'out') return
    this.#enter('down', this.#failure)
    await this.check()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#cancelTimer()
    await this.#o.hsm.close()
  }

  /** What takes longer than the work of every day: it counts for no latency, and its success is no sign of health. */
  async #ask<T>(act: () => Promise<T>): Promise<T> {
    this.#refuseAway()
    try {
      return await act()
    } catch (error) {
      if (error instanceof VaultError) this.#failed(error)
      throw error
    }
  }

  async #run<T>(act: () => Promise<T>): Promise<T> {
    this.#refuseAway()
    return this.#observe(act)
  }

  #refuseAway(): void {
    if (this.standing === 'away' && this.#failure !== undefined) throw this.#failure
  }

  async #observe<T>(act: () => Promise<T>): Promise<T> {
    const startMs = this.#o.elapsedMs()
    try {
      const result = await act()
      this.#worked(this.#o.elapsedMs() - startMs)
      return result
    } catch (error) {
      if (error instanceof VaultError) this.#failed(error)
      throw error
    }
  }

  async #check(): Promise<void> {
    this.#cancelTimer()
    try {
      await this.#observe(() => this.#o.hsm.ping())
    } catch (error) {
      // A key that is missing or wrong: nothing that another check would cure, and no reason to say that the HSM is well.
      if (error instanceof VaultError && !isAvailability(error.code)) this.#enter('refused', error)
      else if (!(error instanceof VaultError)) throw error
    }
  }

  #worked(latencyMs: number): void {
    this.#operations++
    this.#busyInARow = 0
    this.#latencies.push(latencyMs)
    if (this.#latencies.length > SAMPLES) this.#latencies.shift()
    // What was asked before it was taken out may be answered after.
    if (this.#state !== 'out') this.#enter('up', this.#failure)
  }

  #failed(error: VaultError): void {
    const { code } = error
    const isDown = isAvailability(code)
    if (!isDown && !needsPerson(code)) return
    if (this.#state === 'out') return
    this.#failures++
    if (code === 'BUSY' && this.#state === 'up' && ++this.#busyInARow <= BUSY_MAX) {
      this.#failure = error
      return
    }
    this.#enter(isDown ? 'down' : 'refused', error)
    if (isDown) this.#checkLater()
  }

  #enter(state: HsmState, failure: VaultError | undefined): void {
    const { clock, notify } = this.#o
    this.#failure = failure
    if (state === this.#state) return
    const nowMs = clock.nowMs()
    const [before, awayMs] = [this.#state, nowMs - this.#sinceMs]
    this.#state = state
    this.#sinceMs = nowMs
    if (state === 'up') {
      this.#cancelTimer()
      this.#checkAgainMs = CHECK_FIRST_MS
      notify({ kind: 'hsm.returned', details: { hsm: this.name, awayMs } })
    } else if (state === 'refused' || (state === 'down' && before === 'up'))
      notify({ kind: 'hsm.failed', details: { hsm: this.name, code: codeOf(failure) } })
  }

  #checkLater(): void {
    // Many requests may fail for one fault.
    if (this.#isClosed || this.#stopTimer !== undefined) return
    this.#stopTimer = this.#o.clock.after(this.#checkAgainMs, () => void this.check())
    this.#checkAgainMs = Math.min(2 * this.#checkAgainMs, CHECK_MAX_MS)
  }

  #cancelTimer(): void {
    this.#stopTimer?.()
    this.#stopTimer = undefined
  }
}
