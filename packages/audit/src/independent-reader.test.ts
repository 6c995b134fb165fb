import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { originOf } from './checkpoint.ts'
import { IndependentReader } from './independent-reader.fixture.ts'
import { naiveRoot } from './naive-tree.fixture.ts'
import { CLUSTER_ID, growTo, NOW_S, openLog, signerOf, testEntry } from './signed-log.fixture.ts'

const keyOf = (name: string) => ({ name: originOf(CLUSTER_ID, name), publicKey: signerOf(name).key.publicKey })
const [LOG, COSIGNERS] = [keyOf('n1'), [keyOf('n2'), keyOf('n5')]]

describe('a reader written from the C2SP text', () => {
  let dir = ''
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'conclave-audit-'))
  })
  afterEach(() => rm(dir, { recursive: true, force: true }))

  for (const sizes of [[1], [7, 255], [256], [300, 513], [70_000]]) {
    it(`a log of ${sizes.join(', then ')} entries: checkpoint, cosignatures, tiles and entries come to one root`, async () => {
      const log = await openLog(dir)
      for (const size of sizes) {
        while (log.size < size - 10_000)
          await Promise.all(Array.from({ length: 10_000 }, (_, i) => log.append(testEntry('n1', log.size + i))))
        await growTo(log, size, { cosigners: ['n2', 'n5'] })
      }
      await log.close()
      const reader = new IndependentReader(dir)
      const { origin, size, root, times } = reader.checkpoint(LOG, COSIGNERS)
      expect([origin, size, times]).deep.equals([LOG.name, sizes.at(-1), [NOW_S, NOW_S]])
      const entries = reader.entries(size)
      expect(entries.length).equals(size)
      expect(Buffer.from(naiveRoot(entries)).equals(root)).equals(true)
      expect(JSON.parse((entries[0] as Buffer).toString()).kind).equals('test.counted')
      expect(reader.checkLevels(size)).equals(size >= 65_536 ? 2 : size >= 256 ? 1 : 0)
    })
  }

  it('it judges: a changed entry, tile and cosignature are refused by it too', async () => {
    const log = await openLog(dir)
    await growTo(log, 5, { cosigners: ['n2', 'n5'] })
    await log.close()
    const reader = new IndependentReader(dir)
    for (const [name, read] of [
      ['tile/entries/000.p/5', () => reader.entries(5)],
      ['tile/0/000.p/5', () => reader.entries(5)],
      ['checkpoint', () => reader.checkpoint(LOG, COSIGNERS)],
    ] as const) {
      const file = join(dir, name)
      const bytes = await readFile(file)
      await writeFile(
        file,
        bytes.map((b, i) => (i === bytes.length - 9 ? b ^ 1 : b)),
      )
      expect(read).throws()
      await writeFile(file, bytes)
      read()
    }
  })
})
