import { connect } from 'node:net'
import { concat, type IdentitySigner, seededRandom, toHex, u32, utf8 } from '@conclave/core'
import type { PrivateKey } from '@libp2p/interface'
import { expect } from 'chai'
import { Stage, testSigner } from './conformance.ts'
import { prefixed } from './framing.ts'
import { LINK_PROTOCOL, LINK_STREAM } from './hello.ts'
import { externalPrivateKey } from './identity-signer.ts'
import { silentLogger } from './logger.ts'
import { closing, clusterWithDialer, loopbackWorld, RawPeer } from './loopback-rig.ts'
import { dials } from './membership.ts'
import { FRAME_BYTES_MAX } from './transport.ts'

const cluster = clusterWithDialer()
const random = seededRandom(utf8('garbage'))

describe('libp2p: hostile peers', () => {
  let stage: Stage
  let raws: RawPeer[]

  /** node-1 and node-2 up, with short timeouts where a test has to see one expire. */
  async function begin(): Promise<void> {
    stage = new Stage(loopbackWorld({ upgradeTimeoutMs: 500, helloTimeoutMs: 500 }), cluster)
    await stage.start('node-1', 'node-2')
    await stage.untilUp(['node-1', 'node-2'])
  }

  async function raw(signer: IdentitySigner | PrivateKey, lock = cluster.lock): Promise<RawPeer> {
    const peer = await RawPeer.start(lock, signer)
    raws.push(peer)
    return peer
  }

  const mallory = () => raw(testSigner('node-3'))
  const victim = () => stage.of('node-1')
  const status = () => stage.status('node-1', 'node-3')
  const ended = (reason: string) => stage.until(() => status().downReason === reason, reason)

  beforeEach(async () => {
    raws = []
    await begin()
  })

  afterEach(async () => {
    // Whatever was done to node-1, its link to node-2 never moved and still carries frames.
    stage.send('node-2', 'node-1', utf8('still here'))
    await stage.until(() => stage.frames('node-1', 'node-2').length === 1, 'a frame on the good link')
    expect(stage.ups('node-1', 'node-2')).to.equal(1)
    await Promise.all(raws.map((r) => r.stop()))
    await stage.close()
  })

  it('socket: garbage and silence before the handshake only cost their own connection', async () => {
    const port = Number(victim().addresses()[0]?.split('/').at(-1))
    const sockets = Array.from({ length: 30 }, (_, i) => {
      const socket = connect(port, '127.0.0.1').on('error', () => undefined)
      // Every third says nothing at all, which is what fills the pending connections.
      if (i % 3 > 0) socket.write(random.bytes(i % 3 === 1 ? 3 : 5_000))
      return socket
    })
    await Promise.all(sockets.map((s) => new Promise<void>((resolve) => s.on('close', () => resolve()))))
    expect(stage.seen.filter((s) => s.at === 'node-1')).to.have.length(1)
  })

  it('gate: a stranger with the right lock and a valid handshake is refused', async () => {
    const stranger = testSigner('stranger')
    const peer = await raw(stranger)
    const error = await peer.open(victim()).catch((e: unknown) => e)
    expect(error).to.be.instanceOf(Error)
    await stage.until(() => stage.logged.some((l) => l.message.startsWith('refused a peer')), 'the refusal in the log')
    expect(stage.seen.every((s) => s.from !== 'stranger')).to.equal(true)
  })

  it('gate: a member that connects the wrong way round is refused', async () => {
    const [dialled] = [stage.of('node-1'), stage.of('node-2')].filter((t) =>
      dials(t.self, cluster.member(t.self.name === 'node-1' ? 'node-2' : 'node-1')),
    )
    const other = dialled?.self.name === 'node-1' ? 'node-2' : 'node-1'
    const impostor = await raw(testSigner(other))
    const error = await impostor.greet(dialled ?? victim()).catch((e: unknown) => e)
    expect(error).to.be.instanceOf(Error)
  })

  it('noise: who does not know the cluster id does not get through the handshake; who has another lock of it does', async () => {
    const { lock } = cluster
    const peer = await raw(testSigner('node-3'), { ...lock, clusterId: toHex(random.bytes(32)) })
    await (await raw(testSigner('node-3'), { ...lock, version: 2 })).connect(victim())
    expect(await peer.connect(victim()).catch((e: unknown) => e)).to.have.property('name', 'EncryptionFailedError')
  })

  it('noise: a peer that claims a member key and cannot sign with it is refused', async () => {
    const honest = externalPrivateKey(testSigner('node-3'), 10_000, silentLogger)
    const forged: PrivateKey = Object.defineProperties(
      {} as PrivateKey,
      Object.assign(Object.getOwnPropertyDescriptors(honest), { sign: { value: () => random.bytes(64) } }),
    )
    const error = await (await raw(forged)).open(victim()).catch((e: unknown) => e)
    expect(error).to.be.instanceOf(Error)
    expect(stage.seen.every((s) => s.from !== 'node-3')).to.equal(true)
  })

  it('yamux: garbage inside an authenticated connection only costs that connection', async () => {
    const peer = await mallory()
    for (let round = 0; round < 40; round++) {
      const { connection } = await peer.greet(victim())
      const closed = closing(connection)
      // What our stream rides on, past everything that would keep a peer from talking nonsense.
      const { muxer } = connection as unknown as { muxer: { send(bytes: Uint8Array): boolean } }
      const header = random.bytes(12)
      // Version 0, and in turn each frame type and an odd type, so that the garbage gets further than the first check.
      header.set([0, round % 5])
      muxer.send(concat(header, random.bytes(round * 50)))
      for (let i = 0; i < 20; i++) if (connection.status === 'open') muxer.send(random.bytes(500))
      await closed
    }
    await stage.until(() => !status().up, 'the last one gone')
  })

  it('yamux: a frame of more than any window is refused before it is gathered', async () => {
    const { connection, closed } = await (await mallory()).greet(victim())
    const { muxer } = connection as unknown as { muxer: { send(bytes: Uint8Array): boolean } }
    // Version 0, type data, no flags, stream 1, length one over the limit; then nothing.
    muxer.send(concat(Uint8Array.of(0, 0, 0, 0), u32(1), u32((1 << 20) + 1)))
    await closed
    await ended('CONNECTION_LOST')
  })

  it('hello: garbage in its place is HELLO_INVALID and counted, and the peer may come back', async () => {
    const peer = await mallory()
    for (const [i, garbage] of [random.bytes(1000), prefixed(random.bytes(80)), prefixed(new Uint8Array(10_000)), u32(0)].entries()) {
      const link = await peer.open(victim())
      link.stream.send(garbage)
      await link.closed
      await stage.until(() => status().violations === i + 1, 'a counted violation')
      expect(status().downReason).to.equal('HELLO_INVALID')
    }
    await peer.greet(victim())
    await stage.until(() => status().up, 'the link')
  })

  it('hello: one that differs is answered, named and closed', async () => {
    const peer = await mallory()
    const wrong = [
      [{ clusterId: random.bytes(32) }, 'CLUSTER_MISMATCH'],
      [{ lockHash: random.bytes(32) }, 'LOCK_MISMATCH'],
      [{ protocol: 99 }, 'PROTOCOL_MISMATCH'],
    ] as const
    for (const [hello, reason] of wrong) {
      const link = await peer.greet(victim(), hello)
      expect(link.answer.protocol).to.equal(LINK_PROTOCOL)
      await link.closed
      await ended(reason)
    }
    expect(status()).to.include({ violations: 0, failures: 3, up: false })
    expect(stage.ups('node-1', 'node-3')).to.equal(0)
  })

  it('hello: none at all is HELLO_TIMEOUT; a connection without a stream is closed too', async () => {
    const peer = await mallory()
    const link = await peer.open(victim())
    await link.closed
    await ended('HELLO_TIMEOUT')
    await closing(await peer.connect(victim()))
  })

  for (const [what, bytes, reason] of [
    ['an oversized length', u32(FRAME_BYTES_MAX + 1), 'FRAME_TOO_LARGE'],
    ['a length of all ones', u32(0xffffffff), 'FRAME_TOO_LARGE'],
    ['a length of zero', u32(0), 'FRAME_EMPTY'],
  ] as const) {
    it(`frames: ${what} is ${reason}, counted, and ends only that link`, async () => {
      const peer = await mallory()
      const link = await peer.greet(victim())
      link.stream.send(prefixed(utf8('before')))
      link.stream.send(bytes)
      link.stream.send(prefixed(utf8('after')))
      await link.closed
      await ended(reason)
      expect(status().violations).to.equal(1)
      expect(stage.frames('node-1', 'node-3')).to.deep.equal([utf8('before')])
    })
  }

  it('frames: half of one, then an abrupt end, is a lost connection and no frame', async () => {
    const peer = await mallory()
    const link = await peer.greet(victim())
    link.stream.send(prefixed(utf8('whole')))
    link.stream.send(prefixed(new Uint8Array(100_000)).subarray(0, 50_000))
    await stage.until(() => stage.frames('node-1', 'node-3').length === 1, 'the whole frame')
    link.connection.abort(new Error('gone'))
    await ended('CONNECTION_LOST')
    expect(stage.frames('node-1', 'node-3')).to.have.length(1)
    await peer.greet(victim())
    await stage.until(() => status().up, 'the link again')
  })

  it('frames: split anywhere they arrive whole', async () => {
    const peer = await mallory()
    const { stream } = await peer.greet(victim())
    const bytes = prefixed(utf8('in pieces'))
    for (const byte of bytes) {
      stream.send(Uint8Array.of(byte))
      await new Promise((resolve) => setImmediate(resolve))
    }
    await stage.until(() => stage.frames('node-1', 'node-3').length === 1, 'the frame')
    expect(stage.frames('node-1', 'node-3')).to.deep.equal([utf8('in pieces')])
  })

  it('duplicates: the newest link that said HELLO wins, an older one that says it later does not', async () => {
    const peer = await mallory()
    const silent = await peer.open(victim())
    const first = await peer.greet(victim())
    const second = await peer.greet(victim())
    await first.closed
    await stage.until(() => stage.ups('node-1', 'node-3') === 2, 'the second link')
    await peer.greetOn(silent.stream).then(
      () => expect.fail('the older link was answered'),
      () => undefined,
    )
    second.stream.send(prefixed(utf8('second')))
    await stage.until(() => stage.frames('node-1', 'node-3').length === 1, 'a frame on the second link')
    expect(stage.seen.filter((s) => s.at === 'node-1' && s.from === 'node-3').map((s) => s.reason ?? s.kind)).to.deep.equal([
      'up',
      'REPLACED',
      'up',
      'frame',
    ])
  })

  it('duplicates: a second stream on the same connection is refused and the link stays', async () => {
    const peer = await mallory()
    const { connection, stream } = await peer.greet(victim())
    const second = await connection
      .newStream(LINK_STREAM)
      .then(
        (s) => peer.greetOn(s),
        (e: unknown) => e,
      )
      .catch((e: unknown) => e)
    expect(second).to.be.instanceOf(Error)
    stream.send(prefixed(utf8('first')))
    await stage.until(() => stage.frames('node-1', 'node-3').length === 1, 'a frame on the first stream')
    expect(stage.ups('node-1', 'node-3')).to.equal(1)
  })

  it('backlog: a peer that stops reading fills it, and gets everything when it reads again', async () => {
    const peer = await mallory()
    const { stream } = await peer.greet(victim())
    await stage.until(() => status().up, 'the link')
    stream.pause()
    let accepted = 0
    const fill = () => {
      for (; accepted < 100; accepted++) stage.send('node-1', 'node-3', new Uint8Array(FRAME_BYTES_MAX).fill(accepted))
    }
    expect(fill).to.throw().with.property('code', 'BACKLOG_FULL')
    let received = 0
    const whole = Promise.withResolvers<void>()
    stream.addEventListener('message', (event) => {
      received += event.data.byteLength
      if (received === accepted * (FRAME_BYTES_MAX + 4)) whole.resolve()
    })
    stream.resume()
    await whole.promise
  })

  it('stop: a peer that does not read cannot hold it up', async () => {
    const peer = await mallory()
    const { stream } = await peer.greet(victim())
    await stage.until(() => status().up, 'the link')
    stream.pause()
    for (let i = 0; i < 10; i++) stage.send('node-1', 'node-3', new Uint8Array(FRAME_BYTES_MAX))
    await stage.of('node-1').stop()
    await stage.start('node-1')
    await stage.untilUp(['node-1', 'node-2'])
    // The other tests end with a link that never moved; here it moved because node-1 did.
    stage.seen.splice(0, stage.seen.length, { kind: 'up', at: 'node-1', from: 'node-2' })
  })
})
