import { codeOf } from '@conclave/core'
import { expect } from 'chai'
import { Kysely, PostgresDialect, sql } from 'kysely'
import { Pool } from 'pg'
import { Records } from '../record-store.ts'
import { eventually } from '../testing/fake-clock.ts'
import { PostgresServer, postgresPrograms } from '../testing/postgres.ts'
import { answerOf, signingRecord } from '../testing/records.ts'
import { CHANNEL, type Database, rowsOf, sqlOf } from './database.ts'
import { MIGRATIONS, migrate } from './migrations.ts'
import { openPostgres } from './postgres.ts'

const programs = postgresPrograms()
const OWNER = { owner: 'hub/1', isKeeper: true }

async function codeFrom(action: Promise<unknown>): Promise<string> {
  return action.then(
    () => 'RESOLVED',
    (error) => codeOf(error),
  )
}

const anything = (database: Database) => rowsOf(database, sqlOf.selectFrom('key').select('key_id').compile())

/** Runs with a connection of its own, as another version of the program would. */
async function beside(url: string, action: (db: Kysely<unknown>) => Promise<unknown>): Promise<void> {
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool: new Pool({ connectionString: url }) }) })
  try {
    await action(db)
  } finally {
    await db.destroy()
  }
}

;(programs === undefined ? describe.skip : describe)('database of a server', () => {
  let server: PostgresServer
  before(async () => {
    server = await PostgresServer.start(programs ?? '')
  })
  after(() => server[Symbol.asyncDispose]())

  it('is unavailable while the server is down, and then goes on with what was acknowledged', async () => {
    const database = await openPostgres(await server.fresh('outage'))
    const heard: (string | undefined)[] = []
    database.listen((payload) => heard.push(payload))
    await eventually(() => heard.length === 1)
    await new Records(database, OWNER).admit(signingRecord(1), 'h1', answerOf(1))
    await server.down()
    const error: unknown = await anything(database).catch((e: unknown) => e)
    expect(codeOf(error)).equal('STORE_UNAVAILABLE')
    expect(String(error)).not.contain('conclave@')
    expect(await codeFrom(openPostgres(server.url))).equal('STORE_UNAVAILABLE')
    await server.up()
    await eventually(async () => (await codeFrom(anything(database))) === 'RESOLVED')
    expect(await new Records(database, OWNER).signing(signingRecord(1).requestId)).deep.equal(signingRecord(1))
    // It may have missed something, and hears of what comes.
    await eventually(() => heard.filter((h) => h === undefined).length >= 2)
    await rowsOf(database, sql`select pg_notify(${CHANNEL}, 'changed 1')`.compile(sqlOf))
    await eventually(() => heard.includes('changed 1'))
    await database.close()
  })

  it('several may open a new one at once, and all migrate it once', async () => {
    const url = await server.fresh('together')
    const all = await Promise.all([1, 2, 3, 4].map(() => openPostgres(url)))
    for (const database of all) expect(await anything(database)).deep.equal([])
    await Promise.all(all.map((database) => database.close()))
  })

  it('of the version before is brought to the present one with what is in it', async () => {
    const names = Object.keys(MIGRATIONS).sort()
    for (let known = 1; known <= names.length; known++) {
      const url = await server.fresh(`version${known}`)
      const before = Object.fromEntries(names.slice(0, known).map((name) => [name, MIGRATIONS[name] as (typeof MIGRATIONS)[string]]))
      await beside(url, async (db) => {
        await migrate(db, before)
        await sql`insert into duty (name, owner) values ('kept', 'hub/1')`.execute(db)
      })
      const database = await openPostgres(url)
      expect(await rowsOf(database, sqlOf.selectFrom('duty').selectAll().compile())).deep.equal([{ name: 'kept', owner: 'hub/1' }])
      await database.close()
    }
  })

  it('of a later version is refused', async () => {
    const url = await server.fresh('later')
    const later = { up: (db: Kysely<unknown>) => sql`create table news (n integer)`.execute(db) }
    await beside(url, (db) => migrate(db, { ...MIGRATIONS, '9999-later': { up: async (d) => void (await later.up(d)) } }))
    expect(await codeFrom(openPostgres(url))).equal('STORE_NEWER')
  })

  it('a migration that fails leaves nothing of itself', async () => {
    const url = await server.fresh('half')
    const half = async (db: Kysely<unknown>) => {
      await sql`create table half (n integer)`.execute(db)
      await sql`create table half (n integer)`.execute(db)
    }
    await beside(url, async (db) => {
      expect(await codeFrom(migrate(db, { ...MIGRATIONS, '9999-half': { up: half } }))).not.equal('RESOLVED')
    })
    const database = await openPostgres(url)
    expect(await anything(database)).deep.equal([])
    await database.close()
  })
})
