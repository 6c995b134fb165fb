import { cp, mkdtemp, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { toHex } from '@conclave/core'
import { expect } from 'chai'
import { encodeEntry } from './entry.ts'
import { AuditLog } from './log.ts'
import { leafHash, verifyConsistency, verifyInclusion } from './merkle.ts'
import { naiveRoot } from './naive-tree.fixture.ts'

const ORIGIN = 'conclave/test/n1'
const entryOf = (i: number) => encodeEntry({ node: 'n1', timeMs: 1_900_000_000_000 + i, kind: 'test.counted', details: { i } })
const entriesTo = (n: number) => Array.from({ length: n }, (_, i) => entryOf(i))

describe('audit log', () => {
  let dir = ''
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'conclave-audit-'))
  })
  afterEach(() => rm(dir, { recursive: true, force: true }))

  it('append: gives each entry its index, also to many at once, and the root is that of the definition', async () => {
    const log = await AuditLog.open(dir, ORIGIN)
    const all = entriesTo(700)
    expect(await Promise.all(all.map((e) => log.append(e)))).deep.equals(all.map((_, i) => i))
    for (const n of [1, 255, 256, 257, 512, 700]) expect(toHex(await log.rootAt(n))).equals(toHex(naiveRoot(all.slice(0, n))))
    await log.close()
  })

  for (const sizes of [[1], [3, 255, 256], [256, 257], [300, 301, 600], [255, 70_000]] as const) {
    it(`open: finds everything again after flushes at ${sizes.join(', ')} and a tail behind them`, async () => {
      let log = await AuditLog.open(dir, ORIGIN)
      const all = entriesTo((sizes.at(-1) as number) + 5)
      for (const n of sizes) {
        while (log.size < n) await Promise.all(all.slice(log.size, Math.min(n, log.size + 10_000)).map((e) => log.append(e)))
        await log.flush()
      }
      await Promise.all(all.slice(log.size).map((e) => log.append(e)))
      const root = await log.rootAt(log.size)
      // What a crash at this moment leaves.
      const crashed = join(dir, '..', `${basename(dir)}-crashed`)
      await cp(dir, crashed, { recursive: true })
      await log.close()
      await rm(dir, { recursive: true })
      await rename(crashed, dir)
      log = await AuditLog.open(dir, ORIGIN)
      expect(log.size).equals(all.length)
      expect(toHex(await log.rootAt(log.size))).equals(toHex(root))
      const last = all.length - 1
      for (const index of [0, Math.floor(last / 2), last]) {
        const proof = await log.inclusion(index, log.size)
        expect(verifyInclusion(leafHash(all[index] as Uint8Array), { index, size: log.size }, proof, root)).equals(true)
      }
      for (const size of sizes) {
        const old = { size, root: await log.rootAt(size) }
        expect(verifyConsistency(old, { size: log.size, root }, await log.consistency(size, log.size))).equals(true)
      }
      await log.close()
    })
  }
})
