import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ClusterLock, lockHash, tagged, toHex } from '@conclave/core'
import { peerIdOf, softIdentity } from '@conclave/transport'
import { softHsmModule } from '@conclave/vault'
import { expect } from 'chai'
import { initNode } from './init.ts'
import { draftLock, draftNextLock, lockSummary, readDraft, readSuccessor, signLockFile } from './lock-ceremony.ts'
import { refusal } from './refusal.fixture.ts'

const missing = softHsmModule() === undefined ? ' (skipped: SoftHSM2 is not installed)' : ''

;(missing === '' ? describe : describe.skip)(`lock ceremony over SoftHSM${missing}`, () => {
  let root: string
  let first: string
  const dirOf = (name: string) => join(root, name)
  const cardOf = (name: string) => join(dirOf(name), 'card.json')
  const hashOf = (lock: ClusterLock) => toHex(lockHash(lock))
  const sign = async (name: string, lockFile: string, previousFile?: string) => {
    const order = { dir: dirOf(name), lockFile, hash: hashOf(await readDraft(lockFile)) }
    return signLockFile(previousFile === undefined ? order : { ...order, previousFile })
  }

  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'conclave-ceremony-'))
    first = join(root, 'first.json')
    const names = ['n1', 'n2', 'n3', 'n4']
    for (const name of names) await initNode({ dir: dirOf(name), name, listen: ['/ip4/127.0.0.1/tcp/9'] })
    const card = join(root, 'c1.json')
    const { key } = softIdentity(tagged('ceremony-coordinator'))
    await writeFile(card, JSON.stringify({ kind: 'coordinator', name: 'c1', peerId: peerIdOf(key), addresses: [] }))
    await draftLock({ cardFiles: [...names.slice(0, 3).map(cardOf), card], required: 2, out: first })
    for (const name of names.slice(0, 3)) await sign(name, first)
  })
  after(() => rm(root, { recursive: true, force: true }))

  it('ceremony: the next lock is approved by old nodes, also one that leaves, and signed by new ones; then it verifies', async () => {
    const out = join(root, 'next.json')
    await draftNextLock({ lockFile: first, out, replace: new Map([['n3', cardOf('n4')]]) })
    expect(lockSummary(await readDraft(out)).join('\n')).to.match(/version 2.*\nfollows version 1 .*\napproved by no node/)
    expect(await refusal(() => sign('n1', out))).to.equal('PREVIOUS_NEEDED')
    expect(await refusal(() => sign('n1', out, out))).to.equal('LOCK_UNSIGNED')
    const leaving = await sign('n3', out, first)
    expect([[...leaving.approvals.keys()], [...leaving.signatures.keys()]]).to.deep.equal([[3], []])
    const young = await sign('n4', out, first)
    expect([[...young.approvals.keys()], [...young.signatures.keys()]]).to.deep.equal([[3], [3]])
    expect(await refusal(() => readSuccessor(out, first))).to.equal('LOCK_UNAPPROVED')
    await sign('n1', out, first)
    expect(await refusal(() => readSuccessor(out, first))).to.equal('LOCK_UNSIGNED')
    await sign('n2', out, first)
    expect(lockSummary(await readSuccessor(out, first)).join('\n')).to.include('approved by nodes 1, 2, 3 of version 1')
    expect(await refusal(() => readSuccessor(first, out))).to.equal('LOCK_ROLLED_BACK')
  })

  it('ceremony: a draft that could never follow is not written, and a stranger signs nothing', async () => {
    const out = join(root, 'odd.json')
    const draft = (change: object) => refusal(() => draftNextLock({ lockFile: first, out, ...change }))
    expect(await draft({ remove: ['n2', 'n3'], add: [cardOf('n4')] })).to.equal('LOCK_TOO_FEW_STAY')
    expect(await draft({ remove: ['nobody'] })).to.equal('BAD_LOCK_CHANGE')
    expect(await draft({ add: [first] })).to.equal('BAD_LOCK')
    const forged = { ...JSON.parse(await readFile(cardOf('n4'), 'utf8')), peerId: `Qm${'a'.repeat(44)}` }
    await writeFile(join(root, 'forged.json'), JSON.stringify(forged))
    expect(await draft({ add: [join(root, 'forged.json')] })).to.equal('BAD_LOCK')
    expect(await refusal(() => readFile(out))).to.equal('INTERNAL')
    await draftNextLock({ lockFile: first, out })
    const before = await readFile(out, 'utf8')
    expect(await refusal(() => sign('n4', out, first))).to.equal('NOT_A_MEMBER')
    const wrong = { dir: dirOf('n1'), lockFile: out, hash: '00'.repeat(32), previousFile: first }
    expect(await refusal(() => signLockFile(wrong))).to.equal('LOCK_HASH')
    expect(await readFile(out, 'utf8')).to.equal(before)
  })
})
