import { utf8 } from '@conclave/core'
import { decode, encode, Hello, Proof } from '@conclave/wire'
import { expect } from 'chai'
import { Stage, testP256Signer, testSigner, withProvers } from './conformance.ts'
import { prefixed } from './framing.ts'
import { helloOf, proofMessage } from './hello.ts'
import { clusterWithDialer, loopbackWorld, type RawLink, RawPeer } from './loopback-rig.ts'

const cluster = withProvers(clusterWithDialer(), ['node-3'])
const identity = testP256Signer('node-3')

describe('libp2p: a peer key without the identity that belongs to it', () => {
  let stage: Stage
  let mallory: RawPeer

  beforeEach(async () => {
    stage = new Stage(loopbackWorld({ helloTimeoutMs: 300, signTimeoutMs: 300 }), cluster)
    await stage.start('node-1', 'node-2')
    await stage.untilUp(['node-1', 'node-2'])
    // The key of the peer id is in software, so it can be stolen; the identity is in an HSM.
    mallory = await RawPeer.start(cluster.lock, testSigner('node-3'))
  })

  afterEach(async () => {
    await mallory.stop()
    await stage.close()
  })

  const greet = (name: string) => mallory.greet(stage.of(name))
  const proofFor = (name: string, answer: Hello) =>
    identity.sign(
      proofMessage({
        hello: helloOf(cluster.lock, ''),
        ...{ prover: cluster.member('node-3'), verifier: cluster.member(name), nonce: answer.nonce },
      }),
    )
  const send = (link: RawLink, signature: Uint8Array) => link.stream.send(prefixed(encode(Proof, { signature, consent: false })))
  const refused = async (link: RawLink, reason: string) => {
    await link.closed
    await stage.until(() => stage.status('node-1', 'node-3').downReason === reason, reason)
    expect(stage.seen.filter((s) => s.from === 'node-3' && s.kind !== 'unproved')).to.deep.equal([])
  }

  it('proof: the right one brings the link up, and frames behind it arrive', async () => {
    const link = await greet('node-1')
    send(link, await proofFor('node-1', link.answer))
    link.stream.send(prefixed(utf8('right behind')))
    await stage.until(() => stage.frames('node-1', 'node-3').length === 1, 'the frame')
    expect(stage.frames('node-1', 'node-3')).to.deep.equal([utf8('right behind')])
  })

  it('proof: none at all is HELLO_TIMEOUT, an empty one HELLO_INVALID, and garbage IDENTITY_UNPROVED', async () => {
    await refused(await greet('node-1'), 'HELLO_TIMEOUT')
    const empty = await greet('node-1')
    // Without signature and consent nothing is left of a proof, and a link has no frames of no bytes.
    send(empty, new Uint8Array(0))
    await refused(empty, 'HELLO_INVALID')
    const garbage = await greet('node-1')
    send(garbage, new Uint8Array(72).fill(7))
    await refused(garbage, 'IDENTITY_UNPROVED')
  })

  it('proof: frames in its place are HELLO_INVALID and are not delivered', async () => {
    const link = await greet('node-1')
    link.stream.send(prefixed(utf8('let me in')))
    await refused(link, 'HELLO_INVALID')
    expect(stage.status('node-1', 'node-3').violations).to.equal(1)
  })

  it('proof: that one was refused is told once, and again after a link with the member', async () => {
    const told = () => stage.seen.filter((s) => s.kind === 'unproved' && s.at === 'node-1')
    const forge = async () => {
      const link = await greet('node-1')
      send(link, new Uint8Array(72).fill(7))
      await link.closed
    }
    for (let i = 0; i < 3; i++) await forge()
    await stage.until(() => stage.status('node-1', 'node-3').failures === 3, 'three refusals')
    expect(told()).to.have.length(1)
    const good = await greet('node-1')
    send(good, await proofFor('node-1', good.answer))
    await stage.until(() => stage.status('node-1', 'node-3').up, 'the link')
    good.connection.abort(new Error('gone'))
    await stage.until(() => !stage.status('node-1', 'node-3').up, 'its end')
    await forge()
    await stage.until(() => told().length === 2, 'the second time')
  })

  it('proof: one of an earlier link, and one that another member asked for, are IDENTITY_UNPROVED', async () => {
    const first = await greet('node-1')
    const seen = await proofFor('node-1', first.answer)
    first.connection.abort(new Error('gone'))
    await first.closed
    const second = await greet('node-1')
    send(second, seen)
    await refused(second, 'IDENTITY_UNPROVED')
    const third = await greet('node-1')
    send(third, await proofFor('node-2', third.answer))
    await refused(third, 'IDENTITY_UNPROVED')
  })

  it('proof: is asked for of the node that must give one, and of no other', async () => {
    const link = await greet('node-1')
    expect(link.answer.nonce).to.have.length(32)
    const other = await RawPeer.start(clusterWithDialer().lock, testSigner('node-3'))
    const plain = new Stage(loopbackWorld(), clusterWithDialer())
    await plain.start('node-1')
    const answer = await other.greet(plain.of('node-1'))
    expect(decode(Hello, encode(Hello, answer.answer)).nonce).to.have.length(0)
    await other.stop()
    await plain.close()
  })
})
