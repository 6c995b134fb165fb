import { readFile, stat, writeFile } from 'node:fs/promises'
import { ConclaveError, tagged, toHex } from '@conclave/core'
import { softIdentity } from '@conclave/transport'
import { BackupFile, BackupHeader, decode, encode } from '@conclave/wire'
import { expect } from 'chai'
import { refusal } from '../refusal.fixture.ts'
import { createKey, renew, renewal, statusOf } from '../requests.fixture.ts'
import { BackupRig } from './backup.fixture.ts'
import { backupMessage, checkOwner, parseBackup } from './backup-file.ts'
import { unbackedKeys } from './unbacked.ts'

describe('backups of a running node', () => {
  let rig: BackupRig
  before(async () => {
    rig = await BackupRig.create(['a', 'b'])
  })
  after(() => rig.close())

  const adminKeys = async () => (await rig.cluster.node('n1').admin.status()).keys

  it('create: without a backup every key is unbacked; with one none is, for the operator, on the wire and after a restart', async () => {
    expect(unbackedKeys(await adminKeys())).to.deep.equal(['a', 'b'].map((keyId) => ({ keyId, epoch: 0, lastBackupEpoch: null })))
    expect((await statusOf(rig.cluster, 1)).keys.map((k) => k.backedUp)).to.deep.equal([false, false])
    const out = rig.path()
    const made = await rig.backups.create(out)
    expect(made).to.deep.include({ node: 'n1', index: 1, required: 2, custodians: ['ada', 'bo', 'cy'] })
    expect(made.keys).to.deep.equal(['a', 'b'].map((keyId) => ({ keyId, epoch: 0 })))
    expect((await stat(out)).mode & 0o777).to.equal(0o600)
    expect(unbackedKeys(await adminKeys())).to.deep.equal([])
    await rig.cluster.kill('n1')
    await rig.start(['n1'])
    expect(unbackedKeys(await adminKeys())).to.deep.equal([])
    expect((await statusOf(rig.cluster, 1)).keys.map((k) => [k.backedUp, k.backupEpoch])).to.deep.equal([
      [true, 0],
      [true, 0],
    ])
    expect((await statusOf(rig.cluster, 2)).keys.some((k) => k.backedUp)).to.equal(false)
  })

  it('create: the journal is told first; when it cannot be, nothing is written and nothing counts as backed up', async () => {
    const before = rig.events.length
    const out = rig.path()
    const { backupId } = await rig.backups.create(out)
    const headerHash = toHex(tagged('backup-header', parseBackup(new Uint8Array(await readFile(out))).file.header))
    const keys = { keys: ['a:0', 'b:0'], keyCount: 2 }
    const details = { backupId, headerHash, ...keys, custodians: ['ada', 'bo', 'cy'], required: 2 }
    expect(rig.events.slice(before)).to.deep.equal([{ kind: 'backup.created', details }])
    const last = await adminKeys()
    const push = rig.events.push
    rig.events.push = () => {
      throw new ConclaveError('STORE_IO', 'the journal is full')
    }
    try {
      const never = rig.path()
      expect(await refusal(() => rig.backups.create(never))).to.equal('STORE_IO')
      expect(await refusal(() => stat(never))).to.equal('INTERNAL')
    } finally {
      rig.events.push = push
    }
    expect(await adminKeys()).to.deep.equal(last)
  })

  it('create: a file that is there is not written over, and a directory that is not there is said', async () => {
    const out = rig.path()
    await writeFile(out, 'precious')
    expect(await refusal(() => rig.backups.create(out))).to.equal('BACKUP_EXISTS')
    expect(await readFile(out, 'utf8')).to.equal('precious')
    expect(await refusal(() => rig.backups.create(`${rig.path()}/none/backup`))).to.equal('BACKUP_NOT_WRITTEN')
  })

  it('create: no part of a share is in the file in the clear', async () => {
    const bytes = await readFile(await rig.backup())
    for (const keyId of ['a', 'b']) {
      const { secret } = await rig.openShare('n1', keyId)
      expect(bytes.includes(Buffer.from(secret.subarray(0, 32)))).to.equal(false)
      expect(bytes.includes(Buffer.from(secret.subarray(0, 8)))).to.equal(false)
    }
  })

  it('drill: two of three custodians prove that it would restore; the journal is told, and no share is stored', async () => {
    const file = await rig.backup()
    const keysBefore = (await rig.cluster.store('n1').list('key')).map(({ value }) => toHex(value))
    const report = await rig.drilled(file, ['bo', 'cy'])
    expect(report).to.deep.include({ openedBy: ['bo', 'cy'], node: 'n1' })
    expect(report.standings.map((s) => s.standing)).to.deep.equal(['current', 'current'])
    expect(rig.events.at(-1)).to.deep.include({ kind: 'backup.drilled' })
    expect((await rig.cluster.store('n1').list('key')).map(({ value }) => toHex(value))).to.deep.equal(keysBefore)
  })

  it('drill: its key is for once, is the same until it is used, and survives a restart', async () => {
    const file = await rig.backup()
    const { recipient } = await rig.backups.beginDrill()
    const pieces = [await rig.piece(file, 'ada', recipient), await rig.piece(file, 'bo', recipient)]
    await rig.cluster.kill('n1')
    await rig.start(['n1'])
    expect((await rig.backups.beginDrill()).recipient).to.equal(recipient)
    await rig.backups.drill(file, pieces)
    expect(await refusal(() => rig.backups.drill(file, pieces))).to.equal('NOT_BEGUN')
    expect((await rig.backups.beginDrill()).recipient).not.to.equal(recipient)
  })

  it('drill: a KEK that is rotated in between takes the one-time key with it, and a drill is begun anew', async () => {
    const file = await rig.backup()
    const { recipient } = await rig.backups.beginDrill()
    const pieces = [await rig.piece(file, 'ada', recipient), await rig.piece(file, 'bo', recipient)]
    await rig.cluster.node('n1').admin.hsm.rotateKek([])
    expect(await refusal(() => rig.backups.drill(file, pieces))).to.equal('NOT_BEGUN')
    expect((await rig.drilled(file)).openedBy).to.deep.equal(['ada', 'cy'])
    expect((await rig.backups.verify(await rig.backup())).standings.map((s) => s.standing)).to.deep.equal(['current', 'current'])
  })

  it('drill: too few pieces, one twice, one of another backup, one for another recipient and a damaged one are each refused', async () => {
    const file = await rig.backup()
    const other = await rig.backup()
    const { recipient } = await rig.backups.beginDrill()
    const ada = await rig.piece(file, 'ada', recipient)
    const drill = (...pieces: string[]) => refusal(() => rig.backups.drill(file, pieces))
    expect(await drill()).to.equal('PIECES_TOO_FEW')
    expect(await drill(ada)).to.equal('PIECES_TOO_FEW')
    expect(await drill(ada, ada)).to.equal('PIECE_TWICE')
    expect(await drill(ada, await rig.piece(other, 'bo', recipient))).to.equal('PIECE_FOREIGN')
    expect(await drill(ada, await rig.piece(file, 'bo', rig.plan.custodians[0]?.recipient as string))).to.equal('PIECE_SEALED')
    expect(await drill(ada, file)).to.equal('PIECE_SEALED')
    expect(await drill(ada, await rig.forgedPiece(file, recipient))).to.equal('PIECE_WRONG')
    expect(await drill(ada, rig.path())).to.equal('BACKUP_UNREADABLE')
    const bo = await rig.piece(file, 'bo', recipient)
    expect(await drill(ada, bo, await rig.piece(other, 'cy', recipient))).to.equal('PIECE_FOREIGN')
    expect(rig.events.at(-1)).to.deep.include({ kind: 'drill.failed' })
    expect(rig.events.at(-1)?.details).to.include({ code: 'PIECE_FOREIGN' })
    expect((await rig.backups.drill(file, [ada, bo])).openedBy).to.deep.equal(['ada', 'bo'])
  })

  it('file: no byte of a backup can be changed, and none taken away or added', async () => {
    const bytes = new Uint8Array(await readFile(await rig.backup()))
    parseBackup(bytes)
    const codes = new Set<string>()
    for (let at = 0; at < bytes.length; at++) {
      const changed = bytes.slice()
      changed[at] = (changed[at] as number) ^ (1 << (at % 8))
      codes.add(await refusal(() => parseBackup(changed)))
    }
    for (const changed of [bytes.subarray(1), bytes.subarray(0, -1), Uint8Array.of(...bytes, 0), new Uint8Array(0)])
      codes.add(await refusal(() => parseBackup(changed)))
    expect([...codes].sort()).to.deep.equal(['BACKUP_TAMPERED', 'BAD_BACKUP'])
  }).timeout(120_000)

  it('file: signed anew by somebody else it is foreign, and header and sealed part of two backups do not go together', async () => {
    const bytes = new Uint8Array(await readFile(await rig.backup()))
    const stranger = softIdentity(new Uint8Array(32).fill(7))
    const file = decode(BackupFile, bytes)
    const { type, publicKey } = stranger.key
    const header = encode(BackupHeader, { ...decode(BackupHeader, file.header), identityType: type, identityKey: publicKey })
    const unsigned = { ...file, header }
    const forged = encode(BackupFile, { ...unsigned, signature: await stranger.sign(backupMessage(unsigned)) })
    expect(await refusal(() => checkOwner(parseBackup(forged), rig.cluster.lock))).to.equal('BACKUP_FOREIGN')

    // What only the node itself could sign: the seal must hold on its own.
    const other = decode(BackupFile, new Uint8Array(await readFile(await rig.backup())))
    const spliced = { ...file, sealed: other.sealed, iv: other.iv }
    const signed = encode(BackupFile, { ...spliced, signature: await rig.signAs('n1', backupMessage(spliced)) })
    const path = rig.path()
    await writeFile(path, signed)
    const { recipient } = await rig.backups.beginDrill()
    const pieces = [await rig.piece(path, 'ada', recipient), await rig.piece(path, 'bo', recipient)]
    expect(await refusal(() => rig.backups.drill(path, pieces))).to.equal('BACKUP_TAMPERED')
  })

  it('verify: of another node it is not opened; after a refresh it is stale, the key is unbacked, and a new backup is current', async () => {
    const file = await rig.backup()
    expect((await rig.backups.verify(file)).standings.map((s) => s.standing)).to.deep.equal(['current', 'current'])
    expect(parseBackup(new Uint8Array(await readFile(file))).header.node).to.equal('n1')
    // Any node can say whether another's backup is current; its shares are opened nowhere else.
    expect((await rig.cluster.node('n2').backups.verify(file)).standings.map((s) => s.standing)).to.deep.equal(['current', 'current'])
    expect(await refusal(() => rig.cluster.node('n2').backups.drill(file, []))).to.equal('BACKUP_OTHER_NODE')
    for (const body of await renew(rig.cluster, renewal(rig.cluster, { keyId: 'a' }))) expect(body).to.have.property('keyCreated')
    expect((await rig.backups.verify(file)).standings).to.deep.equal([
      { keyId: 'a', epoch: 0, standing: 'stale', present: 1 },
      { keyId: 'b', epoch: 0, standing: 'current', present: 0 },
    ])
    expect(unbackedKeys(await adminKeys())).to.deep.equal([{ keyId: 'a', epoch: 1, lastBackupEpoch: 0 }])
    expect((await rig.drilled(file)).standings[0]?.standing).to.equal('stale')
    await rig.backup()
    expect(unbackedKeys(await adminKeys())).to.deep.equal([])
  })
})

describe('backups that cannot be made', () => {
  it('create: without custodians in the settings, or without a key, nothing is written', async () => {
    const rig = await BackupRig.create([])
    try {
      expect(await refusal(() => rig.backups.create(rig.path()))).to.equal('NOTHING_TO_BACK_UP')
      await createKey(rig.cluster, 'k')
      await rig.cluster.kill('n2')
      await rig.cluster.start(['n2'])
      expect(await refusal(() => rig.cluster.node('n2').backups.create(rig.path()))).to.equal('BACKUP_NOT_CONFIGURED')
      expect((await rig.cluster.node('n2').admin.status()).backup).to.equal(null)
      expect((await rig.cluster.node('n1').admin.status()).backup).to.deep.equal({ required: 2, custodians: ['ada', 'bo', 'cy'] })
    } finally {
      await rig.close()
    }
  })
})
