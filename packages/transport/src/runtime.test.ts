import { expect } from 'chai'
import { testCluster, testSigner } from './conformance.ts'
import { libp2pTransport } from './libp2p-transport.ts'
import { checkRuntime } from './runtime.ts'

describe('runtime', () => {
  it('node: 24 and newer pass, older and nonsense are refused', () => {
    for (const version of ['24.0.0', '25.1.2', '100.0.0']) checkRuntime(version, {})
    for (const version of ['20.19.1', '23.9.0', '', 'x']) {
      expect(() => checkRuntime(version, {}))
        .to.throw()
        .with.property('code', 'UNSUPPORTED_RUNTIME')
    }
  })

  it('DUMP_SESSION_KEYS: set to anything, even nothing, no transport is made', () => {
    for (const value of ['1', '0', '']) {
      expect(() => checkRuntime('24.0.0', { DUMP_SESSION_KEYS: value }))
        .to.throw()
        .with.property('code', 'DUMP_SESSION_KEYS')
    }
    const { lock } = testCluster(2)
    process.env.DUMP_SESSION_KEYS = '1'
    try {
      const make = () => libp2pTransport({ lock, self: 'node-1', signer: testSigner('node-1'), listen: [] })
      expect(make).to.throw().with.property('code', 'DUMP_SESSION_KEYS')
    } finally {
      delete process.env.DUMP_SESSION_KEYS
    }
  })
})
