import { createECDH, generateKeyPairSync, sign } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { type IdentitySigner, verifyIdentity } from '@conclave/core'
import { expect } from 'chai'
import { clusterOf, Stage, testCluster, testP256Signer, testSigner, transportConformance, withProvers } from './conformance.ts'
import { libp2pTransport } from './libp2p-transport.ts'
import { LOOPBACK, loopbackWorld } from './loopback-rig.ts'
import { peerIdOf } from './membership.ts'
import type { Transport } from './transport.ts'

transportConformance('libp2p', () => loopbackWorld())

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

describe('libp2p: addresses and identity', () => {
  let stage: Stage | undefined
  afterEach(async () => stage?.close())

  it('addresses: those of the lock are listened on and dialled', async () => {
    const ports = [await freePort(), await freePort()]
    const { lock } = testCluster(2)
    const nodes = lock.nodes.map((n, i) => ({ ...n, addresses: ['/ip4/127.0.0.1/tcp/1', `/ip4/127.0.0.1/tcp/${ports[i]}`] }))
    const listenOf = (self: string) => [nodes.find((n) => n.name === self)?.addresses[1] ?? LOOPBACK]
    const world = {
      transport: (init: Parameters<ReturnType<typeof loopbackWorld>['transport']>[0]) =>
        libp2pTransport({ ...init, listen: listenOf(init.self) }),
      close: async () => undefined,
    }
    stage = new Stage(world, clusterOf({ ...lock, nodes }))
    await stage.start('node-1', 'node-2')
    await stage.untilUp(['node-1', 'node-2'])
    expect(stage.of('node-1').addresses()).to.deep.equal(listenOf('node-1'))
  })

  it('start: an address that cannot be listened on is LISTEN_FAILED, and stop still works', async () => {
    const { lock } = testCluster(2)
    const transport = libp2pTransport({ lock, self: 'node-1', signer: testSigner('node-1'), listen: ['/ip4/192.0.2.1/tcp/9100'] })
    const none = { linkUp: () => undefined, linkDown: () => undefined, frame: () => undefined }
    const error = await transport.start(none).catch((e: unknown) => e)
    expect(error).to.have.property('code', 'LISTEN_FAILED')
    await transport.stop()
  })

  it('identity: an asynchronous secp256k1 signer is asked once for all handshakes', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'secp256k1' })
    const ecdh = createECDH('secp256k1')
    ecdh.setPrivateKey(Buffer.from(privateKey.export({ format: 'jwk' }).d ?? '', 'base64url'))
    const key = { type: 'secp256k1', publicKey: Uint8Array.from(ecdh.getPublicKey(null, 'compressed')) } as const
    let calls = 0
    const hsm: IdentitySigner = {
      key,
      sign: async (message) => {
        calls++
        await new Promise((resolve) => setImmediate(resolve))
        // OpenSSL does not make s low; half of its signatures are.
        for (;;) {
          const signature = Uint8Array.from(sign('sha256', message, privateKey))
          if (verifyIdentity(key, message, signature)) return signature
        }
      },
    }
    const { lock } = testCluster(4)
    const nodes = lock.nodes.map((n) => (n.index === 1 ? { ...n, peerId: peerIdOf(hsm.key), identity: hsm.key } : n))
    const cluster = { ...clusterOf({ ...lock, nodes }), signer: (name: string) => (name === 'node-1' ? hsm : testSigner(name)) }
    stage = new Stage(loopbackWorld(), cluster)
    await stage.start('node-1', 'node-2', 'node-3', 'node-4')
    await stage.untilUp(['node-1', 'node-2'], ['node-1', 'node-3'], ['node-1', 'node-4'])
    expect(calls).to.equal(1)
  })

  it('identity: a signer that is too slow, then fails, then works, is asked again each time', async () => {
    const real = testSigner('node-1')
    let calls = 0
    const flaky: IdentitySigner = {
      key: real.key,
      sign: (message) => {
        calls++
        if (calls === 1) return new Promise(() => undefined)
        return calls === 2 ? Promise.reject(new Error('token removed')) : real.sign(message)
      },
    }
    const cluster = { ...testCluster(2), signer: (name: string) => (name === 'node-1' ? flaky : testSigner(name)) }
    stage = new Stage(loopbackWorld({ signTimeoutMs: 50, backoffMaxMs: 100 }), cluster)
    await stage.start('node-1', 'node-2')
    await stage.untilUp(['node-1', 'node-2'])
    expect(calls).to.equal(3)
    expect(stage.logged.filter((l) => l.level === 'error')).to.have.length(2)
  })

  it('identity: a proof that takes too long, then fails, then is there, costs links and no more', async () => {
    const real = testP256Signer('node-1')
    let calls = 0
    const flaky: IdentitySigner = {
      key: real.key,
      sign: (message) => {
        calls++
        if (calls === 1) return new Promise(() => undefined)
        return calls === 2 ? Promise.reject(new Error('the HSM is away')) : real.sign(message)
      },
    }
    const cluster = withProvers(testCluster(2), ['node-1'])
    stage = new Stage(loopbackWorld({ signTimeoutMs: 50 }), { ...cluster, identity: (name) => (name === 'node-1' ? flaky : undefined) })
    await stage.start('node-1', 'node-2')
    await stage.untilUp(['node-1', 'node-2'])
    expect(calls).to.equal(3)
    const reasons = stage.logged.filter((l) => JSON.stringify(l.fields).includes('IDENTITY_UNAVAILABLE'))
    expect(reasons.length).to.be.greaterThan(0)
  })

  it('identity: a signer of another key is refused before anything starts', () => {
    const { lock } = testCluster(2)
    const make = (self: string, signer: string): Transport => libp2pTransport({ lock, self, signer: testSigner(signer), listen: [] })
    expect(() => make('node-1', 'node-2'))
      .to.throw()
      .with.property('code', 'WRONG_IDENTITY')
    expect(() => make('stranger', 'stranger'))
      .to.throw()
      .with.property('code', 'NOT_A_MEMBER')
  })

  it('identity: a signer that signs with another key than it claims never gets a link', async () => {
    const liar: IdentitySigner = { key: testSigner('node-1').key, sign: testSigner('mallory').sign }
    const cluster = { ...testCluster(3), signer: (name: string) => (name === 'node-1' ? liar : testSigner(name)) }
    const stage_ = new Stage(loopbackWorld(), cluster)
    stage = stage_
    await stage_.start('node-1', 'node-2', 'node-3')
    await stage_.untilUp(['node-2', 'node-3'])
    await stage_.until(() => stage_.logged.filter((l) => l.level === 'error').length >= 2, 'two bad signatures')
    expect(stage_.seen.filter((s) => s.at === 'node-1' || s.from === 'node-1')).to.deep.equal([])
  })
})
