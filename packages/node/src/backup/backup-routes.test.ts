import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { silentLogger } from '@conclave/transport'
import { expect } from 'chai'
import { askAdmin } from '../admin-client.ts'
import { type AdminServer, openAdminServer } from '../admin-server.ts'
import { refusal } from '../refusal.fixture.ts'
import { BackupRig } from './backup.fixture.ts'
import type { DrillReport } from './backup-keeper.ts'
import { backupRoutes } from './backup-routes.ts'

describe('backup routes of the admin socket', () => {
  let rig: BackupRig
  let server: AdminServer
  let socket: string
  before(async () => {
    rig = await BackupRig.create(['k'])
    socket = join(rig.dir, 'admin.sock')
    server = await openAdminServer(socket, silentLogger)
    server.serve(backupRoutes(rig.backups))
  })
  after(async () => {
    await server.close()
    await rig.close()
  })

  const ask = (act: string, body: unknown) => askAdmin(socket, `/v1/backup:${act}`, body)

  it('routes: a backup is made, verified and drilled, and epochs are written', async () => {
    const out = rig.path()
    expect(await ask('create', { out })).to.deep.include({ node: 'n1', keys: [{ keyId: 'k', epoch: 0 }] })
    expect(await ask('verify', { in: out })).to.have.property('standings')
    const { recipient } = (await ask('begin-drill', {})) as { recipient: string }
    const pieces = [await rig.piece(out, 'ada', recipient), await rig.piece(out, 'bo', recipient)]
    expect(((await ask('drill', { in: out, pieces })) as DrillReport).openedBy).to.deep.equal(['ada', 'bo'])
    expect(await ask('epochs', { out: rig.path() })).to.deep.equal({ keys: 1 })
  })

  it('routes: relative, empty, long and odd paths, unknown fields and too many pieces are refused, and nothing is done', async () => {
    const before = rig.events.length
    const bodies: readonly (readonly [string, unknown])[] = [
      ...['', 'backup', './backup', '/tmp/a\0b', `/${'x'.repeat(1024)}`, 7, null].map((out) => ['create', { out }] as const),
      ['create', {}],
      ['create', { out: '/x', force: true }],
      ['verify', { in: 'backup' }],
      ['begin-drill', { now: true }],
      ['drill', { in: '/x' }],
      ['drill', { in: '/x', pieces: Array.from({ length: 17 }, () => '/y') }],
      ['drill', { in: '/x', pieces: ['y'] }],
      ['epochs', []],
    ]
    for (const [act, body] of bodies) expect(await refusal(() => ask(act, body)), JSON.stringify([act, body])).to.equal('BAD_BODY')
    expect(rig.events.length).to.equal(before)
  })

  it('routes: a file of any bytes, a directory and nothing at all are refused by code', async () => {
    const file = rig.path()
    await writeFile(file, 'not a backup')
    expect(await refusal(() => ask('verify', { in: file }))).to.equal('BAD_BACKUP')
    for (const path of [rig.dir, '/dev/zero', rig.path()])
      expect(await refusal(() => ask('verify', { in: path }))).to.equal('BACKUP_UNREADABLE')
    expect(await refusal(() => ask('create', { out: rig.dir }))).to.equal('BACKUP_EXISTS')
  })
})
