import { cp, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Failure } from '@conclave/wire'
import { expect } from 'chai'
import { TestCluster } from '../cluster.fixture.ts'
import {
  codeIn,
  expectSignature,
  newKey,
  pairsReady,
  propose,
  requestId,
  signTransfer,
  statusOf,
  transfer,
  until,
  verdictIn,
} from '../requests.fixture.ts'
import { kindsOf, QUICK, readLog, witnessed } from './audit.fixture.ts'

describe('audit: a log that was set back', () => {
  let cluster: TestCluster
  let publicKey: Uint8Array
  const snapshot = () => `${cluster.auditDir('n1')}-snapshot`

  const codeOf = async (name: string) => (await cluster.node(name).admin.status()).audit?.code
  const conflictOf = async (name: string) => (await cluster.node(name).admin.audit.witnessed()).find((l) => l.node === 'n1')?.conflict

  async function restore(from?: string): Promise<void> {
    await cluster.kill('n1')
    await rm(cluster.auditDir('n1'), { recursive: true })
    if (from !== undefined) await cp(from, cluster.auditDir('n1'), { recursive: true })
    await cluster.start(['n1'], { audit: QUICK })
  }

  before(async () => {
    cluster = await TestCluster.create(3, 2)
    await cluster.start(cluster.names(), { audit: QUICK })
    publicKey = await newKey(cluster)
    await pairsReady(cluster)
    await witnessed(cluster, 'n1')
    await cluster.kill('n1')
    await cp(cluster.auditDir('n1'), snapshot(), { recursive: true })
    await cluster.start(['n1'], { audit: QUICK })
    await pairsReady(cluster)
    expectSignature(await signTransfer(cluster, 1, [1, 2]), publicKey)
    await witnessed(cluster, 'n1')
    // A copy of a log that is being written would be none.
    await cluster.kill('n1')
    await cp(cluster.auditDir('n1'), `${snapshot()}-newest`, { recursive: true })
  })
  after(() => cluster.close())

  it('an old snapshot: stops its node from signing, and the others have recorded it', async () => {
    await restore(snapshot())
    await until('n1 knows', async () => (await codeOf('n1')) === 'AUDIT_ROLLED_BACK')
    await pairsReady(cluster)
    expect((await propose(cluster, 2, [1], transfer(2n))).map(codeIn)).to.deep.equal(['AUDIT_ROLLED_BACK'])
    const [refused] = await signTransfer(cluster, 1, [1, 2], { attempt: 1 })
    expect(codeIn(refused!)).to.equal('AUDIT_ROLLED_BACK')
    expect((await statusOf(cluster, 1)).auditCode).to.equal('AUDIT_ROLLED_BACK')
    expect((await statusOf(cluster, 2)).auditCode).to.equal('')
    for (const witness of ['n2', 'n3']) {
      await until(`${witness} has seen it`, async () => kindsOf(await readLog(cluster, witness)).includes('audit.fork_detected'))
      const entry = (await readLog(cluster, witness)).entries.find((e) => e.kind === 'audit.fork_detected')
      expect(entry?.details).to.include({ log: 'n1', code: 'AUDIT_ROLLED_BACK' })
      expect((await conflictOf(witness))?.checkpoint).to.contain('conclave/')
    }
    expect(kindsOf(await readLog(cluster, 'n1')).filter((k) => k === 'audit.rolled_back')).to.have.length(1)
  })

  it('an old snapshot: has signed no checkpoint that contradicts what it signed before', async () => {
    const known = (await cluster.node('n2').admin.audit.witnessed()).find((l) => l.node === 'n1')!
    const { report } = await readLog(cluster, 'n1', [Buffer.from(known.checkpoint)])
    expect(report.checkpoint!.size).to.be.lessThan(known.size)
    const textIn = async (dir: string) => (await readFile(join(dir, 'checkpoint'), 'utf8')).split('\n\n')[0]
    expect(await textIn(cluster.auditDir('n1'))).to.equal(await textIn(snapshot()))
    // Entries were added since, in another history: whoever holds what the witnesses hold sees it.
    const codes = report.findings.map((f) => f.code)
    expect(codes).to.include('STALE_CHECKPOINT')
    expect(codes.some((code) => code === 'TRUNCATED' || code === 'FORKED')).to.equal(true)
  })

  it('the newest state: signs again', async () => {
    await restore(`${snapshot()}-newest`)
    await pairsReady(cluster)
    expectSignature(await signTransfer(cluster, 3, [1, 2]), publicKey)
    await witnessed(cluster, 'n1')
    expect((await readLog(cluster, 'n1')).report.findings).to.deep.equal([])
  })

  it('a log that was wiped: is refused too, until the operators of the others have let it begin anew', async () => {
    await restore()
    await until('n1 knows', async () => (await codeOf('n1')) === 'AUDIT_ROLLED_BACK')
    for (const witness of ['n2', 'n3']) {
      const left = await cluster.node(witness).admin.audit.forget('n1', 'disk of n1 lost, agreed by all operators')
      expect(left.map((l) => l.node)).to.not.include('n1')
      const forgotten = (await readLog(cluster, witness)).entries.find((e) => e.kind === 'audit.log_forgotten')
      expect(forgotten?.details).to.include({ log: 'n1' })
    }
    await restore()
    await pairsReady(cluster)
    expectSignature(await signTransfer(cluster, 4, [1, 2]), publicKey)
    await witnessed(cluster, 'n1')
    expect(await codeOf('n1')).to.equal('')
  })

  it('a node that nobody confirms: does not sign, and says that it may later', async () => {
    const failure: Failure = { code: 'HSM_DOWN', message: 'no', retriable: true, culprits: [], waitingFor: [] }
    for (const name of ['n2', 'n3']) {
      cluster.tamper.set(name, (_to, body) => {
        const isCosigned = 'response' in body && 'cosigned' in body.response.body
        return isCosigned ? { response: { id: body.response.id, body: { failure } } } : body
      })
    }
    await cluster.kill('n1')
    await cluster.start(['n1'], { audit: { ...QUICK, confirmMs: 200 } })
    await pairsReady(cluster)
    expect(verdictIn((await propose(cluster, 5, [1], transfer(5n)))[0]!).allowed).to.equal(true)
    const pending = cluster.ask(1, { sign: { requestId: requestId(5), attempt: 0, signers: [1, 2], epoch: 0 } })
    expect(codeIn(await pending)).to.equal('AUDIT_UNCONFIRMED')
    cluster.tamper.clear()
    await until('n1 is confirmed', async () => (await codeOf('n1')) === '')
    expectSignature(await signTransfer(cluster, 5, [1, 2], { attempt: 1 }), publicKey)
  })
})
