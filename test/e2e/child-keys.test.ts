import { fromHex } from '@conclave/core'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { expect } from 'chai'
import { useSharedCluster } from '../rig/cluster.ts'
import { createKey, expectSigned, payload } from '../rig/signing.ts'

describe('child keys', () => {
  const rig = useSharedCluster()

  it('child keys: real nodes sign for m/0/5 under the address that the API gave for it', async () => {
    const { client } = rig().cluster
    const keyId = 'tree'
    const root = await createKey(rig(), keyId)
    const child = await client.derivedKey(keyId, 'm/0/5')
    const { requestId } = await client.requestSignature({ keyId, derivationPath: 'm/0/5', payload: payload() })
    const request = await client.settled(requestId)
    expectSigned(request, child.publicKey)
    expect(request).to.include({ derivationPath: 'm/0/5', publicKey: child.publicKey, from: child.address })
    const options = { prehash: false, lowS: true }
    expect(secp256k1.verify(fromHex(request.signature ?? ''), fromHex(request.digest ?? ''), fromHex(root), options)).to.equal(false)
  })
})
