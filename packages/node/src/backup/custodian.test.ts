import { spawnSync } from 'node:child_process'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BackupFile, encode } from '@conclave/wire'
import { expect } from 'chai'
import { refusal } from '../refusal.fixture.ts'
import { newIdentityFile, openWith, parseIdentities, sealTo } from './age-file.ts'
import { BackupRig } from './backup.fixture.ts'
import { type BackupSummary, backupMessage, parseBackup } from './backup-file.ts'
import { extractPiece, makeIdentityFile, openPiece } from './custodian.ts'

describe('custodian', () => {
  let rig: BackupRig
  let file: string
  before(async () => {
    rig = await BackupRig.create(['k'])
    file = await rig.backup()
  })
  after(() => rig.close())

  const recipient = () => rig.backups.beginDrill().then((b) => b.recipient)
  const identityOf = (who: string) => join(rig.dir, `${who}.key`)

  it('open-piece: what is opened is shown first, and without a yes nothing is', async () => {
    const seen: (readonly [BackupSummary, string])[] = []
    const to = await recipient()
    const out = rig.path()
    const order = { file, identityFile: identityOf('bo'), to, out, lock: rig.cluster.lock }
    const no = await openPiece({ ...order, confirm: async (what, who) => seen.push([what, who]) < 0 })
    expect(no).to.equal(undefined)
    expect(await refusal(() => stat(out))).to.equal('INTERNAL')
    expect(seen[0]?.[0]).to.deep.include({ node: 'n1', keys: [{ keyId: 'k', epoch: 0 }] })
    expect(seen[0]?.[1]).to.equal('bo')
    expect(await openPiece({ ...order, confirm: async () => true })).to.equal('bo')
    expect((await stat(out)).mode & 0o777).to.equal(0o600)
    // It can be read by nobody but the node: not even by who opened it.
    const [own] = await parseIdentities(await readFile(identityOf('bo'), 'utf8'))
    expect(await openWith([own?.identity as string], new Uint8Array(await readFile(out)))).to.equal(undefined)
  })

  it('open-piece: a stranger, a wrong recipient, a lock of another cluster, a changed backup are each refused', async () => {
    const to = await recipient()
    const opened = (change: Partial<Parameters<typeof openPiece>[0]>) =>
      refusal(() => openPiece({ file, identityFile: identityOf('ada'), to, out: rig.path(), confirm: async () => true, ...change }))
    const stranger = rig.path()
    await makeIdentityFile(stranger)
    expect(await opened({ identityFile: stranger })).to.equal('NOT_A_CUSTODIAN')
    for (const bad of ['', 'age1', `${to}x`, to.toUpperCase(), to.replace(/.$/, (c) => (c === 'q' ? 'p' : 'q')), 'ssh-ed25519 AAAA'])
      expect(await opened({ to: bad }), bad).to.equal('BAD_RECIPIENT')
    expect(await opened({ lock: { ...rig.cluster.lock, clusterId: '11'.repeat(32) } })).to.equal('BACKUP_FOREIGN')
    expect(await opened({ file: stranger })).to.equal('BAD_BACKUP')
    expect(await opened({ file: rig.path() })).to.equal('BACKUP_UNREADABLE')
    expect(await opened({ identityFile: rig.path() })).to.equal('BACKUP_UNREADABLE')
    expect(await opened({ identityFile: file })).to.equal('BAD_AGE_IDENTITY')
    expect(await opened({ out: stranger })).to.equal('BACKUP_EXISTS')
  })

  it("open-piece: what the node gave under a custodian's name must be the piece of this backup that is theirs", async () => {
    const to = await recipient()
    const other = parseBackup(new Uint8Array(await readFile(await rig.backup()))).file.pieces[0] as Uint8Array
    const good = parseBackup(new Uint8Array(await readFile(file))).file
    const [ada, bo] = [good.pieces[0], good.pieces[1]] as [Uint8Array, Uint8Array]
    for (const pieces of [
      [other, bo],
      [bo, ada],
    ]) {
      const unsigned = { ...good, pieces: [...pieces, good.pieces[2] as Uint8Array] }
      const odd = rig.path()
      await writeFile(odd, encode(BackupFile, { ...unsigned, signature: await rig.signAs('n1', backupMessage(unsigned)) }))
      const order = { file: odd, identityFile: identityOf('ada'), to, out: rig.path(), confirm: async () => true }
      expect(await refusal(() => openPiece(order))).to.equal('PIECE_WRONG')
    }
  })

  it('identity file: comments and several identities are read, and a line that is none is not quoted', async () => {
    const [a, b] = [await newIdentityFile(), await newIdentityFile()]
    const both = await parseIdentities(`# mine\n\n${a.text}\r\n${b.text}`)
    expect(both.map((i) => i.recipient)).to.deep.equal([a.recipient, b.recipient])
    const secret = a.text.split('\n')[1] as string
    const told = await parseIdentities(`${secret}X`).catch((e: unknown) => e)
    expect(String(told)).not.to.include(secret.slice(20))
    expect((told as { cause?: unknown }).cause).to.equal(undefined)
    for (const text of ['', '# only a comment\n', `${secret}\n`.repeat(17)])
      expect(await refusal(() => parseIdentities(text))).to.equal('BAD_AGE_IDENTITY')
  })

  it('piece: as an age file it can be opened and closed again by other programs, and then opens the backup', async () => {
    const to = await recipient()
    const closed = rig.path('closed')
    expect(await refusal(() => extractPiece(file, 'nobody', closed))).to.equal('NOT_A_CUSTODIAN')
    await extractPiece(file, 'cy', closed)
    expect((await readFile(closed, 'latin1')).startsWith('age-encryption.org/v1\n-> X25519 ')).to.equal(true)
    const opened = rig.path('opened')
    if (spawnSync('age', ['--version']).status === 0) {
      const clear = spawnSync('age', ['-d', '-i', identityOf('cy'), closed])
      const again = spawnSync('age', ['-r', to, '-o', opened], { input: clear.stdout })
      expect([clear.status, again.status]).to.deep.equal([0, 0])
    } else {
      const [own] = await parseIdentities(await readFile(identityOf('cy'), 'utf8'))
      const clear = await openWith([own?.identity as string], new Uint8Array(await readFile(closed)))
      await writeFile(opened, await sealTo(to, clear as Uint8Array))
    }
    const report = await rig.backups.drill(file, [opened, await rig.piece(file, 'ada', to)])
    expect(report.openedBy).to.deep.equal(['cy', 'ada'])
  })
})
