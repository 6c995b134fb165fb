import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { codeOf, utf8 } from '@conclave/core'
import { expect } from 'chai'
import { LogFiles } from './disk.ts'
import { LogView } from './log-view.ts'
import { phaseOf, rangeOf, verifyPack, writePack } from './pack.ts'
import { growTo, keysOf, NOW_MS, openLog } from './signed-log.fixture.ts'

describe('evidence pack', () => {
  let dir = ''
  let view: LogView
  const [lock, isLock] = [utf8('{"a":1}'), (bytes: Uint8Array) => Buffer.from(bytes).toString() === '{"a":1}']

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'conclave-pack-'))
    const log = await openLog(join(dir, 'log'))
    for (const size of [100, 300]) await growTo(log, size, { cosigners: ['n2', 'n5'] })
    await log.close()
    view = await LogView.open(new LogFiles(join(dir, 'log')), keysOf('n1'))
  })
  after(() => rm(dir, { recursive: true }))

  it('of a period: has its entries and one on either side, and verifies by the keys alone', async () => {
    // The i-th entry is of NOW_MS + i.
    const range = await rangeOf(view, NOW_MS + 250, NOW_MS + 260)
    expect(range).deep.equals({ from: 249, to: 261 })
    const out = join(dir, 'pack')
    expect([...(await writePack(view, { ...range, locks: [lock] }, out))]).deep.equals([['8-other', 12]])
    expect((await readdir(out)).sort()).deep.equals(['8-other.jsonl', 'checkpoint', 'lock-1.json', 'pack.json'])
    const report = await verifyPack(out, keysOf('n1'), isLock)
    expect([report.from, report.to, report.checkpoint.size]).deep.equals([249, 261, 300])
    expect(await verifyPack(out, keysOf('n1'), () => false).catch(codeOf)).equals('BAD_PACK')
    expect(await verifyPack(out, keysOf('n2'), isLock).catch(codeOf)).equals('BAD_CHECKPOINT')
    expect(await writePack(view, { ...range, locks: [] }, out).catch(codeOf)).equals('PACK_EXISTS')
  })

  it('of all, and of nothing: ends with the log, and is not made', async () => {
    expect(await rangeOf(view, 0, Number.POSITIVE_INFINITY)).deep.equals({ from: 0, to: 300 })
    expect(await rangeOf(view, 0, 1).catch(codeOf)).equals('NOTHING_FOUND')
    expect(await writePack(view, { from: 0, to: 100_001, locks: [] }, join(dir, 'large')).catch(codeOf)).equals('PACK_TOO_LARGE')
  })

  it('phases: every kind of event that nodes record has one', () => {
    const phases = ['node.started', 'key.activated', 'hsm.failed', 'request.denied', 'session.signed', 'backup.created', 'audit.forked']
    expect(phases.map(phaseOf)).deep.equals([
      '1-membership',
      '2-key-ceremonies',
      '3-hardware',
      '4-approvals',
      '5-signing',
      '6-backup',
      '7-log',
    ])
    expect(phaseOf('test.counted')).equals('8-other')
  })
})
