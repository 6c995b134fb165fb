import { expect } from 'chai'
import { TestCluster } from './cluster.fixture.ts'
import { expectSignature, newKey, signTransfer } from './requests.fixture.ts'

describe('node', () => {
  let cluster: TestCluster
  let publicKey: Uint8Array

  before(async () => {
    cluster = await TestCluster.create()
    await cluster.start()
    publicKey = await newKey(cluster)
  })
  after(() => cluster.close())

  it('node: any three sign what their policy allows', async () => {
    expectSignature(await signTransfer(cluster, 1, [1, 3, 5]), publicKey)
    expectSignature(await signTransfer(cluster, 2, [2, 3, 4]), publicKey)
  })

  it('node: two requests at once on one key both succeed', async () => {
    const [a, b] = await Promise.all([signTransfer(cluster, 3, [1, 2, 3]), signTransfer(cluster, 4, [1, 2, 3])])
    expect(expectSignature(a, publicKey)).to.not.equal(expectSignature(b, publicKey))
  })
})
