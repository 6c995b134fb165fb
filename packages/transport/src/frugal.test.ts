import { concat, utf8 } from '@conclave/core'
import type { ConnectionEncrypter, MessageStream, Stream } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { AbstractMessageStream, multiaddrConnectionPair, type SendResult } from '@libp2p/utils'
import { YamuxStream } from '@libp2p/yamux/stream'
import { expect } from 'chai'
import { Stage, testSigner } from './conformance.ts'
import { prefixed } from './framing.ts'
import { frugalEncrypter, lazyWindow, oneWrite, quietEnd } from './frugal.ts'
import { externalPrivateKey } from './identity-signer.ts'
import { libp2pLogger, silentLogger } from './logger.ts'
import { clusterWithDialer, loopbackWorld, RawPeer } from './loopback-rig.ts'

const cluster = clusterWithDialer()

/** A connection that keeps the pieces that it would write to its socket. */
class Pieces extends AbstractMessageStream {
  readonly pieces: Uint8Array[] = []
  sendData(data: Parameters<AbstractMessageStream['sendData']>[0]): SendResult {
    this.pieces.push(...data)
    return { sentBytes: data.byteLength, canSendMore: true }
  }
  sendReset(): void {}
  sendPause(): void {}
  sendResume(): void {}
  close(): Promise<void> {
    return Promise.resolve()
  }
}

function pieces(): Pieces {
  const quiet = Object.assign(() => undefined, { trace: () => undefined, error: () => undefined })
  return new Pieces({ log: { ...quiet, newScope: () => quiet } as never, direction: 'outbound' })
}

/** Counts the window updates that arrive at this end. */
function countUpdates(stream: Stream): () => number {
  const yamux = stream as unknown as YamuxStream
  const handle = yamux.handleWindowUpdate.bind(yamux)
  let updates = 0
  yamux.handleWindowUpdate = (frame) => {
    updates++
    handle(frame)
  }
  return () => updates
}

describe('frugal', () => {
  /** Sends two pieces as one message, as noise does with a length and a ciphertext. */
  const two = (connection: Pieces) => {
    connection.writableNeedsDrain = true
    connection.send(utf8('le'))
    connection.writableNeedsDrain = false
    connection.send(utf8('ngth'))
    return connection.pieces.map((p) => p.length)
  }

  it('oneWrite: a message of several pieces is one write, and unchanged', () => {
    expect(two(pieces())).to.deep.equal([2, 4])
    const connection = oneWrite(pieces())
    expect(two(connection)).to.deep.equal([6])
    expect(concat(...connection.pieces)).to.deep.equal(utf8('length'))
  })

  it('frugalEncrypter: both directions get a connection that writes at once', async () => {
    const seen: MessageStream[] = []
    const secure = async (connection: MessageStream) => {
      seen.push(connection)
      return { connection: pieces() } as never
    }
    const encrypter = frugalEncrypter({ protocol: '/x', secureInbound: secure, secureOutbound: secure })
    expect(encrypter.protocol).to.equal('/x')
    await encrypter.secureInbound(pieces())
    await encrypter.secureOutbound(pieces())
    for (const connection of seen) expect(two(connection as Pieces)).to.deep.equal([6])
  })

  it('quietEnd: what is incomplete is told by one error that is thrown again and again; what is complete is read as before', () => {
    const decoder = { lengthDecoder: (data: { readonly length: number }) => data.length }
    const connection = { decoder }
    expect(quietEnd(connection)).to.equal(connection)
    const thrown = [0, 1, 0].map((length) => {
      try {
        return decoder.lengthDecoder(new Uint8Array(length))
      } catch (error) {
        return error
      }
    })
    expect(thrown[0]).to.be.instanceOf(RangeError)
    expect(new Set(thrown).size).to.equal(1)
    expect(decoder.lengthDecoder(new Uint8Array(2))).to.equal(2)
    for (const other of [{}, { decoder: {} }, { decoder: { lengthDecoder: 1 } }]) expect(quietEnd(other)).to.equal(other)
  })

  it('quietEnd: the connections of the noise that we use are read so, and carry every message', async () => {
    const [outer, inner] = multiaddrConnectionPair()
    const keys = await Promise.all(['node-1', 'node-2'].map(async (name) => externalPrivateKey(testSigner(name), 10_000, silentLogger)))
    const [one, two] = keys.map((privateKey) =>
      frugalEncrypter(noise()({ privateKey, logger: libp2pLogger, upgrader: { getStreamMuxers: () => new Map() } } as never)),
    ) as [ConnectionEncrypter, ConnectionEncrypter]
    const secured = await Promise.all([one.secureOutbound(outer), two.secureInbound(inner)])
    const [from, to] = secured.map(({ connection }) => connection) as [MessageStream, MessageStream]
    const { decoder } = to as unknown as { readonly decoder: { lengthDecoder(data: Uint8Array): number } }
    const failure = () => {
      try {
        return decoder.lengthDecoder(new Uint8Array(1))
      } catch (error) {
        return error
      }
    }
    expect(failure()).to.be.instanceOf(RangeError).and.to.equal(failure())
    const heard: Uint8Array[] = []
    const all = Promise.withResolvers<void>()
    to.addEventListener('message', ({ data }) => {
      heard.push(data.subarray())
      if (concat(...heard).length === 3 * 70_000) all.resolve()
    })
    for (const i of [1, 2, 3]) from.send(new Uint8Array(70_000).fill(i))
    await all.promise
    expect(concat(...heard)).to.deep.equal(concat(...[1, 2, 3].map((i) => new Uint8Array(70_000).fill(i))))
    from.abort(new Error('over'))
  })

  describe('over sockets', () => {
    let stage: Stage
    let raw: RawPeer

    beforeEach(async () => {
      stage = new Stage(loopbackWorld(), cluster)
      await stage.start('node-1')
      raw = await RawPeer.start(cluster.lock, testSigner('node-3'))
    })

    afterEach(async () => {
      await raw.stop()
      await stage.close()
    })

    it('frames of one turn of the event loop leave in one piece, in order', async () => {
      const { stream } = await raw.greet(stage.of('node-1'))
      await stage.until(() => stage.status('node-1', 'node-3').up, 'the link')
      const frames = Array.from({ length: 30 }, (_, i) => new Uint8Array(100).fill(i))
      const heard: Uint8Array[] = []
      const all = Promise.withResolvers<void>()
      stream.addEventListener('message', ({ data }) => {
        heard.push(data.subarray())
        if (concat(...heard).length === 30 * 104) all.resolve()
      })
      for (const frame of frames) stage.send('node-1', 'node-3', frame)
      await all.promise
      expect(concat(...heard)).to.deep.equal(concat(...frames.map(prefixed)))
      expect(heard).to.have.length(1)
    })

    it('frames that were sent right before a stop still leave', async () => {
      const { stream, closed } = await raw.greet(stage.of('node-1'))
      await stage.until(() => stage.status('node-1', 'node-3').up, 'the link')
      const heard: Uint8Array[] = []
      stream.addEventListener('message', ({ data }) => heard.push(data.subarray()))
      stage.send('node-1', 'node-3', utf8('goodbye'))
      await stage.of('node-1').stop()
      await closed
      expect(concat(...heard)).to.deep.equal(prefixed(utf8('goodbye')))
    })

    it('a link gives window back when half of it is used up, not with every frame', async () => {
      const { stream } = await raw.greet(stage.of('node-1'))
      expect(stream).to.be.instanceOf(YamuxStream)
      const updates = countUpdates(stream)
      const frame = new Uint8Array(8 << 10)
      for (let i = 0; i < 100; i++) stream.send(prefixed(frame))
      await stage.until(() => stage.frames('node-1', 'node-3').length === 100, 'every frame')
      // 800 KiB: six times half of the first window, and fewer when it grows.
      expect(updates()).to.be.within(1, 7)
    })

    it('a stream that is not libp2p is left alone', () => {
      expect(() => lazyWindow({} as Stream)).not.to.throw()
    })
  })
})
