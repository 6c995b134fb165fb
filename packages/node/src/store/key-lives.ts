import { ConclaveError, utf8 } from '@conclave/core'
import { type Erasure, readErasure } from '@conclave/core/erasure'
import { decode, encode, StoredKeyLife } from '@conclave/wire'
import { type Change, type Store, StoreError } from './store.ts'

export const PHASES = ['provisioned', 'active', 'suspended', 'archived', 'destroyed'] as const
/** What the operator of this node has made of a key. */
export type Phase = (typeof PHASES)[number]

/** Where an operator's word may take a key from a phase. */
const NEXT: Readonly<Record<Phase, readonly Phase[]>> = {
  provisioned: ['active', 'archived'],
  active: ['suspended', 'archived'],
  suspended: ['active', 'archived'],
  archived: ['destroyed'],
  destroyed: [],
}

/** Why a key in this phase does not sign. */
const REFUSALS: Readonly<Partial<Record<Phase, readonly [code: string, why: string]>>> = {
  provisioned: ['KEY_NOT_ACTIVATED', 'was never activated'],
  suspended: ['KEY_SUSPENDED', 'is suspended'],
  archived: ['KEY_ARCHIVED', 'is archived'],
  destroyed: ['KEY_DESTROYED', 'was destroyed'],
}

/** The last time that a date can be. */
const TIME_MAX_MS = 8.64e15

/** A phase with what is known of how the key got there. */
export interface KeyLife {
  readonly phase: Phase
  readonly atMs: number
  readonly reason: string
  /** Of a destroyed key that ever came true, 33 bytes. */
  readonly publicKey: Uint8Array | undefined
  /** Of a destroyed key: the epochs whose shares were erased. */
  readonly epochs: readonly number[]
  /** Of a destroyed key: the newest KEK generation that its shares may have been sealed under. */
  readonly kekGeneration: number
}

function eight(n: number): Uint8Array {
  const out = new Uint8Array(8)
  new DataView(out.buffer).setBigUint64(0, BigInt(n))
  return out
}

/** Parses a stored phase. @throws {StoreError} STORE_CORRUPT. */
export function lifeOf({ phase, at, reason, publicKey, epochs, kekGeneration, keyId }: StoredKeyLife): KeyLife {
  const known = PHASES.find((p) => p === phase)
  if (known === undefined) throw new StoreError('STORE_CORRUPT', `key ${keyId} is in a phase that is not known here: ${phase}`)
  const atMs = Number(new DataView(at.buffer, at.byteOffset, 8).getBigUint64(0))
  if (atMs > TIME_MAX_MS) throw new StoreError('STORE_CORRUPT', `key ${keyId} has been in its phase since no time`)
  return { phase: known, atMs, reason, publicKey: publicKey.length === 0 ? undefined : publicKey, epochs, kekGeneration }
}

function changeOf(keyId: string, life: KeyLife): Change {
  const { atMs, publicKey = new Uint8Array(0), ...rest } = life
  return { put: 'key-life', key: keyId, value: encode(StoredKeyLife, { keyId, ...rest, at: eight(atMs), publicKey }) }
}

/** A key that nobody has said anything about is active: so were all keys before there were phases. */
const UNSAID: KeyLife = { phase: 'active', atMs: 0, reason: '', publicKey: undefined, epochs: [], kekGeneration: 0 }

/**
 * The phases of this node's keys, and what it has signed about those that it destroyed.
 *
 * What is destroyed stays known for ever, so that no key is ever made again under its id.
 */
export class KeyLives {
  readonly #store: Store
  readonly #lives = new Map<string, KeyLife>()
  /** In the order of their time. */
  readonly #erasures: Erasure[] = []

  private constructor(store: Store) {
    this.#store = store
  }

  /** @throws {StoreError} STORE_CORRUPT. */
  static async open(store: Store): Promise<KeyLives> {
    const lives = new KeyLives(store)
    for (const { key, value } of await store.list('key-life')) lives.#lives.set(key, lifeOf(decode(StoredKeyLife, value)))
    for (const { value } of await store.list('erasure')) lives.#erasures.push(readErasure(new TextDecoder().decode(value)))
    lives.#erasures.sort((a, b) => Date.parse(a.at) - Date.parse(b.at))
    return lives
  }

  of(keyId: string): KeyLife {
    return this.#lives.get(keyId) ?? UNSAID
  }

  /** Why this key does not sign here; undefined when it does. */
  refusal(keyId: string): ConclaveError | undefined {
    const [code, why] = REFUSALS[this.of(keyId).phase] ?? []
    return code === undefined ? undefined : new ConclaveError(code, `key "${keyId}" ${why} at this node`)
  }

  /** @throws {ConclaveError} KEY_ARCHIVED, KEY_DESTROYED: such a key gets no shares any more. */
  requireShares(keyId: string): void {
    const { phase } = this.of(keyId)
    if (phase === 'archived' || phase === 'destroyed') throw this.refusal(keyId)
  }

  /** Whether an operator's word may bring the key there; it may say so twice. @throws {ConclaveError} KEY_PHASE. */
  checkNext(keyId: string, next: Phase): void {
    const { phase } = this.of(keyId)
    if (phase === next || NEXT[phase].includes(next)) return
    throw new ConclaveError('KEY_PHASE', `key "${keyId}" is ${phase} at this node, and cannot become ${next}`, { details: { phase, next } })
  }

  /** The phase of a new key whose operator wants to activate it. To be written with its first share. */
  provisioned(keyId: string, atMs: number): { readonly change: Change; written(): void } {
    const life: KeyLife = { ...UNSAID, phase: 'provisioned', atMs }
    return { change: changeOf(keyId, life), written: () => void this.#lives.set(keyId, life) }
  }

  /** @throws {ConclaveError} KEY_PHASE; {StoreError}. */
  async change(keyId: string, phase: Exclude<Phase, 'destroyed'>, reason: string, atMs: number): Promise<void> {
    this.checkNext(keyId, phase)
    const life = { ...UNSAID, phase, atMs, reason }
    await this.#store.apply([changeOf(keyId, life)])
    this.#lives.set(keyId, life)
  }

  /** What is written in one batch with the erasure of the shares. */
  destroyed(keyId: string, facts: Omit<KeyLife, 'phase'>): { readonly change: Change; written(): void } {
    this.checkNext(keyId, 'destroyed')
    const life: KeyLife = { ...facts, phase: 'destroyed' }
    return { change: changeOf(keyId, life), written: () => void this.#lives.set(keyId, life) }
  }

  erasures(): readonly Erasure[] {
    return this.#erasures
  }

  erasureOf(keyId: string): Erasure | undefined {
    return this.#erasures.find((e) => e.keyId === keyId)
  }

  /** @throws {StoreError}. */
  async putErasure(erasure: Erasure): Promise<void> {
    await this.#store.apply([{ put: 'erasure', key: erasure.keyId, value: utf8(JSON.stringify(erasure)) }])
    this.#erasures.push(erasure)
  }

  /** Keys that are destroyed here and whose erasure is not complete: the KEKs are still to be rotated. */
  unfinished(): readonly string[] {
    return [...this.#lives].flatMap(([keyId, { phase }]) => (phase === 'destroyed' && this.erasureOf(keyId) === undefined ? [keyId] : []))
  }
}
