import { type ClusterLock, codeOf, formatLock, utf8 } from '@conclave/core'
import { softIdentity } from '@conclave/transport'
import type { KeyCertificate } from '@conclave/wire'
import { generateHybridIdentity, identityToRecipient } from 'age-encryption'
import { expect } from 'chai'
import { combine } from 'shamir-secret-sharing'
import { refusal } from '../refusal.fixture.ts'
import { newIdentityFile } from './age-file.ts'
import { BackupRig } from './backup.fixture.ts'
import { parseBackup } from './backup-file.ts'
import { openState, sealState } from './backup-state.ts'
import { type BackupContents, type BackupPlan, makeBackup } from './make-backup.ts'
import { joinKey, parsePiece, splitKey } from './piece.ts'

describe('making a backup', () => {
  let rig: BackupRig
  let contents: BackupContents
  const signer = softIdentity(new Uint8Array(32).fill(9))
  const random = async (length: number) => new Uint8Array(Buffer.alloc(length, 5))
  const make = (change: Partial<BackupContents> = {}, plan: BackupPlan = rig.plan) =>
    makeBackup({ ...contents, ...change }, { plan, identity: signer, random })
  const code = (change: Partial<BackupContents>) => make(change).then(() => 'made', codeOf)

  before(async () => {
    rig = await BackupRig.create(['a', 'b'])
    contents = await rig.contents()
  })
  after(() => rig.close())

  it('make: what could not be restored is not made: a wrong share, one of another party, a certificate that lacks a party or a lock', async () => {
    expect(parseBackup(await make()).header.keys.map((k) => k.keyId)).to.deep.equal(['a', 'b'])
    const [a, b] = contents.certificates as [KeyCertificate, KeyCertificate]
    const swapped = new Uint8Array(Buffer.concat([contents.shares.subarray(64), contents.shares.subarray(0, 64)]))
    expect(await code({ shares: swapped })).to.equal('BAD_BACKUP')
    expect(await code({ shares: contents.shares.map((v, i) => (i === 31 ? v ^ 1 : v)) })).to.equal('BAD_BACKUP')
    expect(await code({ shares: contents.shares.map((v, i) => (i === 40 ? v ^ 1 : v)) })).to.equal('BAD_BACKUP')
    expect(await code({ self: rig.cluster.member('n2') })).to.equal('BAD_BACKUP')
    expect(await code({ certificates: [a, { ...b, attestations: b.attestations.slice(1) }] })).to.equal('BAD_BACKUP')
    expect(await code({ certificates: [b, a], shares: swapped })).to.equal('BAD_BACKUP')
    const other: ClusterLock = { ...rig.cluster.lock, version: 2, previous: '00'.repeat(32) }
    expect(await code({ locks: [other] })).to.equal('BAD_BACKUP')
    expect(await code({ locks: [rig.cluster.lock, other] })).to.equal('BAD_BACKUP')
  })

  it('make: 16 custodians, with recipients in hardware and against quantum computers among them, all of whom are needed', async () => {
    const custodians = await Promise.all(
      Array.from({ length: 14 }, async (_, i) => ({ name: `c${i}`, recipient: (await newIdentityFile()).recipient })),
    )
    const tag = 'age1tag1qt8lw0ual6avlwmwatk888yqnmdamm7xfd0wak53ut6elz5c4swx2yqdj4e'
    const quantum = await identityToRecipient(await generateHybridIdentity())
    const all = [...custodians, { name: 'hardware', recipient: tag }, { name: 'quantum', recipient: quantum }]
    const { header, file } = parseBackup(await make({}, { custodians: all, required: 16 }))
    expect([header.required, header.custodians.length, file.pieces.length]).to.deep.equal([16, 16, 16])
  })

  it('open: other locks than the header names are refused, and what was opened is wiped when it is done with', async () => {
    const backup = parseBackup(await make())
    const key = new Uint8Array(32).fill(1)
    const state = {
      certificates: contents.certificates,
      locks: contents.locks.map((lock) => utf8(formatLock(lock))),
      ...{ burns: [], pairEpochs: [], lives: [], erasures: [] },
    }
    const sealed = sealState(key, new Uint8Array(12), backup.file.header, contents.shares, state)
    // The same members, so that certificates verify, but another lock than the one that the header names.
    const another = { ...rig.cluster.lock, quorum: { required: 3, of: 3 } }
    const swapped = sealState(key, new Uint8Array(12), backup.file.header, contents.shares, {
      ...state,
      locks: [utf8(formatLock(another))],
    })
    expect(await refusal(() => openState({ ...backup, file: { ...backup.file, ...swapped } }, key))).to.equal('BAD_BACKUP')
    let share: Uint8Array
    {
      using open = await openState({ ...backup, file: { ...backup.file, ...sealed } }, key)
      share = open.shareAt(1)
      expect(share).to.deep.equal(contents.shares.subarray(64))
    }
    expect(share).to.deep.equal(new Uint8Array(64))
  })

  it('pieces: any two of three give the key back, and pieces of two splits give another', async () => {
    const key = new Uint8Array(32).map((_, i) => i)
    const split = async () =>
      (await splitKey(key, { backupId: new Uint8Array(32), count: 3, required: 2 })).flatMap((p) => parsePiece(p) ?? [])
    const pieces = await split()
    expect(pieces.map((p) => p.place)).to.deep.equal([0, 1, 2])
    for (const [i, j] of [
      [0, 1],
      [0, 2],
      [2, 1],
    ] as const) {
      using joined = await joinKey([pieces[i], pieces[j]] as never)
      expect(joined.bytes).to.deep.equal(key)
    }
    using mixed = await joinKey([pieces[0], (await split())[1]] as never)
    expect(mixed.bytes).not.to.deep.equal(key)
    expect(await combine(pieces.map((p) => p.share))).to.deep.equal(key)
    expect(parsePiece(new Uint8Array(80))).to.equal(undefined)
  })
})
