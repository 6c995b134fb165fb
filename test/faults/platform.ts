import { ConclaveApiError, type ConclaveClient } from '@conclave/client'
import { unsignedTransfer } from '@conclave/testnet'

/** How long a platform goes on asking for one signature before it gives it up. */
const PATIENCE_MS = 90_000
/** Of one request to the coordinator, after which the platform asks anew. */
const REQUEST_DEADLINE_MS = 30_000
const PAUSE_MS = 200

export interface PlatformReport {
  readonly asked: number
  readonly signed: number
  /** Not signed, however often they were asked for again. */
  readonly lost: number
  /** Requests that ended in an error which says that the same may be asked again. */
  readonly refused: number
  /** Codes of attempts that failed inside of requests, and of requests that failed. */
  readonly codes: readonly string[]
  readonly slowestMs: number
}

/** A custody platform that asks for one signature after the other on several lines, as long as it runs. */
export class Platform {
  readonly #client: ConclaveClient
  readonly #keyId: string
  readonly #to: string
  readonly #codes = new Set<string>()
  #nonce = 0n
  #isRunning = true
  #asked = 0
  #signed = 0
  #lost = 0
  #refused = 0
  #slowestMs = 0
  readonly #lines: readonly Promise<void>[]

  constructor(client: ConclaveClient, { keyId, to, lines }: { readonly keyId: string; readonly to: string; readonly lines: number }) {
    this.#client = client
    this.#keyId = keyId
    this.#to = to
    this.#lines = Array.from({ length: lines }, () => this.#work())
  }

  get signed(): number {
    return this.#signed
  }

  get codes(): ReadonlySet<string> {
    return this.#codes
  }

  /** Ends after what is asked for now. */
  async stop(): Promise<PlatformReport> {
    this.#isRunning = false
    await Promise.all(this.#lines)
    const codes = [...this.#codes].sort()
    return {
      ...{ asked: this.#asked, signed: this.#signed, lost: this.#lost, refused: this.#refused },
      ...{ codes, slowestMs: Math.round(this.#slowestMs) },
    }
  }

  async #work(): Promise<void> {
    while (this.#isRunning) {
      this.#asked++
      const startMs = performance.now()
      if (await this.#obtain(startMs)) this.#signed++
      else this.#lost++
      this.#slowestMs = Math.max(this.#slowestMs, performance.now() - startMs)
    }
  }

  async #obtain(startMs: number): Promise<boolean> {
    const payload = { type: 'evm.tx', bytes: unsignedTransfer({ to: this.#to, valueWei: 1n, nonce: this.#nonce++ }) }
    while (performance.now() - startMs < PATIENCE_MS) {
      try {
        const { attempts } = await this.#client.sign({ keyId: this.#keyId, payload, deadlineMs: REQUEST_DEADLINE_MS })
        for (const { code } of attempts) if (code !== null) this.#codes.add(code)
        return true
      } catch (error) {
        if (!(error instanceof ConclaveApiError)) throw error
        this.#codes.add(error.code)
        if (!error.retriable) return false
        this.#refused++
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
      }
    }
    return false
  }
}
