import { expect } from 'chai'
import { useSharedCluster } from '../rig/cluster.ts'
import { createKey, expectSigned, payload } from '../rig/signing.ts'

describe('concurrency', () => {
  const rig = useSharedCluster()
  const keyId = 'busy'
  let publicKey: string

  before(async () => {
    publicKey = await createKey(rig(), keyId)
  })

  async function sign(count: number): Promise<void> {
    const { client } = rig().cluster
    const accepted = await Promise.all(Array.from({ length: count }, () => client.requestSignature({ keyId, payload: payload() })))
    const requests = await Promise.all(accepted.map(({ requestId }) => client.settled(requestId)))
    for (const request of requests) expectSigned(request, publicKey)
    expect(new Set(requests.map((r) => r.digest)).size).to.equal(count)
    expect(new Set(requests.map((r) => r.signature)).size).to.equal(count)
  }

  it('concurrency: two requests at once on one key both succeed', () => sign(2))

  it('concurrency: ten queued requests drain, and every signature verifies', () => sign(10))
})
