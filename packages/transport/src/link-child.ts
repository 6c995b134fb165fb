// A process of its own for half-open.test.ts, which kills it: node-3, dialling node-1 at the address given.

import { libp2pTransport } from './libp2p-transport.ts'
import { clusterWithDialer } from './loopback-rig.ts'

const [address = ''] = process.argv.slice(2)
const { lock, signer } = clusterWithDialer()
const transport = libp2pTransport({
  lock,
  self: 'node-3',
  signer: signer('node-3'),
  listen: [],
  addressesOf: (member) => (member.name === 'node-1' ? [address] : []),
})
await transport.start({
  linkUp: (member) => transport.send(member, new TextEncoder().encode('alive')),
  linkDown: () => undefined,
  frame: () => undefined,
})
