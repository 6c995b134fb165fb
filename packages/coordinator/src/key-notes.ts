import type { Selectable } from 'kysely'
import type { ApiSchema } from './database/api-tables.ts'
import { type Database, rowsOf, sqlOf } from './database/database.ts'
import { TENANT } from './settings.ts'

/** What the API keeps of a key beside what the nodes say of it. The nodes know nothing of it, and their policies go by nothing of it. */
export interface KeyNote {
  readonly tenant: string
  readonly role: string | null
  readonly label: string | null
  readonly tags: readonly string[]
}

export type KeyNoteChange = Partial<Omit<KeyNote, 'tenant'>>

const noteOf = ({ tenant, role, label, tags }: Selectable<ApiSchema['key_note']>): KeyNote => ({ tenant, role, label, tags })

/** Whose keys are, and what they are called. A key that nobody asked for through the API is of the first tenant. @throws {StoreError}. */
export class KeyNotes {
  readonly #database: Database
  /** The tenant of a key that exists never changes. */
  readonly #tenants = new Map<string, string>()

  constructor(database: Database) {
    this.#database = database
  }

  /** A key that does not exist is to be made for a tenant; whoever asked for one of that name before has not got it. */
  async claim(keyId: string, tenant: string): Promise<void> {
    const fresh = { key_id: keyId, tenant, role: null, label: null, tags: [] }
    await this.#database.run([
      sqlOf
        .insertInto('key_note')
        .values(fresh)
        .onConflict((there) => there.column('key_id').doUpdateSet(fresh))
        .compile(),
    ])
    this.#tenants.set(keyId, tenant)
  }

  /** Of a key that exists. */
  async tenantOf(keyId: string): Promise<string> {
    const known = this.#tenants.get(keyId)
    if (known !== undefined) return known
    const note = (await this.of([keyId])).get(keyId) ?? (await this.#adopt(keyId))
    this.#tenants.set(keyId, note.tenant)
    return note.tenant
  }

  /** By key; of a key without an entry nothing was noted. */
  async of(keyIds: readonly string[]): Promise<ReadonlyMap<string, KeyNote>> {
    if (keyIds.length === 0) return new Map()
    const rows = await rowsOf(
      this.#database,
      sqlOf
        .selectFrom('key_note')
        .selectAll()
        .where('key_id', 'in', [...keyIds])
        .compile(),
    )
    return new Map(rows.map((row) => [row.key_id, noteOf(row)]))
  }

  async change(keyId: string, { tags, ...change }: KeyNoteChange): Promise<void> {
    await this.tenantOf(keyId)
    const set = { ...change, ...(tags === undefined ? {} : { tags: [...tags] }) }
    if (Object.keys(set).length === 0) return
    await this.#database.run([sqlOf.updateTable('key_note').set(set).where('key_id', '=', keyId).compile()])
  }

  async #adopt(keyId: string): Promise<KeyNote> {
    const added = sqlOf
      .insertInto('key_note')
      .values({ key_id: keyId, tenant: TENANT, role: null, label: null, tags: [] })
      .onConflict((there) => there.column('key_id').doNothing())
    await this.#database.run([added.compile()])
    return (await this.of([keyId])).get(keyId) ?? { tenant: TENANT, role: null, label: null, tags: [] }
  }
}
