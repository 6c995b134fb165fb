import type { SignatureItem } from '@conclave/client'
import { expect } from 'chai'
import { useSharedCluster } from '../rig/cluster.ts'
import { createKey, expectSigned, payload, transfer } from '../rig/signing.ts'

const PATHS = ['m/0/5', 'm', 'm/0/6'] as const

describe('batch', () => {
  const rig = useSharedCluster()
  const keyId = 'batch'

  before(() => createKey(rig(), keyId))

  it('batch: real nodes sign three transfers in one session, each valid under its own child key', async () => {
    const { client } = rig().cluster
    const children = await Promise.all(PATHS.map((path) => client.derivedKey(keyId, path)))
    const items: readonly SignatureItem[] = PATHS.map((derivationPath) => ({ derivationPath, payload: payload() }))
    const order = { keyId, items, idempotencyKey: 'batch-of-three' }
    const accepted = await client.requestSignature(order)
    const request = await client.waitForSignature(accepted.requestId)
    expectSigned(request, ...children.map((child) => child.publicKey))
    expect(request.items.map((item) => item.digest)).to.deep.equal(accepted.items.map((item) => item.digest))
    expect(request.items.map((item) => item.payload)).to.deep.equal(items.map((item) => item.payload))
    expect(request.items.map((item) => item.from)).to.deep.equal(children.map((child) => child.address))
    expect(new Set(request.items.map((item) => item.signature)).size).to.equal(3)
    expect(request.attempts.filter((attempt) => attempt.outcome === 'signed')).to.have.length(1)
    expect(await client.requestSignature(order), 'the answer of the first time').to.deep.equal(accepted)
  })

  it('batch: one transfer that the policy denies denies all of them, by its number', async () => {
    const items = [{ payload: payload() }, { payload: payload(transfer({ chainId: 1n })) }, { payload: payload() }]
    const { client } = rig().cluster
    const { state, nodeVerdicts, items: shown } = await client.settled((await client.requestSignature({ keyId, items })).requestId)
    expect(state).to.equal('denied')
    for (const { code, reason } of nodeVerdicts) {
      expect(code).to.equal('CHAIN_NOT_ALLOWED')
      expect(reason).to.match(/^item 2 of 3: /)
    }
    expect(nodeVerdicts).to.have.length.above(1)
    expect(shown.map((item) => item.signature)).to.deep.equal([null, null, null])
  })
})
