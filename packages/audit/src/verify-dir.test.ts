import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { growTo, keysOf, openLog, testEntry } from './signed-log.fixture.ts'
import { type VerifyOptions, verifyDirectory } from './verify-dir.ts'

const OPTIONS: VerifyOptions = { keys: keysOf('n1'), node: 'n1' }

async function filesIn(dir: string): Promise<readonly string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true })
  return entries.filter((e) => e.isFile()).map((e) => join(e.parentPath, e.name))
}

describe('verifier of a directory', () => {
  let dir = ''
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'conclave-audit-'))
  })
  afterEach(() => rm(dir, { recursive: true, force: true }))

  for (const sizes of [[0], [1], [3, 9], [256], [255, 256, 300], [700, 1030]]) {
    it(`a log with checkpoints at ${sizes.join(', ')}: is right, and its entries are told in order`, async () => {
      const log = await openLog(dir)
      for (const size of sizes) await growTo(log, size)
      await log.close()
      const told: number[] = []
      const report = await verifyDirectory(dir, { ...OPTIONS, entry: (e, index) => told.push(e.details.i === index ? index : -1) })
      expect(report.findings).deep.equals([])
      expect(report.size).equals(sizes.at(-1))
      expect(report.checkpoint?.size).equals(sizes.at(-1))
      expect(report.checkpoint?.cosigners.map((c) => c.name.slice(-2))).deep.equals(['n2', 'n3', 'n4'])
      expect(told).deep.equals(Array.from({ length: report.size }, (_, i) => i))
    })
  }

  it('a running log: its tail is read too, and is not signed yet', async () => {
    const log = await openLog(dir)
    await growTo(log, 4)
    for (let i = 4; i < 7; i++) await log.append(testEntry('n1', i))
    const report = await verifyDirectory(dir, OPTIONS)
    expect(report.findings).deep.equals([])
    expect([report.size, report.checkpoint?.size]).deep.equals([7, 4])
    await log.close()
  })

  it('a small log: every single byte of it that is changed is found', async function () {
    this.timeout(240_000)
    const log = await openLog(dir)
    for (const size of [2, 5]) await growTo(log, size, { cosigners: ['n2', 'n5'] })
    for (let i = 5; i < 7; i++) await log.append(testEntry('n1', i))
    const copy = `${dir}/../${dir.split('/').at(-1)}-flipped`
    await cp(dir, copy, { recursive: true })
    await log.close()
    try {
      expect((await verifyDirectory(copy, OPTIONS)).findings).deep.equals([])
      let [flips, total] = [0, 0]
      for (const file of await filesIn(copy)) {
        const bytes = await readFile(file)
        total += bytes.length
        for (let at = 0; at < bytes.length; at++) {
          // All eight bits in turn over the file; every byte is changed once.
          const changed = Buffer.from(bytes)
          changed[at] = (changed[at] as number) ^ (1 << (at % 8))
          await writeFile(file, changed)
          const { findings } = await verifyDirectory(copy, OPTIONS)
          expect(findings, `byte ${at} of ${file}`).not.deep.equals([])
          flips++
        }
        await writeFile(file, bytes)
      }
      expect(flips).equals(total).greaterThan(2000)
      expect((await verifyDirectory(copy, OPTIONS)).findings).deep.equals([])
    } finally {
      await rm(copy, { recursive: true })
    }
  })

  it('a small log: every file that is missing, shortened, lengthened or added is found', async () => {
    const log = await openLog(dir)
    for (const size of [3, 258]) await growTo(log, size)
    await log.close()
    const findings = async () => (await verifyDirectory(dir, OPTIONS)).findings.length
    expect(await findings()).equals(0)
    for (const file of await filesIn(dir)) {
      const bytes = await readFile(file)
      const isStale = file.includes('000.p')
      await rm(file)
      // A partial tile may go once it is full.
      if (!isStale) expect(await findings(), `${file} removed`).greaterThan(0)
      for (const other of [...(bytes.length > 0 ? [bytes.subarray(0, -1)] : []), Buffer.concat([bytes, Buffer.from([0])])]) {
        await writeFile(file, other)
        expect(await findings(), `${file} of ${other.length} bytes`).greaterThan(0)
      }
      await writeFile(file, bytes)
    }
    for (const name of ['more', 'tile/0/001.p/99', 'tile/9/000', 'tail/0000000000999', 'new/7']) {
      const file = join(dir, name)
      await writeFile(file, 'x').catch(() => undefined)
      if ((await filesIn(dir)).includes(file)) expect(await findings(), name).greaterThan(0)
      await rm(file, { force: true })
    }
    expect(await findings()).equals(0)
  })
})
