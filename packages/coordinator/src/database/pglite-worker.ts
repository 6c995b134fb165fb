import { parentPort, workerData } from 'node:worker_threads'
import type { PGlite } from '@electric-sql/pglite'
import { Kysely, PGliteDialect } from 'kysely'
import { CHANNEL, type Row } from './database.ts'
import { migrate } from './migrations.ts'
import { openFiles, openMemory } from './pglite-engine.ts'
import type { FromPglite, PgliteStart, ToPglite } from './pglite-messages.ts'
import type { SqlFault } from './store-error.ts'

const say = (message: FromPglite) => parentPort?.postMessage(message)

function faultOf(error: unknown): SqlFault {
  const { code, constraint, message } = error as Partial<SqlFault>
  return { code, constraint, message: String(message) }
}

async function run(pg: PGlite, { queries }: ToPglite): Promise<readonly (readonly Row[])[]> {
  const [first, ...rest] = queries
  if (first === undefined) return []
  const one = async (on: Pick<PGlite, 'query'>, { sql, parameters }: typeof first) => (await on.query<Row>(sql, [...parameters])).rows
  if (rest.length === 0) return [await one(pg, first)]
  return await pg.transaction(async (transaction) => {
    const rows: (readonly Row[])[] = []
    for (const query of queries) rows.push(await one(transaction as Pick<PGlite, 'query'>, query))
    return rows
  })
}

async function serve({ directory }: PgliteStart): Promise<void> {
  const pg = directory === undefined ? await openMemory() : await openFiles(directory)
  await migrate(new Kysely({ dialect: new PGliteDialect({ pglite: pg }) }))
  await pg.listen(CHANNEL, (payload) => say({ type: 'heard', payload }))
  parentPort?.on('message', async (message: ToPglite) => {
    try {
      if (message.queries.length === 0) await pg.close()
      say({ type: 'done', id: message.id, rows: await run(pg, message) })
    } catch (error) {
      say({ type: 'failed', id: message.id, fault: faultOf(error) })
    }
  })
  say({ type: 'open' })
}

serve(workerData as PgliteStart).catch((error: unknown) => say({ type: 'refused', fault: faultOf(error) }))
