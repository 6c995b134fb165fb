import { spawnSync } from 'node:child_process'
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseEntry } from '@conclave/audit'
import { type Clock, codeOf } from '@conclave/core'
import { silentLogger } from '@conclave/transport'
import { expect } from 'chai'
import { MortalClock } from '../mortal-clock.fixture.ts'
import { until } from '../requests.fixture.ts'
import { AuditJournal } from './audit-journal.ts'

const [a, b, c] = ['x', 'y', 'z'].map((letter) => letter.repeat(7000))
/** More than one page of a disk. */
const EVENT = { kind: 'test.happened', details: { a: a as string, b: b as string, c: c as string } }

/** A file system of its own that is full soon, or undefined where this process may not mount one. */
async function smallDisk(): Promise<string | undefined> {
  const dir = await mkdtemp(join(tmpdir(), 'conclave-small-'))
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=512k', 'tmpfs', dir]).status === 0
  if (mounted) return dir
  await rm(dir, { recursive: true })
  return undefined
}

describe('audit journal on a disk that refuses', () => {
  let disk: string | undefined
  let journal: AuditJournal
  const clock = new MortalClock()

  const codeOfRecord = (): Promise<string> =>
    journal.record(EVENT).then(
      () => '',
      (error: unknown) => codeOf(error),
    )

  before(async function () {
    disk = await smallDisk()
    if (disk === undefined) {
      this.test!.title += ' (a small file system cannot be mounted here)'
      this.skip()
    }
    journal = await AuditJournal.open({
      dir: join(disk as string, 'log'),
      origin: 'conclave/test/n1',
      node: 'n1',
      clock,
      log: silentLogger,
    })
  })
  after(async () => {
    if (disk === undefined) return
    await journal.close()
    clock.die()
    spawnSync('umount', ['-l', disk])
    await rm(disk, { recursive: true, force: true })
  })

  it('a full disk: refuses with a retriable code, and records again by itself when there is room', async () => {
    expect(await codeOfRecord()).to.equal('')
    const ballast = join(disk as string, 'ballast')
    await writeFile(ballast, Buffer.alloc(460 * 1024)).catch(() => undefined)
    await until('the disk is full', async () => (await codeOfRecord()) === 'AUDIT_UNAVAILABLE')
    expect(journal.outage?.message).to.contain('ENOSPC')
    expect(await journal.record(EVENT).catch((e: { retriable: boolean }) => e.retriable)).to.equal(true)
    const size = journal.tree.size
    await rm(ballast)
    await until('the journal has recovered', () => journal.outage === undefined)
    // Nothing that was refused is in the log; what is says what was missed.
    const resumed = parseEntry((await journal.tree.bundle(0))[size] as Uint8Array)
    expect(resumed.kind).to.equal('audit.resumed')
    expect(resumed.details.missed).to.equal(2)
    expect(await codeOfRecord()).to.equal('')
    expect(journal.tree.size).to.equal(size + 2)
  })

  it('a full disk: what is in the log afterwards can be opened again', async () => {
    const { size } = journal.tree
    // As a crash would leave it: nothing of what was refused lies behind what was taken.
    const copy = await mkdtemp(join(tmpdir(), 'conclave-journal-'))
    await cp(join(disk as string, 'log'), copy, { recursive: true })
    const again = await AuditJournal.open({ dir: copy, origin: 'conclave/test/n1', node: 'n1', clock, log: silentLogger })
    expect(again.tree.size).to.equal(size)
    await again.close()
    await rm(copy, { recursive: true })
    await journal.close()
    journal = await AuditJournal.open({
      dir: join(disk as string, 'log'),
      origin: 'conclave/test/n1',
      node: 'n1',
      clock,
      log: silentLogger,
    })
    expect(journal.tree.size).to.equal(size)
  })
})

describe('audit journal', () => {
  it('a disk that hangs: is an outage after a while', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'conclave-journal-'))
    const [stallMs, fired]: [number, number[]] = [7, []]
    // The bound is reached before any disk is; nothing else ever is.
    const clock: Clock = {
      nowMs: () => 0,
      after(delayMs, fire) {
        fired.push(delayMs)
        if (delayMs === stallMs) fire()
        return () => undefined
      },
    }
    const journal = await AuditJournal.open({ dir, origin: 'conclave/test/n1', node: 'n1', clock, log: silentLogger, stallMs })
    expect(await journal.record(EVENT).catch(codeOf)).to.equal('AUDIT_UNAVAILABLE')
    expect(journal.outage?.message).to.contain('longer than 7 ms')
    // The trial is due.
    expect(fired).to.deep.equal([7, 1000])
    await journal.close()
    await rm(dir, { recursive: true })
  })

  it('an event that has no form: is refused, and is no outage', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'conclave-journal-'))
    const clock = new MortalClock()
    const journal = await AuditJournal.open({ dir, origin: 'conclave/test/n1', node: 'n1', clock, log: silentLogger })
    expect(await journal.record({ kind: 'Bad Kind', details: {} }).catch(codeOf)).to.equal('BAD_ENTRY')
    expect(await journal.record({ kind: 'test.bad', details: { a: 0.5 } }).catch(codeOf)).to.equal('BAD_ENTRY')
    expect([journal.outage, journal.tree.size]).to.deep.equal([undefined, 0])
    await journal.close()
    clock.die()
    await rm(dir, { recursive: true })
  })
})
