import { codeOf } from '@conclave/core'
import { expect } from 'chai'
import { type Database, rowsOf, sqlOf } from './database/database.ts'
import { pageQuery } from './pages.ts'
import { listOperations, listSignings } from './record-lists.ts'
import { Records } from './record-store.ts'
import { GROUP_MAX } from './signing-writer.ts'
import { type Borrowed, onEveryDatabase } from './testing/databases.ts'
import { answerOf, operationRecord, signingRecord } from './testing/records.ts'

async function codeFrom(action: Promise<unknown>): Promise<string> {
  return action.then(
    () => 'RESOLVED',
    (error) => codeOf(error),
  )
}

async function recordsOn(borrow: () => Promise<Borrowed>, test: (records: Records, database: Database) => Promise<void>): Promise<void> {
  await using borrowed = await borrow()
  await test(new Records(borrowed.database, { owner: 'hub/1', isKeeper: true }), borrowed.database)
}

onEveryDatabase('records', (borrow) => {
  const withRecords = (test: (records: Records, database: Database) => Promise<void>) => recordsOn(borrow, test)

  it('a request is kept with the answer to it, and is read as it was written', () =>
    withRecords(async (records) => {
      // PostgreSQL's own form of JSON refuses these two characters.
      const items = signingRecord(1).items.map((item) => ({ ...item, summary: [{ label: 'memo', value: 'nul \u0000, half \ud800' }] }))
      const record = signingRecord(1, { items })
      await records.admit(record, 'h1', answerOf(1))
      expect(await records.signing(record.requestId)).deep.equal(record)
      expect(await records.idempotency('h1')).deep.equal(answerOf(1))
      expect(await records.signing('00')).equal(undefined)
      expect(await records.idempotency('h2')).equal(undefined)
    }))

  it('what comes in one turn is written together, each once, and each is there when its promise resolves', () =>
    withRecords(async (records, database) => {
      const runs: number[] = []
      const counted: Database = {
        ...{ isShared: false, listen: () => () => undefined, close: async () => undefined },
        run: (queries) => {
          runs.push(queries.length)
          return database.run(queries)
        },
      }
      const own = new Records(counted, { owner: 'hub/1', isKeeper: true })
      const all = Array.from({ length: GROUP_MAX + 1 }, (_, n) => signingRecord(n))
      await Promise.all(
        all.map(async (record, n) => {
          await own.admit(record, `h${n}`, answerOf(n))
          expect(await records.signing(record.requestId)).deep.equal(record)
        }),
      )
      expect(runs).deep.equal([1, 1])
      const [one] = all
      if (one === undefined) expect.fail()
      await Promise.all([own.saveSigning({ ...one, state: 'queued' }), own.saveSigning({ ...one, state: 'signing' })])
      expect((await records.signing(one.requestId))?.state).equal('signing')
      expect(runs).lengthOf(4)
    }))

  it('a name that is taken fails its own request and none that is written with it', () =>
    withRecords(async (records, database) => {
      await records.admit(signingRecord(1), 'h1', answerOf(1))
      const outcomes = await Promise.all([
        codeFrom(records.admit(signingRecord(2), 'h2', answerOf(2))),
        codeFrom(records.admit(signingRecord(3), 'h1', answerOf(3))),
        codeFrom(records.admit(signingRecord(1), 'h4', answerOf(1))),
        codeFrom(records.saveSigning(signingRecord(1, { state: 'queued' }))),
      ])
      expect(outcomes).deep.equal(['RESOLVED', 'STORE_CONFLICT', 'STORE_CONFLICT', 'RESOLVED'])
      expect(await records.signing(signingRecord(3).requestId)).equal(undefined)
      expect(await records.idempotency('h4')).equal(undefined)
      expect(
        (await listSignings(database, 'main', { limit: 9, beyond: undefined }, {})).items.map((r) => [r.requestId.at(-1), r.state]),
      ).deep.equal([
        ['2', 'decoded'],
        ['1', 'queued'],
      ])
    }))

  it('what another coordinator drives is not written', () =>
    withRecords(async (records, database) => {
      const others = new Records(database, { owner: 'spoke/1', isKeeper: true })
      await records.admit(signingRecord(1), 'h1', answerOf(1))
      await records.admit(operationRecord(1), 'h2', answerOf(1))
      expect(await codeFrom(others.saveSigning(signingRecord(1, { state: 'signed' })))).equal('LEASE_LOST')
      expect(await codeFrom(others.saveOperation(operationRecord(1, { state: 'failed' })))).equal('LEASE_LOST')
      expect((await records.signing(signingRecord(1).requestId))?.state).equal('decoded')
      expect((await records.operation(operationRecord(1).operationId))?.state).equal('pending')
    }))

  it('what has ended is not opened again by a writer that has not heard of it', () =>
    withRecords(async (records) => {
      await records.admit(signingRecord(1), 'h1', answerOf(1))
      await records.admit(operationRecord(1), 'h2', answerOf(1))
      await records.saveSigning(signingRecord(1, { state: 'signed', endedAtMs: 2 }))
      await records.saveOperation(operationRecord(1, { state: 'succeeded', endedAtMs: 2 }))
      expect(await codeFrom(records.saveSigning(signingRecord(1, { state: 'queued' })))).equal('LEASE_LOST')
      expect(await codeFrom(records.saveOperation(operationRecord(1, { state: 'running' })))).equal('LEASE_LOST')
      // What its signers answered late is still written.
      await records.saveSigning(signingRecord(1, { state: 'signed', endedAtMs: 3 }))
      expect((await records.signing(signingRecord(1).requestId))?.endedAtMs).equal(3)
      expect((await records.operation(operationRecord(1).operationId))?.state).equal('succeeded')
    }))

  it('a cancel that somebody else asked for is heard of at the next write, and read', () =>
    withRecords(async (records, database) => {
      const record = signingRecord(1)
      await records.admit(record, 'h1', answerOf(1))
      expect(await records.saveSigning(record)).equal(false)
      await rowsOf(database, sqlOf.updateTable('signing').set({ cancel_requested: true }).compile())
      expect(await records.saveSigning(record)).equal(true)
      expect((await records.signing(record.requestId))?.cancelRequested).equal(true)
    }))

  it('pages go backwards without gaps', () =>
    withRecords(async (records, database) => {
      for (const n of [1, 2, 3, 4, 5]) await records.admit(signingRecord(n), `h${n}`, answerOf(n))
      const page = (cursor?: string) =>
        listSignings(database, 'main', pageQuery({ limit: 2, ...(cursor === undefined ? {} : { cursor }) }), {})
      const first = await page()
      const second = await page(first.nextCursor ?? '')
      const third = await page(second.nextCursor ?? '')
      const names = [first, second, third].map(({ items }) => items.map((r) => Number(r.requestId)))
      expect(names).deep.equal([[5, 4], [3, 2], [1]])
      expect(third.nextCursor).equal(null)
    }))

  it('one operation on a key is open at a time', () =>
    withRecords(async (records, database) => {
      await records.addOperation(operationRecord(1))
      expect(await codeFrom(records.addOperation(operationRecord(2)))).equal('STORE_CONFLICT')
      await records.addOperation(operationRecord(3, { keyId: 'other' }))
      await records.saveOperation(operationRecord(1, { state: 'succeeded', endedAtMs: 2 }))
      await records.addOperation(operationRecord(2))
      const ids = (page: { items: readonly { operationId: string }[] }) => page.items.map((o) => Number(o.operationId))
      expect(ids(await listOperations(database, 'main', { limit: 9, beyond: undefined }, {}))).deep.equal([2, 3, 1])
      expect(ids(await listOperations(database, 'main', { limit: 9, beyond: undefined }, { keyId: 'main' }))).deep.equal([2, 1])
    }))

  it('a key keeps its public key and goes to higher epochs only', () =>
    withRecords(async (records) => {
      const key = { keyId: 'main', publicKey: '02aa', chainCode: 'cc', threshold: 3, parties: [1, 2, 3, 4, 5], epoch: 2, state: 'active' }
      await records.saveKeys([key])
      await records.saveKeys([{ ...key, epoch: 1 }])
      await records.saveKeys([{ ...key, epoch: 3, publicKey: '02bb' }])
      expect(await records.keys()).deep.equal([key])
      await records.saveKeys([{ ...key, epoch: 3 }])
      expect(await records.keys()).deep.equal([{ ...key, epoch: 3 }])
    }))
})
