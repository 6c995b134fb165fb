import {
  type Clock,
  type ClusterLock,
  ConclaveError,
  codeOf,
  type DerivationPath,
  type FreezeScope,
  freezeHash,
  fromHex,
  type IdentitySigner,
  isFrozen,
  type Journal,
  type PartyId,
  parseFreezeScope,
  thawHash,
  toHex,
  verifyIdentity,
} from '@conclave/core'
import type { Approver } from '@conclave/policy'
import type { Logger } from '@conclave/transport'
import { decode, encode, FREEZES_TOLD_MAX, type Freeze, type FreezeGossip, FreezeRecord, msOf, type Thaw, timeBytes } from '@conclave/wire'
import { noteEvent } from '../audit/note-event.ts'
import type { Store } from '../store/store.ts'

/** Freezes of one node or approver that nobody has thawed: more are refused, so that none of them fills a disk. */
export const FREEZES_OF_ONE_MAX = 64

export interface FreezeKeeperOptions {
  readonly lock: ClusterLock
  /** Of this node. */
  readonly name: string
  readonly identity: IdentitySigner
  /** Of the policy, and of one that is being taken up. */
  approvers(): readonly Approver[]
  readonly store: Store
  readonly clock: Clock
  readonly log: Logger
  readonly journal: Journal
  gossip(peer: PartyId, gossip: FreezeGossip): void
  peersUp(): readonly PartyId[]
  /** Something was frozen: what runs is looked at again. */
  frozen(): void
}

/** A freeze as an operator sees it. */
export interface AdminFreeze {
  /** Hex. */
  readonly id: string
  readonly scope: string
  readonly reason: string
  readonly by: string
  readonly at: string
  readonly isActive: boolean
  readonly thawedBy: readonly string[]
  readonly thawsRequired: number
}

interface Known {
  readonly freeze: Freeze
  readonly scope: FreezeScope
  /** By name of the node. */
  readonly thaws: Map<string, Thaw>
}

const TIME_MAX_MS = 8.64e15

/**
 * What is frozen here. One node or approver freezes at once; it takes as many nodes to thaw as to sign.
 *
 * What a peer says takes effect in the turn in which it is heard, before any later frame of that peer is read: whoever knows of a
 * freeze says so first on every link, so no signature is made with a node that knows.
 */
export class FreezeKeeper {
  readonly #o: FreezeKeeperOptions
  readonly #clusterId: Uint8Array
  readonly #known = new Map<string, Known>()

  private constructor(options: FreezeKeeperOptions) {
    this.#o = options
    this.#clusterId = fromHex(options.lock.clusterId)
  }

  /** @param records - as the store has them. */
  static open(options: FreezeKeeperOptions, records: readonly FreezeRecord[]): FreezeKeeper {
    const keeper = new FreezeKeeper(options)
    // Checked when they were written: who signed them may have left the lock or the policy since.
    for (const { freeze, thaws } of records) {
      const thawed = new Map(thaws.map((t) => [t.node, t]))
      keeper.#known.set(toHex(keeper.#idOf(freeze)), { freeze, scope: parseFreezeScope(freeze.scope), thaws: thawed })
    }
    return keeper
  }

  static async stored(store: Store): Promise<readonly FreezeRecord[]> {
    return (await store.list('freeze')).map(({ value }) => decode(FreezeRecord, value))
  }

  /** Why a key does not sign at these paths; undefined when it does. */
  refusal(keyId: string, paths: readonly DerivationPath[]): ConclaveError | undefined {
    for (const known of this.#known.values()) {
      if (!this.#isActive(known) || !isFrozen(known.scope, keyId, paths)) continue
      const { scope, by, reason } = known.freeze
      return new ConclaveError('FROZEN', `${scope} is frozen by ${by}: ${reason}`)
    }
    return undefined
  }

  list(): readonly AdminFreeze[] {
    return [...this.#known].map(([id, known]) => {
      const { scope, reason, by, at } = known.freeze
      const state = { isActive: this.#isActive(known), thawedBy: [...known.thaws.keys()], thawsRequired: this.#o.lock.quorum.required }
      return { id, scope, reason, by, at: new Date(Math.min(msOf(at), TIME_MAX_MS)).toISOString(), ...state }
    })
  }

  /** Freezes with the identity key of this node. @throws {InvalidArgument} BAD_SCOPE; {ConclaveError} TOO_MANY_FREEZES; {VaultError}. */
  async freezeHere(scope: string, reason: string): Promise<AdminFreeze> {
    const { identity, name, clock } = this.#o
    const word = { scope, reason, by: `node:${name}`, atMs: clock.nowMs() }
    parseFreezeScope(scope)
    const signature = await identity.sign(freezeHash(this.#clusterId, word))
    return this.freeze({ scope, reason, by: word.by, at: timeBytes(word.atMs), signature })
  }

  /** In effect at once, on the way to the peers, and on the disk when it resolves. @throws {ConclaveError} FREEZE_SIGNATURE, TOO_MANY_FREEZES, UNKNOWN_FREEZER. */
  async freeze(freeze: Freeze): Promise<AdminFreeze> {
    const id = toHex(this.#idOf(freeze))
    const news = this.#takeFreeze(freeze)
    if (news !== undefined) await this.#spread([id], news)
    return this.list().find((f) => f.id === id) as AdminFreeze
  }

  /** This node's word for lifting a freeze. @param id - hex. @throws {ConclaveError} UNKNOWN_FREEZE; {VaultError}; {StoreError}. */
  async thawHere(id: string, reason: string): Promise<AdminFreeze> {
    const { identity, name, clock } = this.#o
    if (!this.#known.has(id)) throw new ConclaveError('UNKNOWN_FREEZE', 'this node knows no such freeze')
    const word = { freeze: fromHex(id), node: name, reason, atMs: clock.nowMs() }
    const thaw = {
      freeze: word.freeze,
      node: name,
      reason,
      at: timeBytes(word.atMs),
      signature: await identity.sign(thawHash(this.#clusterId, word)),
    }
    // Written down first: from here on the key may sign again.
    await this.#o.journal.record({ kind: 'freeze.thawed', details: { id, node: name, reason } })
    if (this.#takeThaw(thaw)) await this.#spread([id], undefined)
    return this.list().find((f) => f.id === id) as AdminFreeze
  }

  /** Has to be the first that is said on a link. */
  greet(peer: PartyId): void {
    const records = [...this.#known.keys()].map((id) => this.#record(id))
    for (let i = 0; i < records.length; i += FREEZES_TOLD_MAX) this.#o.gossip(peer, { records: records.slice(i, i + FREEZES_TOLD_MAX) })
  }

  /** What holds is in effect when this returns; the disk follows. */
  heard(peer: PartyId, { records }: FreezeGossip): void {
    for (const { freeze, thaws } of records) {
      try {
        const id = toHex(this.#idOf(freeze))
        const news = this.#takeFreeze(freeze)
        const thawed = thaws.filter((thaw) => this.#takeThaw(thaw))
        for (const { node, reason } of thawed)
          void noteEvent(this.#o.journal, this.#o.log, { kind: 'freeze.thawed', details: { id, node, reason } })
        if (news === undefined && thawed.length === 0) continue
        this.#spread([id], news).catch((error: unknown) => this.#o.log.error({ id, err: error }, 'freeze not stored'))
      } catch (error) {
        this.#o.log.warn({ peer, by: freeze.by, code: codeOf(error) }, 'freeze of a peer not taken')
      }
    }
  }

  #idOf({ at, ...word }: Freeze): Uint8Array {
    return freezeHash(this.#clusterId, { ...word, atMs: Math.min(msOf(at), Number.MAX_SAFE_INTEGER) })
  }

  #isActive({ thaws }: Known): boolean {
    return thaws.size < this.#o.lock.quorum.required
  }

  /** @returns what to note, or undefined when it was known. */
  #takeFreeze(freeze: Freeze): Freeze | undefined {
    const id = this.#idOf(freeze)
    const name = toHex(id)
    if (this.#known.has(name)) return undefined
    const scope = parseFreezeScope(freeze.scope)
    this.#checkSigner(freeze, id)
    const open = [...this.#known.values()].filter((k) => k.freeze.by === freeze.by && this.#isActive(k))
    if (open.length >= FREEZES_OF_ONE_MAX)
      throw new ConclaveError('TOO_MANY_FREEZES', `${freeze.by} has frozen ${FREEZES_OF_ONE_MAX} things that nobody has thawed`)
    this.#known.set(name, { freeze, scope, thaws: new Map() })
    this.#o.frozen()
    return freeze
  }

  #checkSigner({ by, signature }: Freeze, id: Uint8Array): void {
    const { lock } = this.#o
    const node = lock.nodes.find((n) => by === `node:${n.name}`)
    const approver = this.#o.approvers().find((a) => by === `approver:${a.id}`)
    if (node === undefined && approver === undefined) throw new ConclaveError('UNKNOWN_FREEZER', 'only nodes and approvers freeze')
    const plain = approver?.keys.flatMap((k) => (k.kind === 'identity' ? [k.key] : [])) ?? []
    const keys = node === undefined ? plain : [node.identity]
    if (!keys.some((key) => verifyIdentity(key, id, signature)))
      throw new ConclaveError('FREEZE_SIGNATURE', `${by} did not sign this freeze`)
  }

  /** @returns whether it holds and is new. */
  #takeThaw(thaw: Thaw): boolean {
    const known = this.#known.get(toHex(thaw.freeze))
    const node = this.#o.lock.nodes.find((n) => n.name === thaw.node)
    if (known === undefined || node === undefined || known.thaws.has(thaw.node)) return false
    const hash = thawHash(this.#clusterId, { ...thaw, atMs: Math.min(msOf(thaw.at), Number.MAX_SAFE_INTEGER) })
    if (!verifyIdentity(node.identity, hash, thaw.signature)) return false
    known.thaws.set(thaw.node, thaw)
    return true
  }

  #record(id: string): FreezeRecord {
    const { freeze, thaws } = this.#known.get(id) as Known
    return { freeze, thaws: [...thaws.values()] }
  }

  /** To the peers first: a freeze that waits for a disk is late. */
  async #spread(ids: readonly string[], news: Freeze | undefined): Promise<void> {
    const { store, journal, log } = this.#o
    const records = ids.map((id) => this.#record(id))
    for (const peer of this.#o.peersUp()) this.#o.gossip(peer, { records })
    if (news !== undefined) {
      const { scope, reason, by } = news
      log.warn({ scope, reason, by }, 'frozen')
      void noteEvent(journal, log, { kind: 'freeze.set', details: { id: ids[0] ?? '', scope, reason, by } })
    }
    await store.apply(ids.map((id, i) => ({ put: 'freeze', key: id, value: encode(FreezeRecord, records[i] as FreezeRecord) })))
  }
}
