import { createHmac, createSecretKey, type KeyObject } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { concat, equalBytes, u32, utf8 } from '@conclave/core'
import { Level } from 'level'
import { type Change, type Entry, type Page, type Section, type Store, StoreError } from './store.ts'

const MAC_BYTES = 32

type Operation = { readonly type: 'put'; readonly key: string; readonly value: Uint8Array } | { readonly type: 'del'; readonly key: string }

interface Waiting {
  readonly operations: readonly Operation[]
  resolve(): void
  reject(error: unknown): void
}

/**
 * A node's database: every value is authenticated with its section and key, every write is synchronous and atomic.
 *
 * LevelDB returns damaged values without an error, so a MAC under a key that only this node's HSM can open stands before each.
 * An older copy of the whole database passes these checks: that is a rollback, which peers notice (docs/operations.md).
 */
export class LevelStore implements Store {
  readonly #db: Level<string, Uint8Array>
  readonly #macKey: KeyObject
  readonly #waiting: Waiting[] = []
  #flushing: Promise<void> | undefined

  private constructor(db: Level<string, Uint8Array>, macKey: KeyObject) {
    this.#db = db
    this.#macKey = macKey
  }

  /** Makes an empty database. @throws {StoreError} STORE_IO when there is one already. */
  static async create(path: string): Promise<void> {
    const db = new Level<string, Uint8Array>(path, { errorIfExists: true, createIfMissing: true, valueEncoding: 'view' })
    try {
      await db.open()
      await db.close()
    } catch (cause) {
      throw new StoreError('STORE_IO', `cannot create a database in ${path}`, { cause })
    }
  }

  /**
   * @param macKey - 32 bytes, taken over.
   * @throws {StoreError} STORE_MISSING, STORE_LOCKED (another process has it), STORE_CORRUPT.
   */
  static async open(path: string, macKey: Uint8Array): Promise<LevelStore> {
    // Without CURRENT, LevelDB would start an empty database and delete every table.
    if (!existsSync(join(path, 'CURRENT')))
      throw new StoreError('STORE_MISSING', `no database in ${path}: run "conclave node init" or restore it`)
    const db = new Level<string, Uint8Array>(path, { createIfMissing: false, valueEncoding: 'view' })
    try {
      await db.open()
    } catch (cause) {
      const locked = cause instanceof Error && (cause.cause as { code?: unknown } | undefined)?.code === 'LEVEL_LOCKED'
      if (locked) throw new StoreError('STORE_LOCKED', `another process uses ${path}`, { cause })
      throw new StoreError('STORE_CORRUPT', `the database in ${path} cannot be opened; make a copy before any repair`, { cause })
    }
    const key = createSecretKey(macKey)
    macKey.fill(0)
    return new LevelStore(db, key)
  }

  /** @throws {StoreError} STORE_CORRUPT when the value is not the one that was written under this key. */
  async get(section: Section, key: string): Promise<Uint8Array | undefined> {
    const stored = await this.#guard(() => this.#db.get(`${section}!${key}`))
    return stored === undefined ? undefined : this.#unwrap(section, key, stored)
  }

  /** Every entry of a section, by key; or those of one page. @throws {StoreError} STORE_CORRUPT. */
  async list(section: Section, { after, limit }: Page = { after: '', limit: -1 }): Promise<readonly Entry[]> {
    const entries = await this.#guard(() => this.#db.iterator({ gt: `${section}!${after}`, lt: `${section}"`, limit }).all())
    return entries.map(([k, stored]) => {
      const key = k.slice(section.length + 1)
      return { key, value: this.#unwrap(section, key, stored) }
    })
  }

  /** What is asked for in one turn of the event loop, or while the disk is busy, goes to the disk as one batch. */
  apply(changes: readonly Change[]): Promise<void> {
    const operations = changes.map(
      (c): Operation =>
        'put' in c
          ? { type: 'put', key: `${c.put}!${c.key}`, value: concat(this.#mac(c.put, c.key, c.value), c.value) }
          : { type: 'del', key: `${c.del}!${c.key}` },
    )
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#waiting.push({ operations, resolve, reject })
    this.#flushing ??= this.#flush()
    return promise
  }

  async close(): Promise<void> {
    await this.#flushing
    await this.#guard(() => this.#db.close())
  }

  async #flush(): Promise<void> {
    while (this.#waiting.length > 0) {
      await setImmediate()
      const group = this.#waiting.splice(0)
      const operations = group.flatMap((w) => w.operations)
      try {
        await this.#guard(() => this.#db.batch(operations, { sync: true }))
        for (const { resolve } of group) resolve()
      } catch (error) {
        for (const { reject } of group) reject(error)
      }
    }
    this.#flushing = undefined
  }

  #mac(section: Section, key: string, value: Uint8Array): Uint8Array {
    const parts = [utf8(section), utf8(key), value].flatMap((part) => [new Uint8Array(4), u32(part.length), part])
    return createHmac('sha256', this.#macKey)
      .update(concat(...parts))
      .digest()
  }

  #unwrap(section: Section, key: string, stored: Uint8Array): Uint8Array {
    const value = Uint8Array.from(stored.subarray(MAC_BYTES))
    if (stored.length < MAC_BYTES || !equalBytes(this.#mac(section, key, value), stored.subarray(0, MAC_BYTES))) {
      throw new StoreError('STORE_CORRUPT', `the record ${section}/${key} is damaged or was not written by this node`)
    }
    return value
  }

  async #guard<T>(act: () => Promise<T>): Promise<T> {
    try {
      return await act()
    } catch (cause) {
      throw new StoreError('STORE_IO', 'the database did not take a read or a write', { cause, retriable: true })
    }
  }
}
