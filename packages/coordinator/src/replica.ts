import { type Random, toHex } from '@conclave/core'
import { sql } from 'kysely'
import { type Database, sqlOf } from './database/database.ts'

const OWNER_BYTES = 8

/**
 * Enters a run of a coordinator in the database. An earlier run of the same name has ended, or ends now: its identity is one.
 *
 * @returns the name under which it drives what it drives.
 */
export async function enrol(database: Database, name: string, random: Random): Promise<string> {
  const owner = `${name}/${toHex(random.bytes(OWNER_BYTES))}`
  const until = sql<Date>`now() + interval '10 seconds'`
  const query = sqlOf
    .insertInto('replica')
    .values({ name, owner, until })
    .onConflict((there) => there.column('name').doUpdateSet({ owner, until }))
  await database.run([
    query.compile(),
    sqlOf.updateTable('signing').set({ owner }).where('is_open', '=', true).compile(),
    sqlOf.updateTable('operation').set({ owner }).where('is_open', '=', true).compile(),
  ])
  return owner
}
