import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { endianness, tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { fileFacts, gatherDisk } from './files.ts'
import { gatherListen, listenersIn } from './network.ts'
import { coreLimitIn, gatherCoreLimit, outputOf, swapsIn } from './system.ts'

describe('doctor: gathering', () => {
  let dir: string
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'conclave-gather-'))
  })
  after(() => rm(dir, { recursive: true, force: true }))

  it('listeners: IPv4, IPv6 and mapped addresses of a table, and no other state', function () {
    if (endianness() !== 'LE') this.skip()
    const table = [
      '  sl  local_address rem_address   st tx_queue rx_queue',
      '   0: 0100007F:238C 00000000:0000 0A 00000000:00000000 00:00000000',
      '   1: 0100007F:0016 0200007F:1234 01 00000000:00000000 00:00000000',
      '   2: 00000000000000000000000000000000:238D 00000000000000000000000000000000:0000 0A 0',
      '   3: 0000000000000000FFFF00000700000A:238E 00000000000000000000000000000000:0000 0A 0',
      '   4: B80D0120000000000000000001000000:238F 00000000000000000000000000000000:0000 0A 0',
    ]
    expect(listenersIn(table.join('\n'))).to.deep.equal([
      { host: '127.0.0.1', port: 9100 },
      { host: '::', port: 9101 },
      { host: '10.0.0.7', port: 9102 },
      { host: '2001:db8:0:0:0:0:0:1', port: 9103 },
    ])
    for (const odd of ['', 'x', '   0: 0100007F:23']) expect(listenersIn(odd)).to.deep.equal([])
  })

  it('listeners: one of this process is found without binding anything', async function () {
    if (process.platform !== 'linux') this.skip()
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as { port: number }
    const facts = await gatherListen([])
    server.close()
    expect(facts.known && facts.value.taken).to.deep.include({ host: '127.0.0.1', port })
    expect(facts.known && facts.value.local.has('127.0.0.1')).to.equal(true)
  })

  it('limits: the soft limit of core dumps', async function () {
    expect(
      coreLimitIn('Limit   Soft Limit   Hard Limit\nMax core file size        0                    unlimited            bytes \n'),
    ).to.equal(0)
    expect(coreLimitIn('Max core file size        unlimited            unlimited            bytes')).to.equal(Number.POSITIVE_INFINITY)
    expect(coreLimitIn('nothing')).to.equal(undefined)
    if (process.platform !== 'linux') this.skip()
    expect((await gatherCoreLimit(process.pid)).known).to.equal(true)
  })

  it('swap: devices and files, but what lies in memory', () => {
    const text = 'Filename\tType\tSize\n/dev/sda2 partition 1 0 -2\n/dev/zram0 partition 1 0 100\n/swapfile file 1 0 -3\n'
    expect(swapsIn(text)).to.deep.equal(['/dev/sda2', '/swapfile'])
  })

  it('commands: one that is missing or fails is unknown, with why', async () => {
    expect(await outputOf('conclave-no-such-command', [])).to.deep.equal({ known: false, why: 'conclave-no-such-command is not installed' })
    expect((await outputOf(process.execPath, ['-e', 'process.exit(3)'])).known).to.equal(false)
    expect(await outputOf(process.execPath, ['-e', 'console.log("x")'])).to.deep.equal({ known: true, value: 'x\n' })
  })

  it('files: mode bits as they are; what is not there is undefined', async () => {
    const file = join(dir, 'f')
    await writeFile(file, 'x')
    await chmod(file, 0o640)
    expect(await fileFacts(file)).to.deep.include({ path: file, mode: 0o640 })
    expect(await fileFacts(join(dir, 'none'))).to.equal(undefined)
  })

  it('disk: this one takes an fsync of a file that is there; a path that is not is unknown', async () => {
    const file = join(dir, 'g')
    await writeFile(file, 'x')
    const disk = await gatherDisk(dir, file)
    expect(disk.known && [disk.value.isWritable, disk.value.fsyncError, disk.value.freeBytes > 0]).to.deep.equal([true, undefined, true])
    const missing = await gatherDisk(dir, join(dir, 'none'))
    expect(missing.known && missing.value.fsyncError).to.equal('ENOENT')
    expect((await gatherDisk(join(dir, 'none'), file)).known).to.equal(false)
  })
})
