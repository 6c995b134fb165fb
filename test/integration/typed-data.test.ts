import { typedDataPayload } from '@conclave/client'
import { fromHex, toHex } from '@conclave/core'
import { decodePayload } from '@conclave/policy'
import { expect } from 'chai'
import { MAIL_CONTRACT } from '../rig/cluster.ts'

const PERSON = [
  { name: 'name', type: 'string' },
  { name: 'wallet', type: 'address' },
]
const MAIL = {
  types: {
    Person: PERSON,
    Mail: [
      { name: 'from', type: 'Person' },
      { name: 'to', type: 'Person' },
      { name: 'contents', type: 'string' },
    ],
  },
  primaryType: 'Mail',
  domain: { verifyingContract: MAIL_CONTRACT, name: 'Ether Mail', version: '1', chainId: 1 },
  message: {
    from: { name: 'Cow', wallet: '0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826' },
    to: { name: 'Bob', wallet: '0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB' },
    contents: 'Hello, Bob!',
  },
}

describe('typed data', () => {
  it('typed data: what the client makes of it is what the nodes decode, with the digest of the EIP', () => {
    const { type, bytes } = typedDataPayload(MAIL)
    const { digest } = decodePayload(type as 'eip712', fromHex(bytes.slice(2)))
    expect(toHex(digest)).to.equal('be609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2')
  })
})
