import { spawn } from 'node:child_process'
import { cp, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { codeOf } from '@conclave/core'
import { expect } from 'chai'
import { AuditLog } from './log.ts'
import { growTo, keysOf, openLog, signedCheckpoint, testEntry } from './signed-log.fixture.ts'
import { formatBatch } from './tail.ts'
import { verifyDirectory } from './verify-dir.ts'

const CRASHER = new URL('./crasher.fixture.ts', import.meta.url).pathname
const OPTIONS = { keys: keysOf('n1', 0), node: 'n1' }

describe('recovery of a log', () => {
  let dir = ''
  let log: AuditLog | undefined
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'conclave-recovery-'))
  })
  afterEach(async () => {
    await log?.close()
    log = undefined
    await rm(dir, { recursive: true, force: true })
  })

  const codeOfOpen = (): Promise<string> =>
    openLog(dir).then(
      async (opened) => {
        await opened.close()
        return ''
      },
      (error: unknown) => codeOf(error),
    )

  /** Tiles to 260, a checkpoint of all, and nothing in the tail. */
  async function made(): Promise<void> {
    const fresh = await openLog(dir)
    for (const size of [255, 260]) await growTo(fresh, size, { cosigners: ['n2'] })
    await fresh.close()
  }

  async function change(name: string, change: (bytes: Buffer) => Uint8Array): Promise<void> {
    await writeFile(join(dir, name), change(await readFile(join(dir, name))))
  }
  const flip = (at: number) => (bytes: Buffer) => Uint8Array.from(bytes, (b, i) => (i === (at + bytes.length) % bytes.length ? b ^ 1 : b))

  it('what is at the edge, changed: is damage', async () => {
    await made()
    for (const [name, at] of [
      ['head', -4],
      ['head', 70],
      ['tile/0/001.p/4', 3],
      ['tile/1/000.p/1', 3],
      ['tile/entries/001.p/4', 30],
    ] as const) {
      const bytes = await readFile(join(dir, name))
      await change(name, flip(at))
      expect(await codeOfOpen(), `${name} ${at}`).equals('AUDIT_DAMAGED')
      await writeFile(join(dir, name), bytes)
    }
    expect(await codeOfOpen()).equals('')
  })

  it('a checkpoint that the tiles do not come to, of more than there is, or of another log: is damage', async () => {
    await made()
    const wrong = { size: 255, root: new Uint8Array(32) }
    for (const note of [
      await signedCheckpoint('n1', wrong),
      await signedCheckpoint('n1', { ...wrong, size: 261 }),
      await signedCheckpoint('n2', { ...wrong, size: 0 }),
    ]) {
      await writeFile(join(dir, 'checkpoint'), note)
      expect(await codeOfOpen()).equals('AUDIT_DAMAGED')
    }
  })

  it('files that are gone: are damage, and no new log is begun over what is left', async () => {
    await made()
    for (const name of ['head', 'tail', 'tile/0/001.p', 'tile/entries/001.p']) {
      await rename(join(dir, name), join(dir, '..', 'gone'))
      expect(await codeOfOpen(), name).equals('AUDIT_DAMAGED')
      await rename(join(dir, '..', 'gone'), join(dir, name))
    }
    expect(await codeOf(await AuditLog.open(dir, 'conclave/other/n1').catch((e: unknown) => e))).equals('AUDIT_DAMAGED')
  })

  it('tails: a gap between them is damage; what a crash left below the tiles goes away', async () => {
    await made()
    await writeFile(join(dir, 'tail/0000000000270'), formatBatch(270, [testEntry('n1', 270)]))
    expect(await codeOfOpen()).equals('AUDIT_DAMAGED')
    await rm(join(dir, 'tail/0000000000270'))
    await writeFile(join(dir, 'tail/0000000000259'), formatBatch(259, [testEntry('n1', 259)]))
    expect((await verifyDirectory(dir, OPTIONS)).findings).deep.equals([])
    await writeFile(join(dir, 'tail/0000000000259'), formatBatch(259, [testEntry('n1', 259, 'no')]))
    expect((await verifyDirectory(dir, OPTIONS)).findings.map((f) => f.code)).deep.equals(['TILE_MISMATCH'])
    await writeFile(join(dir, 'tail/0000000000259'), formatBatch(259, [testEntry('n1', 259)]))
    expect(await codeOfOpen()).equals('')
    expect(await readdir(join(dir, 'tail'))).deep.equals(['0000000000260'])
  })

  it('a torn tail: is cut off, and the log goes on over it', async () => {
    await made()
    const torn = formatBatch(260, [testEntry('n1', 260)])
    await writeFile(join(dir, 'tail/0000000000260'), torn.subarray(0, -5))
    log = await openLog(dir)
    expect(log.size).equals(260)
    // Shorter than what lies there: none of that may be left behind it.
    expect(await log.append(new Uint8Array([123, 125]))).equals(260)
    const copy = join(dir, '..', `${dir.split('/').at(-1)}-copy`)
    await cp(dir, copy, { recursive: true })
    const again = await openLog(copy)
    expect(again.size).equals(261)
    await again.close()
    await rm(copy, { recursive: true })
  })

  it('a checkpoint of what has no tiles: is not stored', async () => {
    log = await openLog(dir)
    await log.append(testEntry('n1', 0))
    const note = await signedCheckpoint('n1', { size: 1, root: await log.rootAt(1) })
    expect(await log.saveCheckpoint(note).catch(codeOf)).equals('ASSERTION')
    await log.flush()
    await log.saveCheckpoint(note)
    expect(log.checkpoint).deep.equals(note)
  })

  it('a process killed at any moment: everything that it was told to be durable is there, and the log is whole', async function () {
    this.timeout(120_000)
    let acknowledged = 0
    for (const until of [1, 40, 300, 700, 701, 1500]) {
      const child = spawn(process.execPath, [CRASHER, dir], { stdio: ['ignore', 'pipe', 'inherit'] })
      await new Promise<void>((resolve) => {
        let text = ''
        child.stdout.on('data', (data: Buffer) => {
          text += data.toString()
          const lines = text.split('\n')
          text = lines.pop() as string
          for (const line of lines) acknowledged = Math.max(acknowledged, Number(line))
          if (acknowledged >= until) child.kill('SIGKILL')
        })
        child.once('close', () => resolve())
      })
      log = await openLog(dir)
      expect(log.size, `after ${until}`).greaterThanOrEqual(acknowledged)
      await log.close()
      const told: number[] = []
      const { findings } = await verifyDirectory(dir, { ...OPTIONS, entry: (e) => told.push(e.details.i as number) })
      expect(findings.filter((f) => f.code !== 'NO_CHECKPOINT')).deep.equals([])
      expect(told).deep.equals(told.map((_, i) => i))
    }
    expect(acknowledged).greaterThanOrEqual(1500)
  })
})
