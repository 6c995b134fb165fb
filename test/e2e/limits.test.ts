import { expect } from 'chai'
import { PETTY_CHAIN, useSharedCluster } from '../rig/cluster.ts'
import { createKey, expectSigned, payload, transfer } from '../rig/signing.ts'

describe('limits', () => {
  const rig = useSharedCluster()
  const keyId = 'petty'
  let publicKey: string

  before(async () => {
    publicKey = await createKey(rig(), keyId)
  })

  const ask = async (valueWei: bigint) => {
    const { client } = rig().cluster
    const bytes = transfer({ chainId: BigInt(PETTY_CHAIN), valueWei })
    return client.settled((await client.requestSignature({ keyId, payload: payload(bytes) })).requestId)
  }

  it('limits: real nodes sign what a sliding window has room for, and deny what it has not', async () => {
    expectSigned(await ask(10n), publicKey)
    const { state, nodeVerdicts } = await ask(6n)
    expect(state).to.equal('denied')
    const denied = nodeVerdicts.filter((verdict) => !verdict.allowed)
    expect(denied).to.have.length.above(1)
    for (const { code, rule } of denied) expect([code, rule]).to.deep.equal(['SPENDING_LIMIT', 'petty-cash'])
    expectSigned(await ask(5n), publicKey)
  })
})
