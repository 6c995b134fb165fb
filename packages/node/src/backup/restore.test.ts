import { readFile, writeFile } from 'node:fs/promises'
import type { ClusterLock } from '@conclave/core'
import { BackupFile, BackupHeader, decode, encode, StoredBurn } from '@conclave/wire'
import { expect } from 'chai'
import { refusal } from '../refusal.fixture.ts'
import {
  codeIn,
  expectSignature,
  newKey,
  propose,
  renew,
  renewal,
  requestId,
  signTransfer,
  statusOf,
  transfer,
  until,
} from '../requests.fixture.ts'
import { BackupRig, type Custodian } from './backup.fixture.ts'
import { backupMessage, parseBackup } from './backup-file.ts'
import { type RestoreOrder, type RestoreReport, type RestoreTarget, restoreBackup } from './restore.ts'

/** The lock that gives the seat of n1 to its new machine; its old identity is gone and approves nothing. */
const nextLock = (rig: BackupRig): Promise<ClusterLock> => rig.cluster.nextLock({ replace: { n1: 'n1' }, approvers: ['n2', 'n3'] })

describe('restore', () => {
  let rig: BackupRig
  let publicKey: Uint8Array
  beforeEach(async () => {
    rig = await BackupRig.create([])
    publicKey = await newKey(rig.cluster, 'k')
  })
  afterEach(() => rig.close())

  const read = async (file: string) => parseBackup(new Uint8Array(await readFile(file)))

  async function restore(
    file: string,
    change: Partial<RestoreOrder> = {},
    who: readonly Custodian[] = ['bo', 'cy'],
  ): Promise<RestoreReport> {
    return rig.target(async (target, recipient) => {
      const order = { backup: await read(file), pieces: await rig.pieces(file, who, recipient), locks: [rig.cluster.lock] }
      return restoreBackup(target, { ...order, ...change })
    })
  }

  async function startUnder(lock: ClusterLock): Promise<void> {
    for (const name of rig.cluster.names()) await rig.cluster.kill(name)
    await rig.cluster.moveTo(lock)
    await rig.start()
  }

  it('restore: a node whose disk and HSM are gone signs again under the next lock, and says where its shares came from', async () => {
    const file = await rig.backup()
    await rig.cluster.rebuild('n1')
    const report = await restore(file)
    expect(report).to.deep.include({ restored: [{ keyId: 'k', epoch: 0 }], leftOut: [], openedBy: ['bo', 'cy'], isProvedCurrent: false })
    await startUnder(await nextLock(rig))
    expectSignature(await signTransfer(rig.cluster, 1, [1, 3], { keyId: 'k' }), publicKey)
    const [key] = (await rig.cluster.node('n1').admin.status()).keys
    expect(key).to.deep.include({ state: 'active', epoch: 0, restoredFrom: report.createdAt })
    expect(key?.lastBackup).to.deep.equal({ epoch: 0, at: report.createdAt })
    const told = () => rig.events.filter((e) => e.kind === 'backup.restored')
    expect(told()).to.deep.equal([
      { kind: 'backup.restored', details: { backupId: report.backupId, keys: ['k:0'], keyCount: 1, madeAt: report.createdAt } },
    ])
    await rig.cluster.kill('n1')
    await rig.start(['n1'])
    expect(told()).to.have.length(1)
    // What docs/backup.md tells to do next; from then on no share of a backup counts any more.
    const dealers = [2, 3]
    for (const body of await renew(rig.cluster, renewal(rig.cluster, { keyId: 'k', kind: 'reshare', dealers })))
      expect(codeIn(body)).to.equal('keyCreated')
    expectSignature(await signTransfer(rig.cluster, 2, [1, 2], { keyId: 'k', epoch: 1 }), publicKey)
    expect((await rig.cluster.node('n1').admin.status()).keys[0]).to.deep.include({ epoch: 1, restoredFrom: null })
  })

  it('restore: with the locks since the backup the node starts with the one after them', async () => {
    const file = await rig.backup()
    const first = rig.cluster.lock
    await startUnder(await rig.cluster.nextLock({}))
    await rig.cluster.rebuild('n1')
    const second = rig.cluster.lock
    expect(await refusal(() => restore(file, { locks: [second] }))).to.equal('BACKUP_OTHER_LOCK')
    await restore(file, { locks: [first, second] })
    await startUnder(await nextLock(rig))
    expectSignature(await signTransfer(rig.cluster, 1, [1, 2], { keyId: 'k' }), publicKey)
  })

  it('restore: bans and pair epochs come along, pair states and requests do not', async () => {
    await signTransfer(rig.cluster, 1, [1, 2], { keyId: 'k' })
    const burn = { peer: 3, pairEpoch: 1, code: 'OT_CHECK', at: new Uint8Array(8), peerId: rig.cluster.member('n3').peerId }
    await rig.cluster.store('n1').apply([{ put: 'burn', key: burn.peerId, value: encode(StoredBurn, burn) }])
    const file = await rig.backup()
    await rig.cluster.rebuild('n1')
    await restore(file)
    await rig.target(async ({ store }) => {
      expect((await store.list('burn')).map(({ key }) => key)).to.deep.equal([burn.peerId])
      expect((await store.list('pair-epoch')).map(({ key }) => key)).to.deep.equal(['2', '3'])
      for (const section of ['pair', 'request', 'pending-key'] as const) expect(await store.list(section), section).to.deep.equal([])
    })
  })

  it('restore: phases come along: a suspended key stays suspended, and a destroyed one is never made again', async () => {
    await newKey(rig.cluster, 'old')
    const keys = rig.cluster.node('n1').admin.key
    await keys.change('old', 'archived', 'done')
    const erasure = await keys.destroy('old', 'done', [])
    await keys.change('k', 'suspended', 'a doubt')
    const file = await rig.backup()
    await rig.cluster.rebuild('n1')
    expect((await restore(file)).restored).to.deep.equal([{ keyId: 'k', epoch: 0 }])
    await startUnder(await nextLock(rig))
    const restored = rig.cluster.node('n1').admin.key
    expect(restored.phase('k')).to.deep.include({ phase: 'suspended', reason: 'a doubt' })
    expect(restored.phase('old').phase).to.equal('destroyed')
    expect(restored.erasures()).to.deep.equal([erasure])
    await propose(rig.cluster, 1, [1], transfer(1n), { keyId: 'k' })
    expect(codeIn(await rig.cluster.ask(1, { sign: { requestId: requestId(1), attempt: 0, signers: [1, 2], epoch: 0 } }))).to.match(
      /KEY_SUSPENDED|UNKNOWN_REQUEST/,
    )
    await restored.change('k', 'active', 'cleared')
    expectSignature(await signTransfer(rig.cluster, 2, [1, 2], { keyId: 'k' }), publicKey)
  })

  it('restore: a stale backup is refused by name when other nodes show their certificates, and can leave the key out', async () => {
    await newKey(rig.cluster, 'other')
    const file = await rig.backup()
    for (const body of await renew(rig.cluster, renewal(rig.cluster, { keyId: 'k' }))) expect(codeIn(body)).to.equal('keyCreated')
    const epochs = rig.path('epochs')
    await rig.cluster.node('n2').backups.exportEpochs(epochs)
    const known = [new Uint8Array(await readFile(epochs))]
    await rig.cluster.rebuild('n1')
    expect(await refusal(() => restore(file, { known }))).to.equal('BACKUP_STALE')
    expect(await refusal(() => restore(file, { known, leaveOut: ['nothing'] }))).to.equal('BAD_BACKUP')
    const report = await restore(file, { known, leaveOut: ['k'] })
    expect(report).to.deep.include({ restored: [{ keyId: 'other', epoch: 0 }], leftOut: ['k'], isProvedCurrent: true })
    await startUnder(await nextLock(rig))
    expect((await statusOf(rig.cluster, 1)).keys.map((k) => k.keyId)).to.deep.equal(['other'])
  })

  it('restore: certificates that were changed, or are of another cluster, prove nothing', async () => {
    const file = await rig.backup()
    const epochs = rig.path('epochs')
    await rig.cluster.node('n2').backups.exportEpochs(epochs)
    const good = new Uint8Array(await readFile(epochs))
    await rig.cluster.rebuild('n1')
    for (let at = 3; at < good.length; at += 17) {
      const changed = good.with(at, (good[at] as number) ^ 1)
      expect(await refusal(() => restore(file, { known: [changed] })), `byte ${at}`).to.equal('BAD_KNOWN_EPOCHS')
    }
    expect((await restore(file, { known: [good] })).isProvedCurrent).to.equal(true)
  })

  it('restore: a stale backup that nobody refused is told by the peers, and does not sign', async () => {
    const file = await rig.backup()
    for (const body of await renew(rig.cluster, renewal(rig.cluster, { keyId: 'k' }))) expect(codeIn(body)).to.equal('keyCreated')
    expectSignature(await signTransfer(rig.cluster, 1, [2, 3], { keyId: 'k', epoch: 1 }), publicKey)
    await rig.cluster.rebuild('n1')
    expect((await restore(file)).isProvedCurrent).to.equal(false)
    await startUnder(await nextLock(rig))
    await until('n1 knows that its share is stale', async () => (await statusOf(rig.cluster, 1)).keys[0]?.state === 'stale')
    for (const epoch of [0, 1]) {
      await propose(rig.cluster, 5 + epoch, [1], transfer(1n), { keyId: 'k' })
      const signers = { requestId: requestId(5 + epoch), attempt: 0, signers: [1, 2], epoch }
      expect(codeIn(await rig.cluster.ask(1, { sign: signers }))).to.equal('KEY_STALE')
    }
    expect(await refusal(() => rig.backups.create(rig.path()))).to.equal('NOTHING_TO_BACK_UP')
  })

  it('restore: a node that has run, one of another name, another seat and a restore that was not begun are each refused', async () => {
    const file = await rig.backup()
    await rig.cluster.kill('n1')
    expect(await refusal(() => restore(file))).to.equal('RESTORE_NOT_EMPTY')
    await rig.cluster.rebuild('n1')
    const backup = await read(file)
    const refused = (change: Partial<RestoreTarget>, order: Partial<RestoreOrder> = {}) =>
      rig.target(async (target, recipient) => {
        const pieces = await rig.pieces(file, ['ada', 'bo'], recipient)
        return refusal(() => restoreBackup({ ...target, ...change }, { backup, pieces, locks: [rig.cluster.lock], ...order }))
      })
    expect(await refused({ name: 'n2' })).to.equal('BACKUP_OTHER_NODE')
    expect(await refused({}, { locks: [] })).to.equal('LOCK_UNREADABLE')
    expect(await refused({}, { pieces: [] })).to.equal('PIECES_TOO_FEW')
    const renamed = { ...rig.cluster.lock, nodes: rig.cluster.lock.nodes.map((n) => ({ ...n, name: `x${n.name}` })) }
    expect(await refused({}, { locks: [renamed] })).to.equal('BACKUP_OTHER_LOCK')
    expect(await refused({}, { locks: [rig.cluster.lock, rig.cluster.lock] })).to.equal('LOCK_CONFLICT')
    const without1 = await rig.cluster.nextLock({ remove: ['n1'], approvers: ['n2', 'n3'] })
    expect(await refused({}, { locks: [rig.cluster.lock, without1] })).to.equal('BACKUP_FOREIGN')
    const without = await rig.target((target, recipient) =>
      rig.pieces(file, ['ada', 'bo'], recipient).then(async (pieces) => {
        await target.store.apply([{ del: 'backup', key: 'one-time' }])
        return refusal(() => restoreBackup(target, { backup, pieces, locks: [rig.cluster.lock] }))
      }),
    )
    expect(without).to.equal('NOT_BEGUN')
    // None of this has left anything behind.
    expect((await restore(file)).restored).to.deep.equal([{ keyId: 'k', epoch: 0 }])
  })

  it('restore: a header that the node signed for another sealed part is refused: another epoch, index, date, a key less', async () => {
    await newKey(rig.cluster, 'l')
    const good = await rig.backup()
    const cases: readonly (readonly [string, (header: BackupHeader) => BackupHeader])[] = [
      ['another epoch', (h) => ({ ...h, keys: h.keys.map((k) => ({ ...k, epoch: 1 })) })],
      ['a key less', (h) => ({ ...h, keys: h.keys.slice(1) })],
      ['another index', (h) => ({ ...h, index: 2 })],
      ['another date', (h) => ({ ...h, createdAt: new Uint8Array(8) })],
    ]
    for (const [what, change] of cases) {
      const file = decode(BackupFile, new Uint8Array(await readFile(good)))
      const unsigned = { ...file, header: encode(BackupHeader, change(decode(BackupHeader, file.header))) }
      const path = rig.path()
      await writeFile(path, encode(BackupFile, { ...unsigned, signature: await rig.signAs('n1', backupMessage(unsigned)) }))
      expect(await refusal(() => rig.drilled(path)), what).to.match(/^(BACKUP_TAMPERED|BACKUP_FOREIGN)$/)
    }
  })
})
