import { keysFromLocks, type MlDsaSigner } from '@conclave/audit'
import { type Clock, type ClusterLock, InvalidArgument, type Journal, type NodeMember, toHex } from '@conclave/core'
import type { Logger } from '@conclave/transport'
import type { CheckpointSigner } from '@conclave/vault'
import type { Cosign, Cosigned } from '@conclave/wire'
import type { Calls } from '../calls.ts'
import type { Outbox } from '../outbox.ts'
import type { Store } from '../store/store.ts'
import type { AuditJournal } from './audit-journal.ts'
import type { AuditState } from './audit-state.ts'
import { Checkpointer } from './checkpointer.ts'
import { openGate, type SigningGate } from './signing-gate.ts'
import { WitnessDesk, type WitnessedLog } from './witness-desk.ts'

/** How this node keeps its own log. */
export interface AuditParts {
  readonly journal: AuditJournal
  /** How many others must agree with the log before this node signs. Default: one less than a quorum. */
  readonly required?: number
  readonly everyEntries: number
  readonly everyMs: number
  /** How long a signing waits for them right after the start; default 5 seconds. */
  readonly confirmMs?: number
  readonly pq?: MlDsaSigner
}

export interface NodeAuditParts {
  readonly self: NodeMember
  readonly lock: ClusterLock
  /** All that this node has run under, oldest first. */
  readonly locks: readonly ClusterLock[]
  readonly store: Store
  readonly signer: CheckpointSigner
  readonly journal: Journal
  readonly outbox: Outbox
  readonly calls: Calls
  readonly clock: Clock
  readonly log: Logger
  /** Undefined: this node has no log of its own, and only watches those of others. */
  readonly own: AuditParts | undefined
}

/** What a node has to do with logs: its own, which others watch, and theirs. */
export class NodeAudit {
  readonly gate: SigningGate
  readonly #p: NodeAuditParts
  readonly #desk: WitnessDesk
  readonly #own: Checkpointer | undefined

  constructor(parts: NodeAuditParts) {
    const { self, lock, locks, outbox, calls, clock, log, signer, own } = parts
    this.#p = parts
    this.#desk = new WitnessDesk(parts)
    if (own !== undefined) {
      const { required = lock.quorum.required - 1, ...rest } = own
      const others = lock.nodes.filter((n) => n.index !== self.index)
      this.#own = new Checkpointer({
        ...{ ...rest, others, signer, clock, log, required: Math.min(required, others.length) },
        keys: () => keysFromLocks(locks, self.name, { required: 0, nowS: clock.nowMs() / 1000 }),
        isUp: (peer) => outbox.isUp(peer),
        call: (peer, body, timeoutMs) => calls.call(peer, body, timeoutMs),
      })
    }
    this.gate = this.#own ?? openGate
  }

  /** Before any link is up. Never rejects. */
  async start(): Promise<void> {
    await this.#own?.start()
  }

  linkUp(peer: number): void {
    void this.#own?.greet(peer)
  }

  /** What a node wants cosigned. @throws what {@link WitnessDesk.answer} throws. */
  answer(from: NodeMember, asked: Cosign): Promise<Cosigned> {
    return this.#desk.answer(from, asked)
  }

  /** Of this node's own log; undefined without one. */
  state(): AuditState | undefined {
    return this.#own?.state()
  }

  /** Why this node does not sign, or empty. That it waits for witnesses after its start is no reason yet: it soon has them. */
  get signingCode(): string {
    const code = this.state()?.code ?? ''
    return code === 'AUDIT_UNCONFIRMED' ? '' : code
  }

  /** Whether its own checkpoints are signed by ML-DSA too; undefined without a log of its own. */
  get isPostQuantum(): boolean | undefined {
    const { own } = this.#p
    return own && own.pq !== undefined
  }

  witnessed(): Promise<readonly WitnessedLog[]> {
    return this.#desk.witnessed()
  }

  /**
   * Takes the next checkpoint of a node's log for its first one: for a log that was lost and begun anew.
   *
   * @throws {InvalidArgument} UNKNOWN_PEER; {ConclaveError} AUDIT_UNAVAILABLE; {StoreError}.
   */
  async forget(name: string, reason: string): Promise<void> {
    const { self, lock, journal } = this.#p
    const node = lock.nodes.find((n) => n.name === name && n.index !== self.index)
    if (node === undefined) throw new InvalidArgument('UNKNOWN_PEER', `no other node of the cluster lock is called "${name}"`)
    const known = (await this.#desk.witnessed()).find((l) => l.node === name)
    const note = known === undefined ? null : toHex(known.checkpoint)
    await journal.record({ kind: 'audit.log_forgotten', details: { log: name, reason, checkpoint: note } })
    await this.#desk.forget(node)
  }

  /** Never rejects. */
  async stop(): Promise<void> {
    await this.#own?.stop()
  }
}
