import { codeOf, toHex } from '@conclave/core'
import { verifyReceipt } from '@conclave/receipt'
import type { Propose } from '@conclave/wire'
import { expect } from 'chai'
import type { AdminRoute } from '../admin-server.ts'
import { ALICE, approval, ERIN, peoplePolicy, signedProposal } from '../approvals/people.fixture.ts'
import { QUICK } from '../audit/audit.fixture.ts'
import { TestCluster } from '../cluster.fixture.ts'
import { refusal } from '../refusal.fixture.ts'
import { codeIn, expectSignatures, KEY, newKey, pairsReady, transfer, until, verdictIn } from '../requests.fixture.ts'
import { receiptRoutes } from './receipt-routes.ts'

describe('receipts', () => {
  let cluster: TestCluster
  let publicKey: Uint8Array
  let large: Propose
  const signers = [1, 2]
  const start = (names?: readonly string[], everyMs: number = QUICK.everyMs) =>
    cluster.start(names, { policy: peoplePolicy(), audit: { everyMs, everyEntries: 100_000 } })
  const asked = (wei: bigint) => signedProposal({ clusterId: cluster.lock.clusterId, keyId: KEY, payloads: [transfer(wei)] })
  const judges = () => ({ locks: [cluster.lock], required: 1, nowS: Date.now() / 1000 })

  before(async () => {
    cluster = await TestCluster.create(3, 2)
    await start()
    publicKey = await newKey(cluster)
    await pairsReady(cluster)
  })
  after(() => cluster.close())

  const propose = (p: Propose) => Promise.all(signers.map(async (j) => verdictIn(await cluster.ask(j, { propose: p }))))
  const sign = async (p: Propose, attempt = 0) => {
    const bodies = await Promise.all(signers.map((j) => cluster.ask(j, { sign: { requestId: p.requestId, attempt, signers, epoch: 0 } })))
    expectSignatures(bodies, [publicKey])
  }
  /** Waits for checkpoints. */
  const receiptOf = async (p: Propose, name: string) => {
    let bytes: Uint8Array | undefined
    await until(`a receipt at ${name}`, async () => {
      bytes = await cluster
        .node(name)
        .receipts.collect(p.requestId)
        .catch((error: unknown) => {
          expect(codeOf(error), String(error)).to.equal('RECEIPT_NOT_READY')
          return undefined
        })
      return bytes !== undefined
    })
    return bytes as Uint8Array
  }

  it('receipt: of what two nodes signed with two approvals, one of them post-quantum; the same at every node', async () => {
    large = asked(2001n)
    const [first] = await propose(large)
    const statement = first?.statement ?? new Uint8Array(0)
    for (const by of [ALICE, ERIN]) await cluster.node('n1').approvals.submit(approval(large.requestId, statement, by))
    const heard = async () => (await cluster.node('n2').approvals.show(large.requestId)).approvedBy.length === 2
    await until('approvals at n2', heard)
    // No proposal comes behind the approvals: the verdict is in the log all the same.
    await sign(large)
    const bytes = await receiptOf(large, 'n1')
    const { holds, receipt, hash } = verifyReceipt(bytes, { ...judges(), policy: peoplePolicy() })
    expect(toHex(hash)).to.equal(toHex(statement))
    expect(receipt.nodes.map((n) => n.node)).to.deep.equal(['n1', 'n2'])
    expect(receipt.approvals.map((a) => [a.approver, a.pq !== undefined])).to.deep.equal([
      ['alice', false],
      ['erin', true],
    ])
    expect(holds.join('\n')).to.include('n2 allowed it by rule pay-much')
    // n3 signed nothing, and asks the others.
    for (const name of ['n2', 'n3']) verifyReceipt(await receiptOf(large, name), judges())
  })

  it('receipt: of a small request, through the admin socket and through a coordinator', async () => {
    const small = asked(5n)
    await propose(small)
    await sign(small)
    await receiptOf(small, 'n1')
    const [route] = receiptRoutes(cluster.node('n1').receipts) as readonly [AdminRoute]
    const path = `/v1/requests/${toHex(small.requestId)}/receipt`
    const { receipt } = (await route.handle(route.path.exec(path)?.slice(1) ?? [], undefined)) as { receipt: string }
    expect(verifyReceipt(new TextEncoder().encode(receipt), judges()).nodes).to.have.length(2)
    const part = await cluster.ask(2, { receipt: { requestId: small.requestId, sid: new Uint8Array(0) } })
    expect(codeIn(part)).to.equal('receipt')
  })

  it('no receipt: of what was not asked for, not signed, or whose signers are away', async () => {
    const { receipts } = cluster.node('n1')
    expect(await refusal(() => receipts.collect(new Uint8Array(32)))).to.equal('NO_RECEIPT')
    const unsigned = asked(6n)
    await propose(unsigned)
    expect(await refusal(() => receipts.collect(unsigned.requestId))).to.equal('NO_RECEIPT')
    await cluster.kill('n2')
    expect(await refusal(() => receipts.collect(large.requestId))).to.equal('RECEIPT_INCOMPLETE')
  })

  it('receipt: after restarts, when the approvals have long expired from memory; and not before others have cosigned the log', async () => {
    await cluster.kill('n1')
    await start(['n1', 'n2'])
    await pairsReady(cluster)
    verifyReceipt(await receiptOf(large, 'n1'), { ...judges(), policy: peoplePolicy() })
    for (const name of ['n1', 'n2']) await cluster.kill(name)
    await start(['n1', 'n2'], 600_000)
    await pairsReady(cluster)
    const late = asked(7n)
    await propose(late)
    await sign(late)
    expect(await refusal(() => cluster.node('n1').receipts.collect(late.requestId))).to.equal('RECEIPT_NOT_READY')
  })
})
