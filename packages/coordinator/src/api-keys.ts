import { createHash, timingSafeEqual } from 'node:crypto'
import { type Clock, codeOf } from '@conclave/core'
import type { Logger } from 'pino'
import { type ApiKeyRecord, type ApiKeyStore, isSecret, secretHash } from './api-key-store.ts'
import { type ApiKeySettings, type ApiRole, TENANT } from './settings.ts'

/** Each role may do what the ones before it may. */
const RANK: Readonly<Record<ApiRole, number>> = { viewer: 0, requester: 1, admin: 2 }
const BEARER = /^Bearer ([\x21-\x7e]{1,512})$/i
/** How long another coordinator may take to hear that a key is revoked. */
const REMEMBERED_MS = 5000
const REMEMBERED_MAX = 10_000
const NOTED_EVERY_MS = 60_000

/** Who is calling: never the key itself. */
export interface Caller {
  readonly name: string
  readonly role: ApiRole
  /** Sees what is of the same tenant, and nothing else. */
  readonly tenant: string
  /** The administrator of the settings, who makes the first keys of other tenants. */
  readonly isOperator: boolean
}

interface Remembered {
  readonly caller: Caller
  readonly untilMs: number
}

export interface CallersOptions {
  readonly settings: readonly ApiKeySettings[]
  readonly store: ApiKeyStore
  readonly clock: Clock
  readonly logger: Logger
}

/** Finds out who calls: keys of the settings, and keys of the database. */
export class Callers {
  readonly #o: CallersOptions
  readonly #fixed: readonly { readonly caller: Caller; readonly hash: Buffer }[]
  readonly #remembered = new Map<string, Remembered>()
  readonly #noted = new Map<string, number>()

  constructor(options: CallersOptions) {
    this.#o = options
    this.#fixed = options.settings.map(({ name, role, tenant, sha256 }) => ({
      caller: { name, role, tenant, isOperator: role === 'admin' && tenant === TENANT },
      hash: Buffer.from(sha256, 'hex'),
    }))
  }

  isFixed(name: string): boolean {
    return this.#fixed.some(({ caller }) => caller.name === name)
  }

  /** Of an Authorization header. Every configured hash is compared, in constant time. @throws {StoreError}. */
  async find(authorization: string | undefined): Promise<Caller | undefined> {
    const token = BEARER.exec(authorization ?? '')?.[1]
    if (token === undefined) return undefined
    const hash = createHash('sha256').update(token).digest()
    let found: Caller | undefined
    for (const key of this.#fixed) if (timingSafeEqual(key.hash, hash)) found = key.caller
    if (found !== undefined || !isSecret(token)) return found
    return await this.#inStore(secretHash(token))
  }

  /** Nothing that was looked up before counts any more. */
  forget(): void {
    this.#remembered.clear()
  }

  async #inStore(hash: string): Promise<Caller | undefined> {
    const { store, clock } = this.#o
    const nowMs = clock.nowMs()
    const known = this.#remembered.get(hash)
    if (known !== undefined && nowMs < known.untilMs) return known.caller
    const record = await store.find(hash, nowMs)
    if (record === undefined) return undefined
    const { name, role, tenant, oldUntilMs } = record
    const caller = { name, role, tenant, isOperator: false }
    // A secret that was rotated out is not remembered for longer than it is valid.
    const untilMs = Math.min(nowMs + REMEMBERED_MS, oldUntilMs !== null && oldUntilMs > nowMs ? oldUntilMs : Number.POSITIVE_INFINITY)
    this.#remembered.delete(hash)
    this.#remembered.set(hash, { caller, untilMs })
    if (this.#remembered.size > REMEMBERED_MAX) this.#remembered.delete(this.#remembered.keys().next().value as string)
    this.#noteUse(record, nowMs)
    return caller
  }

  #noteUse({ name, lastUsedAtMs }: ApiKeyRecord, nowMs: number): void {
    const { store, logger } = this.#o
    if (nowMs - Math.max(lastUsedAtMs ?? 0, this.#noted.get(name) ?? 0) < NOTED_EVERY_MS) return
    if (this.#noted.size >= REMEMBERED_MAX) this.#noted.clear()
    this.#noted.set(name, nowMs)
    // For people only: a call does not fail or wait for it.
    store.noteUse(name, nowMs).catch((error: unknown) => logger.warn({ apiKey: name, code: codeOf(error) }, 'use of an API key not noted'))
  }
}

export function allows(caller: Caller, needed: ApiRole): boolean {
  return RANK[caller.role] >= RANK[needed]
}
