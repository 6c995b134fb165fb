import { expect } from 'chai'
import { sql } from 'kysely'
import { type Database, rowsOf, sqlOf } from '../database/database.ts'
import { onEveryDatabase } from '../testing/databases.ts'
import { EventStore, FIRST_PLACE } from './event-store.ts'

const insert = (subject: string, change: { tx?: string; at?: Date } = {}) =>
  sqlOf
    .insertInto('event')
    .values({ tenant: 'main', type: 'node.able', subject, key_id: null, data: '{}', ...change })
    .compile()
const filter = { tenant: 'main' }

onEveryDatabase('event store', (borrow) => {
  const withStore = async (test: (store: EventStore, database: Database) => Promise<void>) => {
    await using borrowed = await borrow()
    await test(new EventStore(borrowed.database), borrowed.database)
  }

  it('an event of a transaction that another could still come before is not told yet', () =>
    withStore(async (store, database) => {
      await database.run([insert('a')])
      // As if a transaction that began later had ended, and this one had not.
      const [row] = await rowsOf(
        database,
        sql<{ next: string }>`select pg_snapshot_xmax(pg_current_snapshot())::text as next`.compile(sqlOf),
      )
      await database.run([insert('b', { tx: String(BigInt(row?.next ?? '0') + 1_000_000n) })])
      const { events, isWaiting, next } = await store.page(filter, FIRST_PLACE, 10)
      expect([events.map((e) => e.subject), isWaiting]).deep.equal([['a'], true])
      await store.adopt()
      expect((await store.page(filter, FIRST_PLACE, 10)).events.map((e) => e.subject)).deep.equal(['b', 'a'])
      expect((await store.page(filter, next, 10)).events).deep.equal([])
    }))

  it('pages go on where the one before ended, and from any event that is kept', () =>
    withStore(async (store, database) => {
      for (const subject of ['a', 'b', 'c']) await database.run([insert(subject), insert(`${subject}2`)])
      const first = await store.page(filter, FIRST_PLACE, 4)
      const second = await store.page(filter, first.next, 4)
      expect([...first.events, ...second.events].map((e) => e.subject)).deep.equal(['a', 'a2', 'b', 'b2', 'c', 'c2'])
      const after = await store.after('main', first.events[1]?.eventId ?? '')
      if (after === undefined) expect.fail()
      expect((await store.page(filter, after, 1)).events.map((e) => e.subject)).deep.equal(['b'])
      expect(await store.after('other', first.events[1]?.eventId ?? '')).equal(undefined)
      expect((await store.page({ tenant: 'other' }, FIRST_PLACE, 4)).events).deep.equal([])
      expect((await store.page(filter, await store.end('main'), 4)).events).deep.equal([])
    }))

  it('what is older than it is kept is forgotten, and nothing else', () =>
    withStore(async (store, database) => {
      const at = (days: number) => new Date(Date.now() - days * 86_400_000)
      await database.run([insert('old', { at: at(31) }), insert('young', { at: at(29) })])
      await store.trim(30)
      expect((await store.page(filter, FIRST_PLACE, 10)).events.map((e) => e.subject)).deep.equal(['young'])
    }))
})
