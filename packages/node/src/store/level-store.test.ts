import { mkdtemp, readdir, readFile, rm, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { codeOf, tagged, utf8 } from '@conclave/core'
import { expect } from 'chai'
import { Level } from 'level'
import { refusal } from '../refusal.fixture.ts'
import { LevelStore } from './level-store.ts'
import type { Store } from './store.ts'

const MAC_KEY = () => tagged('test-mac')

describe('store', () => {
  let dir: string
  let path: string
  const written: { [key: string]: Uint8Array } = {}

  /** What lies in LevelDB, without our MAC. */
  const raw = async <T>(act: (db: Level<string, Uint8Array>) => Promise<T>): Promise<T> => {
    const db = new Level<string, Uint8Array>(path, { createIfMissing: false, valueEncoding: 'view' })
    await db.open()
    try {
      return await act(db)
    } finally {
      await db.close()
    }
  }
  const withStore = async <T>(act: (store: Store) => Promise<T>, macKey = MAC_KEY()): Promise<T> => {
    const store = await LevelStore.open(path, macKey)
    try {
      return await act(store)
    } finally {
      await store.close()
    }
  }

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'conclave-store-'))
    path = join(dir, 'db')
    await LevelStore.create(path)
    await withStore((s) =>
      s.apply([
        { put: 'key', key: 'a', value: utf8('value a') },
        { put: 'key', key: 'b', value: utf8('value b') },
        { put: 'pending-key', key: 'a', value: utf8('pending a') },
      ]),
    )
    await raw(async (db) => {
      for await (const [k, v] of db.iterator()) written[k] = v
    })
  })
  afterEach(() => rm(dir, { recursive: true, force: true }))

  it('store: changes that come together are kept in the order of the calls, also when the store closes behind them', async () => {
    const store = await LevelStore.open(path, MAC_KEY())
    const all = Array.from({ length: 40 }, (_, i) => store.apply([{ put: 'key', key: 'a', value: Uint8Array.of(i) }]))
    await store.close()
    await Promise.all(all)
    await withStore(async (s) => expect(await s.get('key', 'a')).to.deep.equal(Uint8Array.of(39)))
    const closed = await Promise.allSettled([1, 2].map(() => store.apply([{ del: 'key', key: 'a' }])))
    expect(closed.map((o) => o.status === 'rejected' && codeOf(o.reason))).to.deep.equal(['STORE_IO', 'STORE_IO'])
  })

  it('store: what was applied is there after a reopen, section by section', async () => {
    await withStore(async (s) => {
      expect(await s.get('key', 'a')).to.deep.equal(utf8('value a'))
      expect(await s.get('key', 'c')).to.equal(undefined)
      expect((await s.list('key')).map((e) => e.key)).to.deep.equal(['a', 'b'])
      expect(await s.list('pending-key')).to.deep.equal([{ key: 'a', value: utf8('pending a') }])
      expect(await s.list('pair')).to.deep.equal([])
    })
  })

  it('store: a section is listed page by page, each after the last key of the one before', async () => {
    await withStore(async (s) => {
      const page = async (after: string, limit: number) => (await s.list('key', { after, limit })).map((e) => e.key)
      expect([await page('', 1), await page('a', 1), await page('b', 1), await page('', 9)]).to.deep.equal([['a'], ['b'], [], ['a', 'b']])
    })
  })

  it('store: a value moved to another key or section is corrupt', async () => {
    const moves: readonly (readonly [string, string])[] = [
      ['key!a', 'key!b'],
      ['key!a', 'pending-key!a'],
      ['pending-key!a', 'key!a'],
    ]
    for (const [from, to] of moves) {
      await raw((db) => db.put(to, written[from] as Uint8Array))
      const [section, key] = to.split('!') as ['key', string]
      await withStore(async (s) => {
        expect(await refusal(() => s.get(section, key))).to.equal('STORE_CORRUPT')
        expect(await refusal(() => s.list(section))).to.equal('STORE_CORRUPT')
      })
      await raw((db) => db.put(to, written[to] as Uint8Array))
    }
  })

  it('store: every flipped byte, and a value cut short, is corrupt', async () => {
    const good = written['key!a'] as Uint8Array
    const bad = [...good.keys()].map((i) => good.map((v, at) => (at === i ? v ^ 1 : v)))
    for (const value of [...bad, good.subarray(0, 31), good.subarray(0, 32), new Uint8Array(0)]) {
      await raw((db) => db.put('key!a', value))
      expect(await refusal(() => withStore((s) => s.get('key', 'a')))).to.equal('STORE_CORRUPT')
    }
  })

  it('store: another MAC key opens nothing', async () => {
    expect(await refusal(() => withStore((s) => s.get('key', 'a'), tagged('other')))).to.equal('STORE_CORRUPT')
  })

  it('store: without CURRENT it is missing, and no file is made or removed', async () => {
    await unlink(join(path, 'CURRENT'))
    const before = (await readdir(path)).sort()
    expect(await refusal(() => LevelStore.open(path, MAC_KEY()))).to.equal('STORE_MISSING')
    expect((await readdir(path)).sort()).to.deep.equal(before)
    expect(await refusal(() => LevelStore.open(join(dir, 'nowhere'), MAC_KEY()))).to.equal('STORE_MISSING')
    expect(await readdir(dir)).to.deep.equal(['db'])
  })

  it('store: a damaged manifest is corrupt, and the tables stay', async () => {
    const manifest = (await readFile(join(path, 'CURRENT'), 'utf8')).trim()
    await writeFile(join(path, manifest), 'not a manifest')
    const before = (await readdir(path)).filter((f) => /\.(ldb|log)$/.test(f)).sort()
    expect(await refusal(() => LevelStore.open(path, MAC_KEY()))).to.equal('STORE_CORRUPT')
    expect((await readdir(path)).filter((f) => /\.(ldb|log)$/.test(f)).sort()).to.deep.equal(before)
  })

  it('store: a second opener is locked out, and the first goes on', async () => {
    await withStore(async (s) => {
      expect(await refusal(() => LevelStore.open(path, MAC_KEY()))).to.equal('STORE_LOCKED')
      expect(await s.get('key', 'a')).to.deep.equal(utf8('value a'))
    })
  })

  it('store: a batch is applied as a whole or not at all', async () => {
    const broken = { put: 'key', key: 'c', value: undefined as unknown as Uint8Array } as const
    await withStore(async (s) => {
      const fails = async () => s.apply([{ put: 'key', key: 'a', value: utf8('changed') }, { del: 'key', key: 'b' }, broken])
      await refusal(fails)
      expect((await s.list('key')).map((e) => new TextDecoder().decode(e.value))).to.deep.equal(['value a', 'value b'])
    })
  })

  it('store: create refuses what exists, and leaves it as it is', async () => {
    expect(await refusal(() => LevelStore.create(path))).to.equal('STORE_IO')
    await withStore(async (s) => expect(await s.list('key')).to.have.length(2))
  })

  it('store: after close everything fails with a typed error, close again does not', async () => {
    const store = await LevelStore.open(path, MAC_KEY())
    await store.close()
    await store.close()
    expect(await refusal(() => store.get('key', 'a'))).to.equal('STORE_IO')
    expect(await refusal(() => store.apply([{ del: 'key', key: 'a' }]))).to.equal('STORE_IO')
  })
})
