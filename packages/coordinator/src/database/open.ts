import { readFile } from 'node:fs/promises'
import { ConfigError } from '@conclave/core'
import type { CoordinatorSettings } from '../settings.ts'
import type { Database } from './database.ts'
import { openPglite } from './pglite.ts'
import { openPostgres } from './postgres.ts'

const URL_SHAPE = /^postgres(ql)?:\/\/\S+$/

/**
 * The database that the settings name.
 *
 * @throws {StoreError} STORE_LOCKED, STORE_DAMAGED, STORE_NEWER, STORE_UNAVAILABLE; {ConfigError} STORE_URL.
 */
export async function openDatabase({ path, postgres }: CoordinatorSettings['store']): Promise<Database> {
  if (path !== undefined) return await openPglite(path)
  return await openPostgres(postgres?.url ?? (await readUrl(postgres?.urlFile ?? '')))
}

/** A URL with a password in it stands in a file of its own. */
async function readUrl(file: string): Promise<string> {
  let text: string
  try {
    text = (await readFile(file, 'utf8')).trim()
  } catch (cause) {
    throw new ConfigError('STORE_URL', `cannot read the URL of the database from ${file}`, { file }, cause)
  }
  if (!URL_SHAPE.test(text)) throw new ConfigError('STORE_URL', `${file} does not hold a URL postgres://...`, { file })
  return text
}
