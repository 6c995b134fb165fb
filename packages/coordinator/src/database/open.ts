import type { CoordinatorSettings } from '../settings.ts'
import type { Database } from './database.ts'
import { openPglite } from './pglite.ts'

/** The database that the settings name. @throws {StoreError} STORE_LOCKED, STORE_DAMAGED, STORE_NEWER. */
export async function openDatabase({ path }: CoordinatorSettings['store']): Promise<Database> {
  return await openPglite(path)
}
