import {
  type CheckpointKeys,
  formatCheckpoint,
  formatNote,
  type MlDsaSigner,
  type Note,
  openCheckpoint,
  parseCheckpoint,
  parseNote,
  parseSignatureLine,
  signText,
} from '@conclave/audit'
import { type Clock, ConclaveError, codeOf, equalBytes, type NodeMember, type PartyId, toHex } from '@conclave/core'
import type { Logger } from '@conclave/transport'
import type { CheckpointSigner } from '@conclave/vault'
import type { Cosigned, Request, Response } from '@conclave/wire'
import type { AuditJournal } from './audit-journal.ts'
import { type AuditState, nodeNameIn } from './audit-state.ts'
import { noteEvent } from './note-event.ts'
import type { SigningGate } from './signing-gate.ts'

const CALL_TIMEOUT_MS = 5_000
const CONFIRM_MS = 5_000
const ASK_AGAIN_MS = 2_000
/** A witness that knows another size than we thought is asked again with that one. */
const TRIES_MAX = 3

export interface CheckpointerParts {
  readonly journal: AuditJournal
  readonly signer: CheckpointSigner
  /** Signs every checkpoint a second time. */
  readonly pq?: MlDsaSigner
  /** Of this node's own log. */
  readonly keys: () => CheckpointKeys
  readonly others: readonly NodeMember[]
  /** How many others must have agreed before this node signs anything. */
  readonly required: number
  readonly everyEntries: number
  readonly everyMs: number
  /** How long a signing waits for witnesses right after the start; default 5 seconds. */
  readonly confirmMs?: number
  readonly clock: Clock
  readonly log: Logger
  isUp(peer: PartyId): boolean
  call(peer: PartyId, body: Request['body'], timeoutMs: number): Promise<Response['body']>
}

/**
 * Signs checkpoints of this node's log, every so many entries or so long after one, and has the others cosign them.
 *
 * Before it signs the first one since the start, enough others must have seen that the log goes on from what they know: a log that was
 * set back signs nothing, and neither does its node. What shows that is a checkpoint that this node's own key has signed.
 */
export class Checkpointer implements SigningGate {
  readonly #p: CheckpointerParts
  readonly #confirmed = new Set<PartyId>()
  /** Sizes that the others have cosigned. */
  readonly #known = new Map<PartyId, number>()
  readonly #enough = Promise.withResolvers<void>()
  #note: Note | undefined
  #signedAtMs: number | undefined
  #broken: ConclaveError | undefined
  #running: Promise<void> | undefined
  #stopTimer: (() => void) | undefined
  #isStopped = false
  /** The last attempt failed: the next one takes its time. */
  #hasFailed = false

  constructor(parts: CheckpointerParts) {
    this.#p = parts
    this.#enough.promise.catch(() => undefined)
  }

  check(): void {
    if (this.#broken !== undefined) throw this.#broken
    const { outage } = this.#p.journal
    if (outage !== undefined) throw new ConclaveError('AUDIT_UNAVAILABLE', outage.message, { retriable: true })
  }

  async confirmed(): Promise<void> {
    this.check()
    if (this.#isConfirmed) return
    const late = Promise.withResolvers<void>()
    const stop = this.#p.clock.after(this.#p.confirmMs ?? CONFIRM_MS, () => late.resolve())
    try {
      await Promise.race([this.#enough.promise, late.promise])
    } finally {
      stop()
    }
    this.check()
    if (!this.#isConfirmed) {
      const message = `${this.#confirmed.size} of ${this.#p.required} other nodes have confirmed this node's audit log since its start`
      throw new ConclaveError('AUDIT_UNCONFIRMED', message, { retriable: true })
    }
  }

  /** Resolves when there is a checkpoint to be shown. Never rejects: without one the node is not confirmed. */
  async start(): Promise<void> {
    const { journal, log } = this.#p
    try {
      const stored = journal.tree.checkpoint
      // An empty tree is the beginning of every log: to sign it contradicts nothing.
      this.#note = stored === undefined ? await this.#sign(0) : parseNote(stored)
      if (stored === undefined) await this.#save()
    } catch (error) {
      log.error({ err: error }, 'no checkpoint of the audit log could be signed')
    }
    journal.recorded = () => this.#stir()
    if (this.#isConfirmed) this.#enough.resolve()
    this.#stir()
  }

  /** A peer's link is up: it is shown what there is, also when that is not right: then it knows. Never rejects. */
  async greet(peer: PartyId): Promise<void> {
    await this.#alone(async () => {
      if (this.#note !== undefined && (await this.#submit(peer))) await this.#save()
    })
  }

  state(): AuditState {
    const { journal, others, required } = this.#p
    let checkpoint: AuditState['checkpoint'] = null
    if (this.#note !== undefined) {
      const { size, root } = parseCheckpoint(this.#note.text)
      const names = this.#note.signatures.flatMap((s) => (s.name === journal.tree.origin ? [] : [nodeNameIn(s.name)]))
      checkpoint = { size, root: toHex(root), cosigners: names }
    }
    const why = this.#broken ?? (journal.outage === undefined ? undefined : { code: 'AUDIT_UNAVAILABLE', message: journal.outage.message })
    const waits = this.#isConfirmed
      ? { code: '', message: '' }
      : { code: 'AUDIT_UNCONFIRMED', message: 'too few other nodes have confirmed it' }
    const { code, message } = why ?? waits
    const confirmed = others.flatMap((n) => (this.#confirmed.has(n.index) ? [n.name] : []))
    const signedAt = this.#signedAtMs === undefined ? null : new Date(this.#signedAtMs).toISOString()
    return { size: journal.tree.size, code, reason: message, checkpoint, signedAt, confirmed, required }
  }

  /** A last checkpoint of everything, which nobody cosigns any more. Never rejects. */
  async stop(): Promise<void> {
    await this.#alone(() => this.#checkpoint(false))
    this.#isStopped = true
    this.#stopTimer?.()
  }

  get #isConfirmed(): boolean {
    return this.#confirmed.size >= this.#p.required
  }

  /** After an entry: a checkpoint now, or some time after it. */
  #stir(): void {
    const { journal, everyEntries, everyMs, clock } = this.#p
    if (this.#isStopped || this.#broken !== undefined || this.#note === undefined || this.#running !== undefined) return
    const fresh = journal.tree.size - parseCheckpoint(this.#note.text).size
    if (fresh === 0 && this.#isConfirmed) return
    if (fresh >= everyEntries && this.#isConfirmed && !this.#hasFailed) {
      void this.#alone(() => this.#checkpoint())
      return
    }
    this.#stopTimer ??= clock.after(this.#isConfirmed ? everyMs : Math.min(everyMs, ASK_AGAIN_MS), () => {
      this.#stopTimer = undefined
      this.#hasFailed = false
      void this.#alone(() => this.#checkpoint())
    })
  }

  /** One at a time. Never rejects. */
  async #alone(act: () => Promise<void>): Promise<void> {
    while (this.#running !== undefined) await this.#running
    if (this.#isStopped) return
    this.#running = act()
      .catch((error: unknown) => {
        // The disk, or the HSM.
        this.#hasFailed = true
        this.#p.log.error({ code: codeOf(error), err: error }, 'no checkpoint of the audit log')
      })
      .finally(() => {
        this.#running = undefined
      })
    await this.#running
    this.#stir()
  }

  /** @param isShown - whether others are to cosign it. */
  async #checkpoint(isShown = true): Promise<void> {
    const { journal } = this.#p
    if (this.#broken !== undefined) return
    if (!this.#isConfirmed && isShown) await this.#show()
    if (this.#broken !== undefined || !this.#isConfirmed || this.#note === undefined) return
    const { size } = await journal.tree.flush()
    if (size === parseCheckpoint(this.#note.text).size) return
    this.#note = await this.#sign(size)
    // Before anybody sees it: what others know of this log must never be more than the log itself has.
    await this.#save()
    if (isShown) await this.#show()
  }

  /** Has everybody cosign the present checkpoint. */
  async #show(): Promise<void> {
    const { others, isUp } = this.#p
    const cosigned = await Promise.all(others.filter((n) => isUp(n.index)).map((n) => this.#submit(n.index)))
    if (cosigned.includes(true)) await this.#save()
  }

  async #sign(size: number): Promise<Note> {
    const { journal, signer, pq } = this.#p
    const { origin } = journal.tree
    const text = formatCheckpoint({ origin, size, root: await journal.tree.rootAt(size) })
    const signatures = [await signText(text, origin, signer)]
    if (pq !== undefined) signatures.push(pq.sign(text, origin))
    this.#signedAtMs = this.#p.clock.nowMs()
    return { text, signatures }
  }

  async #save(): Promise<void> {
    await this.#p.journal.tree.saveCheckpoint(formatNote(this.#note as Note))
  }

  /** Has one peer cosign the present checkpoint. @returns whether a cosignature was added. Never rejects. */
  async #submit(peer: PartyId): Promise<boolean> {
    const { log } = this.#p
    try {
      for (let tries = 0; tries < TRIES_MAX; tries++) {
        const answer = await this.#ask(peer)
        if (answer.signature !== '') return this.#add(peer, answer.signature)
        await this.#learn(peer, answer.known)
        if (this.#broken !== undefined) return false
      }
    } catch (error) {
      log.warn({ peer, code: codeOf(error) }, 'a peer did not cosign the checkpoint')
    }
    return false
  }

  async #ask(peer: PartyId): Promise<Cosigned> {
    const { journal, call } = this.#p
    const note = this.#note as Note
    const { origin, size } = parseCheckpoint(note.text)
    const oldSize = Math.min(this.#known.get(peer) ?? 0, size)
    const proof = await journal.tree.consistency(oldSize, size)
    const checkpoint = formatNote({ text: note.text, signatures: note.signatures.filter((s) => s.name === origin) })
    const answer = await call(peer, { cosign: { checkpoint, oldSize, proof } }, CALL_TIMEOUT_MS)
    if (!('cosigned' in answer)) throw new ConclaveError('UNEXPECTED', 'not an answer to this')
    return answer.cosigned
  }

  #nameOf = (peer: PartyId): string => this.#p.others.find((n) => n.index === peer)?.name ?? ''

  #add(peer: PartyId, line: string): boolean {
    const { keys, log } = this.#p
    const note = this.#note as Note
    const signature = parseSignatureLine(line)
    const name = this.#nameOf(peer)
    const by = keys().cosigners.find((v) => v.name === signature.name && equalBytes(v.keyId, signature.keyId))
    if (by === undefined || nodeNameIn(by.name) !== name || !by.verify(note.text, signature.signature)) {
      log.warn({ peer }, 'a cosignature that is none')
      return false
    }
    this.#known.set(peer, parseCheckpoint(note.text).size)
    this.#confirmed.add(peer)
    if (this.#isConfirmed) this.#enough.resolve()
    const rest = note.signatures.filter((s) => s.name !== signature.name)
    this.#note = { text: note.text, signatures: [...rest, signature] }
    return true
  }

  /** A peer knows another checkpoint of this log. Only what this node's own key has signed counts. */
  async #learn(peer: PartyId, known: Uint8Array): Promise<void> {
    const { journal, keys } = this.#p
    if (known.length === 0) {
      this.#known.set(peer, 0)
      return
    }
    const opened = openCheckpoint(known, { ...keys(), required: 0, pq: [] })
    const { size, root } = opened
    const isLonger = size > journal.tree.size
    if (isLonger || !equalBytes(await journal.tree.rootAt(size), root)) {
      this.#stopFor(peer, { code: isLonger ? 'AUDIT_ROLLED_BACK' : 'AUDIT_FORKED', size, root })
      return
    }
    this.#known.set(peer, size)
    if (size <= parseCheckpoint((this.#note as Note).text).size) return
    // The file of the checkpoint is older than the log: what the peer holds takes its place.
    await journal.tree.flush()
    this.#note = opened.note
    await this.#save()
  }

  #stopFor(peer: PartyId, { code, size, root }: { code: string; size: number; root: Uint8Array }): void {
    const { journal, log } = this.#p
    if (this.#broken !== undefined) return
    const witness = this.#nameOf(peer)
    const what = code === 'AUDIT_FORKED' ? 'has another history than what it signed before' : 'is shorter than what it signed before'
    const message = `this node's audit log ${what}: ${witness} holds its checkpoint of ${size} entries; see docs/operations.md`
    this.#broken = new ConclaveError(code, message, { details: { witness, size } })
    this.#enough.reject(this.#broken)
    log.error({ code, witness, size, own: journal.tree.size }, message)
    const kind = code === 'AUDIT_FORKED' ? 'audit.forked' : 'audit.rolled_back'
    void noteEvent(journal, log, { kind, details: { witness, size, root: toHex(root), own: journal.tree.size } })
  }
}
