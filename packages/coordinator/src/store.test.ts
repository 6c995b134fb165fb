import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { codeOf } from '@conclave/core'
import { expect } from 'chai'
import { Level } from 'level'
import { Store } from './store.ts'

async function codeFrom(action: Promise<unknown>): Promise<string> {
  try {
    await action
  } catch (error) {
    return codeOf(error)
  }
  expect.fail('nothing was thrown')
}

describe('coordinator store', () => {
  let path: string
  beforeEach(async () => {
    path = join(await mkdtemp(join(tmpdir(), 'conclave-store-')), 'store')
  })
  afterEach(() => rm(join(path, '..'), { recursive: true, force: true }))

  it('keeps what was written over a restart', async () => {
    const first = await Store.open(path)
    await first.write([
      { table: 'a', key: '2', value: { x: 'two' } },
      { table: 'a', key: '1', value: 1 },
      { table: 'ab', key: '3', value: 3 },
    ])
    await first.close()
    const again = await Store.open(path)
    expect(await again.get('a', '2')).deep.equal({ x: 'two' })
    expect(await again.get('a', '9')).equal(undefined)
    expect(await again.scan('a', { limit: 10 })).deep.equal([
      ['1', 1],
      ['2', { x: 'two' }],
    ])
    await again.close()
  })

  it('writes that come together are kept in their order, and each is there when its promise resolves', async () => {
    const store = await Store.open(path)
    const write = async (n: number) => {
      await store.write([
        { table: 't', key: 'last', value: n },
        { table: 't', key: `${n}`, value: n },
      ])
      expect(await store.get('t', `${n}`)).equal(n)
    }
    const all = Array.from({ length: 50 }, (_, n) => write(n))
    await store.close().catch(() => undefined)
    await Promise.allSettled(all)
    const again = await Store.open(path)
    expect(await again.get('t', 'last')).equal(49)
    expect(await again.scan('t', { limit: 99 })).lengthOf(51)
    await again.close()
  })

  it('when the disk takes nothing, everybody who wrote hears of it', async () => {
    const store = await Store.open(path)
    await store.close()
    const outcomes = await Promise.allSettled([1, 2].map((n) => store.write([{ table: 't', key: `${n}`, value: n }])))
    expect(outcomes.map((o) => o.status)).deep.equal(['rejected', 'rejected'])
  })

  it('pages in both directions and deletes', async () => {
    const store = await Store.open(path)
    await store.write([1, 2, 3, 4].map((n) => ({ table: 't', key: `${n}`, value: n })))
    expect((await store.scan('t', { limit: 2, reverse: true, beyond: '4' })).map(([k]) => k)).deep.equal(['3', '2'])
    expect((await store.scan('t', { limit: 9, beyond: '2' })).map(([k]) => k)).deep.equal(['3', '4'])
    await store.write([{ table: 't', key: '3', value: undefined }])
    expect(await store.get('t', '3')).equal(undefined)
    await store.close()
  })

  it('refuses a second process', async () => {
    const store = await Store.open(path)
    expect(await codeFrom(Store.open(path))).equal('STORE_LOCKED')
    await store.close()
  })

  it('is not created over a place that holds something else', async () => {
    await mkdir(path)
    await writeFile(join(path, 'notes.txt'), 'mine')
    expect(await codeFrom(Store.open(path))).equal('STORE_DAMAGED')
    expect(await readdir(path)).deep.equal(['notes.txt'])
  })

  it('is created in an empty directory, and after a crash in the middle of creating', async () => {
    await mkdir(join(path, 'db.new'), { recursive: true })
    await writeFile(join(path, 'db.new', 'CURRENT'), 'half')
    const store = await Store.open(path)
    await store.close()
    expect(await readdir(path)).deep.equal(['db'])
  })

  it('without its CURRENT file is refused and left alone', async () => {
    const store = await Store.open(path)
    await store.write([{ table: 't', key: '1', value: 1 }])
    await store.close()
    await rename(join(path, 'db', 'CURRENT'), join(path, 'CURRENT'))
    const before = await readdir(join(path, 'db'))
    const error = await Store.open(path).catch((e: unknown) => e)
    expect(error).include({ code: 'STORE_DAMAGED', message: `the store ${path} has lost its CURRENT file` })
    expect(await readdir(join(path, 'db'))).deep.equal(before)
  })

  it('a value that was changed behind its back, or moved to another key, is refused', async () => {
    const store = await Store.open(path)
    await store.write([{ table: 't', key: '1', value: { amount: 100 } }])
    await store.close()
    const db = new Level<string, Uint8Array>(join(path, 'db'), { keyEncoding: 'utf8', valueEncoding: 'view' })
    const bytes = (await db.get('t/1')) as Uint8Array
    await db.put('t/2', bytes)
    await db.put('t/1', bytes.with(bytes.length - 3, '9'.charCodeAt(0)))
    await db.close()
    const again = await Store.open(path)
    expect(await codeFrom(again.get('t', '1'))).equal('STORE_DAMAGED')
    expect(await codeFrom(again.get('t', '2'))).equal('STORE_DAMAGED')
    await again.close()
  })
})
