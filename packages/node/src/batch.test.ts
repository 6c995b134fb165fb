import { deriveChild, type ExtendedKey, toHex } from '@conclave/core'
import { decodePayload } from '@conclave/policy'
import { DIGESTS_MAX, type ProposedItem } from '@conclave/wire'
import { expect } from 'chai'
import { TestCluster } from './cluster.fixture.ts'
import {
  type Body,
  codeIn,
  createdIn,
  createKey,
  expectSignature,
  expectSignatures,
  failureIn,
  pairsReady,
  propose,
  requestId,
  sign,
  signTransfer,
  transfer,
  until,
  verdictIn,
} from './requests.fixture.ts'

const item = (wei: number, path: readonly number[] = []): ProposedItem => ({ payload: transfer(BigInt(wei)), path })
const digestOf = ({ payload }: ProposedItem) => toHex(decodePayload('evm.tx', payload).digest)

describe('batch', () => {
  let cluster: TestCluster
  let root: ExtendedKey

  before(async () => {
    cluster = await TestCluster.create(3, 2)
    await cluster.start()
    root = createdIn((await createKey(cluster))[0] as Body)
    await pairsReady(cluster)
  })
  after(() => cluster.close())

  async function signItems(i: number, items: readonly ProposedItem[], attempt = 0): Promise<void> {
    for (const body of await propose(cluster, i, [1, 2], items)) {
      const { allowed, digests } = verdictIn(body)
      expect([allowed, ...digests.map(toHex)]).to.deep.equal([true, ...items.map(digestOf)])
    }
    const keys = items.map(({ path }) => deriveChild(root, path).publicKey)
    const signed = expectSignatures(await sign(cluster, i, [1, 2], attempt), keys)
    expect(signed.map(({ digest }) => toHex(digest))).to.deep.equal(items.map(digestOf))
  }

  it('batch: every item is signed under its own child, in the order of the request', async () => {
    await signItems(1, [item(3, [0, 5]), item(1), item(2, [0, 6])])
    // One payload under several keys, and twice under one.
    await signItems(2, [item(4, [1]), item(4), item(4, [1]), item(4, [2])])
  })

  it('batch: as many items as a request may have, and one attempt after another', async () => {
    const items = Array.from({ length: DIGESTS_MAX }, (_, i) => item(i, [i]))
    await signItems(3, items)
    expect((await sign(cluster, 3, [1, 2])).map(codeIn)).to.deep.equal(['ATTEMPT_SPENT', 'ATTEMPT_SPENT'])
    await signItems(3, items, 1)
  })

  it('batch: one denied item denies all, is named, and nothing is signed or kept', async () => {
    const before = await cluster.store('n1').list('request')
    const [verdict] = (await propose(cluster, 4, [1, 2], [item(1), item(1001), item(2)])).map(verdictIn)
    expect(verdict).to.include({ allowed: false, code: 'AMOUNT_OVER_LIMIT', rule: 'pay' })
    expect(verdict?.reason).to.match(/^item 2 of 3: closest rule "pay": /)
    for (const body of await sign(cluster, 4, [1, 2])) {
      expect(failureIn(body)).to.include({ code: 'AMOUNT_OVER_LIMIT', retriable: false })
      expect(failureIn(body).message).to.match(/^item 2 of 3: /)
    }
    expect(await cluster.store('n1').list('request')).to.have.length(before.length)
  })

  it('batch: an id stands for its items in their number and order', async () => {
    const items = [item(1, [1]), item(2, [2]), item(3, [3])] as const
    await signItems(5, items)
    const [a, b, c] = items
    for (const other of [[a], [a, b], [a, b, c, c], [b, a, c], [a, b, item(3)], [a, b, item(4, [3])]]) {
      const [verdict] = (await propose(cluster, 5, [1], other)).map(verdictIn)
      expect(verdict).to.include({ allowed: false, code: 'REQUEST_CONFLICT' })
      expect(verdict?.digests).to.deep.equal([])
    }
    await signItems(5, items, 1)
  })

  it('batch: nodes that were shown the items in another order do not meet, and blame nobody', async () => {
    const items = [item(5), item(6)] as const
    await propose(cluster, 6, [1], items)
    await propose(cluster, 6, [2], [items[1], items[0]])
    const stray = sign(cluster, 6, [1, 2])
    await until('both wait for each other', () => cluster.pool('n1').running === 1 && cluster.pool('n2').running === 1)
    cluster.hub.cut(cluster.member('n1'), cluster.member('n2'))
    expect((await stray).map(codeIn)).to.deep.equal(['PEER_LOST', 'PEER_LOST'])
    cluster.hub.heal(cluster.member('n1'), cluster.member('n2'))
    await pairsReady(cluster)
  })

  it('batch: BUSY counts signatures, and a request above the limit finds room when there is any', async () => {
    await cluster.kill('n1')
    await cluster.start(['n1'], { rig: (parts) => ({ ...parts, maxConcurrent: 2 }) })
    await pairsReady(cluster)
    await propose(cluster, 7, [1, 2], [item(1), item(2), item(3)])
    await propose(cluster, 8, [1, 2], transfer(8n))
    const [many, one] = [7, 8].map((i) => cluster.ask(1, { sign: { requestId: requestId(i), attempt: 0, signers: [1, 2], epoch: 0 } }))
    expect(failureIn(await (one as Promise<Body>))).to.deep.include({ code: 'BUSY', retriable: true })
    const other = await cluster.ask(2, { sign: { requestId: requestId(7), attempt: 0, signers: [1, 2], epoch: 0 } })
    const { publicKey } = root
    expectSignatures([await (many as Promise<Body>), other], [publicKey, publicKey, publicKey])
    expectSignature(await signTransfer(cluster, 8, [1, 2]), publicKey)
  })
})
