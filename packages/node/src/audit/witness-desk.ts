import {
  type CheckpointKeys,
  cosignText,
  formatNote,
  formatSignatureLine,
  judgeCheckpoint,
  keysFromLocks,
  type OpenedCheckpoint,
  openCheckpoint,
  originOf,
  parseCheckpoint,
  parseNote,
} from '@conclave/audit'
import { type Clock, type ClusterLock, type Journal, type NodeMember, toHex } from '@conclave/core'
import type { Logger } from '@conclave/transport'
import type { CheckpointSigner } from '@conclave/vault'
import { type Cosign, type Cosigned, decode, encode, StoredWitness } from '@conclave/wire'
import type { Store } from '../store/store.ts'
import { NamedTurns } from '../store/turns.ts'
import { noteEvent } from './note-event.ts'

/** The same checkpoint is not signed again so soon: its cosignature is at hand. */
const FRESH_MS = 60_000
/** A log that contradicts itself fills nobody else's. */
const CONFLICT_EVERY_MS = 60_000
const NOTHING = new Uint8Array(0)

export interface WitnessDeskParts {
  readonly self: NodeMember
  readonly lock: ClusterLock
  readonly store: Store
  readonly signer: CheckpointSigner
  readonly journal: Journal
  readonly clock: Clock
  readonly log: Logger
}

/** What this node knows of another node's log. */
export interface WitnessedLog {
  readonly node: string
  readonly checkpoint: Uint8Array
  readonly conflict: { readonly checkpoint: Uint8Array; readonly atMs: number } | undefined
}

interface Fresh {
  readonly text: string
  readonly line: string
  readonly atMs: number
}

const headOf = (note: Uint8Array) => parseCheckpoint(parseNote(note).text)

/**
 * Watches the logs of the other nodes: cosigns a checkpoint only if it goes on from the last one of that log, which is on the disk before
 * the cosignature exists. What does not go on is refused, recorded, and kept as evidence.
 */
export class WitnessDesk {
  readonly #p: WitnessDeskParts
  readonly #turns = new NamedTurns()
  readonly #fresh = new Map<string, Fresh>()
  readonly #reportedMs = new Map<string, number>()

  constructor(parts: WitnessDeskParts) {
    this.#p = parts
  }

  /** @throws {AuditError} BAD_NOTE, BAD_CHECKPOINT, CHECKPOINT_UNSIGNED; {StoreError}; {VaultError}. */
  answer(from: NodeMember, asked: Cosign): Promise<Cosigned> {
    return this.#turns.take(from.name, () => this.#answer(from, asked))
  }

  /** Every log that this node has cosigned. @throws {StoreError} */
  async witnessed(): Promise<readonly WitnessedLog[]> {
    const logs: WitnessedLog[] = []
    for (const node of this.#p.lock.nodes) {
      const stored = await this.#stored(node)
      if (stored === undefined) continue
      const { checkpoint, conflict, at } = stored
      const atMs = Number(new DataView(at.buffer, at.byteOffset, 8).getBigUint64(0))
      logs.push({ node: node.name, checkpoint, conflict: conflict.length === 0 ? undefined : { checkpoint: conflict, atMs } })
    }
    return logs
  }

  /** The next checkpoint of that node is taken for the first one. The caller has recorded that. @throws {StoreError} */
  forget(node: NodeMember): Promise<void> {
    return this.#turns.take(node.name, async () => {
      await this.#p.store.apply([{ del: 'witness', key: keyOf(node) }])
      this.#fresh.delete(node.name)
      this.#reportedMs.delete(node.name)
    })
  }

  async #answer(from: NodeMember, { checkpoint, oldSize, proof }: Cosign): Promise<Cosigned> {
    const opened = openCheckpoint(checkpoint, this.#keysOf(from.name))
    const stored = await this.#stored(from)
    const known = stored === undefined ? undefined : headOf(stored.checkpoint)
    const verdict = judgeCheckpoint(known, { head: opened, oldSize, proof })
    if (verdict === 'consistent') return { signature: await this.#cosign(from, opened, stored), code: '', known: NOTHING }
    if (stored === undefined || verdict === 'other-base') return { signature: '', code: 'OLD_SIZE', known: stored?.checkpoint ?? NOTHING }
    const code = verdict === 'forked' ? 'AUDIT_FORKED' : 'AUDIT_ROLLED_BACK'
    await this.#refuse(from, { code, opened, stored })
    return { signature: '', code, known: stored.checkpoint }
  }

  async #cosign(from: NodeMember, opened: OpenedCheckpoint, stored: StoredWitness | undefined): Promise<string> {
    const { store, signer, self, lock, clock } = this.#p
    const { text } = opened.note
    const fresh = this.#fresh.get(from.name)
    if (fresh?.text === text && clock.nowMs() - fresh.atMs < FRESH_MS) return fresh.line
    const note = ownPart(opened)
    if (stored === undefined || headOf(stored.checkpoint).size < opened.size)
      await store.apply([
        { put: 'witness', key: keyOf(from), value: encode(StoredWitness, { ...(stored ?? NO_CONFLICT), checkpoint: note }) },
      ])
    const timeS = Math.floor(clock.nowMs() / 1000)
    const line = formatSignatureLine(await cosignText(text, { name: originOf(lock.clusterId, self.name), signer, timeS }))
    this.#fresh.set(from.name, { text, line, atMs: clock.nowMs() })
    return line
  }

  async #refuse(from: NodeMember, conflict: { code: string; opened: OpenedCheckpoint; stored: StoredWitness }): Promise<void> {
    const { store, journal, clock, log } = this.#p
    const { code, opened, stored } = conflict
    const nowMs = clock.nowMs()
    if (nowMs - (this.#reportedMs.get(from.name) ?? Number.NEGATIVE_INFINITY) < CONFLICT_EVERY_MS) return
    this.#reportedMs.set(from.name, nowMs)
    const known = headOf(stored.checkpoint)
    const details = {
      ...{ log: from.name, code, knownSize: known.size, knownRoot: toHex(known.root) },
      ...{ size: opened.size, root: toHex(opened.root) },
    }
    log.error(details, "another node's log does not go on from what it was")
    void noteEvent(journal, log, { kind: 'audit.fork_detected', details })
    // The first one stays: it is the evidence.
    if (stored.conflict.length > 0) return
    const at = new Uint8Array(8)
    new DataView(at.buffer).setBigUint64(0, BigInt(nowMs))
    await store.apply([{ put: 'witness', key: keyOf(from), value: encode(StoredWitness, { ...stored, conflict: ownPart(opened), at }) }])
  }

  async #stored(node: NodeMember): Promise<StoredWitness | undefined> {
    const value = await this.#p.store.get('witness', keyOf(node))
    return value === undefined ? undefined : decode(StoredWitness, value)
  }

  #keysOf(name: string): CheckpointKeys {
    const { lock, clock } = this.#p
    return { ...keysFromLocks([lock], name, { required: 0, nowS: clock.nowMs() / 1000 }), cosigners: [] }
  }
}

const NO_CONFLICT = { conflict: NOTHING, at: new Uint8Array(8) }

/** A new machine in the place of another has a log of its own, although it may have its name. */
function keyOf({ name, identity }: NodeMember): string {
  return `${name}/${toHex(identity.publicKey)}`
}

/** A checkpoint with the signatures of its own log only. */
function ownPart({ origin, note }: OpenedCheckpoint): Uint8Array {
  return formatNote({ text: note.text, signatures: note.signatures.filter((s) => s.name === origin) })
}
