import { AuditError, AuditLog, encodeEntry, publishedFile } from '@conclave/audit'
import { type AuditEvent, type Clock, ConclaveError, codeOf, type Journal, messageOf } from '@conclave/core'
import type { Logger } from '@conclave/transport'

/** Longer than a disk that works ever takes. */
const STALL_MS = 10_000
/** These are too many for a log that people read. */
const PER_SIGNATURE = /^(request|session)\./
const PROBE_EVERY_MS = 1_000

export interface AuditJournalOptions {
  readonly dir: string
  /** Of the checkpoints; see `originOf`. */
  readonly origin: string
  /** Name of the node. */
  readonly node: string
  readonly clock: Clock
  readonly log: Logger
  /** Default: 10 seconds. */
  readonly stallMs?: number
}

/** Why events cannot be recorded. */
export interface AuditOutage {
  readonly code: string
  readonly message: string
  readonly sinceMs: number
}

/**
 * Events as entries of a Merkle log. While the disk does not take them {@link record} rejects with AUDIT_UNAVAILABLE, which is retriable;
 * the log is tried again every second, and says itself when it is written again and what was missed.
 */
export class AuditJournal implements Journal {
  readonly tree: AuditLog
  readonly #o: AuditJournalOptions
  #outage: AuditOutage | undefined
  #missed = 0
  #stopProbe: (() => void) | undefined
  #isClosed = false
  /** Told after every entry. */
  #recorded: () => void = () => undefined

  private constructor(options: AuditJournalOptions, tree: AuditLog) {
    this.#o = options
    this.tree = tree
  }

  /** @throws {AuditError} AUDIT_DAMAGED when what is on the disk contradicts itself; AUDIT_UNAVAILABLE. */
  static async open(options: AuditJournalOptions): Promise<AuditJournal> {
    return new AuditJournal(options, await AuditLog.open(options.dir, options.origin))
  }

  /** Undefined while events can be recorded. */
  get outage(): AuditOutage | undefined {
    return this.#outage
  }

  set recorded(told: () => void) {
    this.#recorded = told
  }

  async record({ kind, details }: AuditEvent): Promise<void> {
    const { node, clock, log } = this.#o
    const entry = encodeEntry({ node, timeMs: clock.nowMs(), kind, details })
    try {
      await this.#inTime(this.tree.append(entry))
    } catch (error) {
      this.#failed(error)
      throw new ConclaveError('AUDIT_UNAVAILABLE', messageOf(error), { cause: error, retriable: true })
    }
    log[PER_SIGNATURE.test(kind) ? 'debug' : 'info']({ event: kind, ...details }, `event ${kind}`)
    this.#recorded()
  }

  /** What others may read of the log; see {@link publishedFile}. */
  async published(name: string): Promise<Uint8Array | undefined> {
    return await publishedFile(this.#o.dir, name)
  }

  /** Safe to call twice. What is recorded already is durable; what comes later is refused. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#stopProbe?.()
    await this.tree.close()
  }

  #inTime<T>(act: Promise<T>): Promise<T> {
    const { clock, stallMs = STALL_MS } = this.#o
    return new Promise((resolve, reject) => {
      const stop = clock.after(stallMs, () =>
        reject(new AuditError('AUDIT_UNAVAILABLE', `the audit log cannot be written: the disk took longer than ${stallMs} ms`)),
      )
      act.then(resolve, reject).finally(stop)
    })
  }

  #failed(error: unknown): void {
    this.#missed++
    if (this.#outage !== undefined || this.#isClosed) return
    const { clock, log } = this.#o
    this.#outage = { code: codeOf(error), message: messageOf(error), sinceMs: clock.nowMs() }
    log.error({ err: error }, 'the audit log cannot be written: this node does not sign until it can')
    this.#probeLater()
  }

  #probeLater(): void {
    this.#stopProbe = this.#o.clock.after(PROBE_EVERY_MS, () => void this.#probe())
  }

  /** The entry that says so is itself the trial. Never rejects. */
  async #probe(): Promise<void> {
    const outage = this.#outage
    if (outage === undefined || this.#isClosed) return
    const { node, clock, log } = this.#o
    const details = { since: new Date(outage.sinceMs).toISOString(), reason: outage.message.slice(0, 512), missed: this.#missed }
    try {
      await this.#inTime(this.tree.append(encodeEntry({ node, timeMs: clock.nowMs(), kind: 'audit.resumed', details })))
    } catch {
      // Known already: it is why there is a trial.
      this.#probeLater()
      return
    }
    this.#outage = undefined
    this.#missed = 0
    log.info(details, 'the audit log can be written again')
    this.#recorded()
  }
}
