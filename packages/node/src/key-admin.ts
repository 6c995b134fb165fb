import { type Clock, ConclaveError, type Journal, toHex, VaultError } from '@conclave/core'
import { type Erasure, signErasure } from '@conclave/core/erasure'
import type { KeyVault } from '@conclave/vault'
import type { HsmAdmin } from './hsm-admin.ts'
import type { KeyLives, Phase } from './store/key-lives.ts'
import type { KeyStore, NodeScope } from './store/key-store.ts'

/** Rotations that one destruction may take: one that was broken off is completed first. */
const ROTATIONS_MAX = 3
/** Epochs that an erasure record names; of more, the latest. */
const EPOCHS_NAMED_MAX = 64

export interface AdminPhase {
  readonly keyId: string
  readonly phase: Phase
  /** Since when, ISO 8601; null when nobody has said anything about the key. */
  readonly since: string | null
  readonly reason: string
}

export interface KeyAdminParts {
  readonly scope: NodeScope
  readonly keys: KeyStore
  readonly lives: KeyLives
  readonly vault: KeyVault
  readonly hsm: Pick<HsmAdmin, 'rotateKek'>
  readonly clock: Clock
  readonly journal: Journal
}

const EVENTS = { active: 'key.activated', suspended: 'key.suspended', archived: 'key.archived' } as const

/** Takes keys from phase to phase, at their operator's word. */
export class KeyAdmin {
  readonly #p: KeyAdminParts
  /** Keys that are being destroyed: it takes as long as a rotation. */
  readonly #busy = new Set<string>()

  constructor(parts: KeyAdminParts) {
    this.#p = parts
  }

  phase(keyId: string): AdminPhase {
    const { phase, atMs, reason } = this.#p.lives.of(keyId)
    return { keyId, phase, since: atMs === 0 ? null : new Date(atMs).toISOString(), reason }
  }

  /** Sessions that have begun go on; from here on none begins. @throws {ConclaveError} UNKNOWN_KEY, KEY_PHASE, KEY_DESTROYED; {StoreError}. */
  async change(keyId: string, phase: keyof typeof EVENTS, reason: string): Promise<AdminPhase> {
    const { keys, lives, clock, journal } = this.#p
    const before = this.#known(keyId)
    lives.checkNext(keyId, phase)
    if (before === 'destroyed') throw lives.refusal(keyId)
    if (keys.has(keyId) === undefined) throw new ConclaveError('UNKNOWN_KEY', `this node has no key "${keyId}"`)
    if (before === phase) return this.phase(keyId)
    await journal.record({ kind: EVENTS[phase], details: { keyId, before, reason } })
    await lives.change(keyId, phase, reason, clock.nowMs())
    return this.phase(keyId)
  }

  /**
   * Erases every share of an archived key and every KEK that they were ever sealed under, and signs that it has. When it breaks off after
   * the shares are gone, the next call completes it.
   *
   * @param without - HSMs that are dead for good.
   * @throws {ConclaveError} UNKNOWN_KEY, KEY_PHASE, KEY_BUSY; {VaultError}; {StoreError}.
   */
  async destroy(keyId: string, reason: string, without: readonly string[]): Promise<Erasure> {
    const { lives } = this.#p
    const phase = this.#known(keyId)
    const known = lives.erasureOf(keyId)
    if (known !== undefined) return known
    lives.checkNext(keyId, 'destroyed')
    if (this.#busy.has(keyId)) throw new ConclaveError('KEY_BUSY', `key "${keyId}" is being destroyed`, { retriable: true })
    this.#busy.add(keyId)
    try {
      if (phase !== 'destroyed') await this.#erase(keyId, reason, without)
      return await this.#attest(keyId, without)
    } finally {
      this.#busy.delete(keyId)
    }
  }

  erasures(): readonly Erasure[] {
    return this.#p.lives.erasures()
  }

  #known(keyId: string): Phase {
    const { keys, lives } = this.#p
    const { phase } = lives.of(keyId)
    if (phase !== 'destroyed' && keys.has(keyId) === undefined) throw new ConclaveError('UNKNOWN_KEY', `this node has no key "${keyId}"`)
    return phase
  }

  async #erase(keyId: string, reason: string, without: readonly string[]): Promise<void> {
    const { keys, lives, clock, journal } = this.#p
    const kekGeneration = await this.#newestKek(without)
    const publicKey = keys.has(keyId) === 'active' ? keys.get(keyId).publicKey : undefined
    await journal.record({ kind: 'key.destroyed', details: { keyId, reason, kekGeneration } })
    let written: () => void = () => undefined
    await keys.erase(keyId, (all) => {
      const epochs = all.slice(-EPOCHS_NAMED_MAX)
      const life = lives.destroyed(keyId, { atMs: clock.nowMs(), reason, publicKey, epochs, kekGeneration })
      written = life.written
      return life.change
    })
    written()
  }

  /** With the shares gone: no KEK that was there before may stay. */
  async #attest(keyId: string, without: readonly string[]): Promise<Erasure> {
    const { scope, lives, vault, hsm, clock, journal } = this.#p
    const { publicKey, epochs, kekGeneration } = lives.of(keyId)
    for (let i = 1; i <= ROTATIONS_MAX; i++) {
      const { generation, hsms } = await hsm.rotateKek(without)
      // A rotation that had begun before the shares were erased may have sealed them to its own generation.
      if (generation <= kekGeneration) continue
      const kek = { destroyed: generation - 1, hsms: [...hsms], without: [...without] }
      const key = { keyId, publicKey: publicKey === undefined ? null : toHex(publicKey), epochs: [...epochs] }
      const at = new Date(clock.nowMs()).toISOString()
      const erasure = await signErasure({ clusterId: scope.clusterId, node: scope.nodeName, ...key, kek, at }, vault.identity)
      await journal.record({ kind: 'key.erased', details: { keyId, destroyed: kek.destroyed, hsms: kek.hsms, without: kek.without } })
      await lives.putErasure(erasure)
      return erasure
    }
    throw new ConclaveError('KEY_BUSY', `the KEKs of this node are still those of before: destroy key "${keyId}" again`, {
      retriable: true,
    })
  }

  /** @throws {VaultError} when an HSM that is not said to be dead does not answer: nothing has been erased then. */
  async #newestKek(without: readonly string[]): Promise<number> {
    const keks = (await this.#p.vault.keks()).filter((h) => !without.includes(h.name))
    for (const hsm of keks) {
      if (hsm.ok) continue
      const line = `hsm "${hsm.name}" does not answer (${hsm.code}), and has to: nothing was erased. If it is dead for good, add "--without ${hsm.name}"`
      throw new VaultError(hsm.code, line, { details: { hsm: hsm.name }, retriable: true })
    }
    return Math.max(...keks.flatMap((h) => (h.ok ? h.keks.map((k) => k.generation) : [])))
  }
}
