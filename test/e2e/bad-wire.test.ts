import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { codeOf, concat, fromHex, u32 } from '@conclave/core'
import { readSettings } from '@conclave/node'
import { MemberPeer, OPEN_TERMS, until } from '@conclave/testnet'
import { peerIdOf, softIdentity } from '@conclave/transport'
import { openPkcs11Vault } from '@conclave/vault'
import { encode, Frame, type KeyGossip, type Request } from '@conclave/wire'
import { expect } from 'chai'
import { NAMES, settled, useSharedCluster } from '../rig/cluster.ts'
import { expectHealthy, logsOf } from '../rig/health.ts'
import { createKey, signOnce, signWith, transfer } from '../rig/signing.ts'

const CLOSE_TIMEOUT_MS = 30_000
const GARBAGE = [new Uint8Array(1), Uint8Array.from(randomBytes(10)), Uint8Array.from(randomBytes(60_000)), new Uint8Array(1000).fill(255)]
const noise = (bytes: number) => Uint8Array.from(randomBytes(bytes))

/** What no honest node would say of a key. */
function inventedGossip(keyId: string): KeyGossip {
  const epochs = [{ epoch: 9, certificateHash: noise(32), attestations: [{ party: 1, signature: noise(64) }] }]
  return { keys: [{ keyId, active: true, epoch: 9, proved: true, epochs }], asks: true }
}

describe('bad input on the links between members', () => {
  const rig = useSharedCluster()
  const keyId = 'linked'
  let key: { readonly keyId: string; readonly publicKey: string }
  let pids: ReadonlyMap<string, number>

  before(async () => {
    key = { keyId, publicKey: await createKey(rig(), keyId) }
    pids = rig().cluster.pids()
  })

  afterEach(async () => {
    await expectHealthy(rig(), pids)
    await signOnce(rig(), key)
  })

  const portOf = (name: string): number => {
    const { lock } = rig().observer
    const address = [...lock.nodes, ...lock.coordinators].find((m) => m.name === name)?.addresses[0]
    return Number(address?.split('/').at(-1))
  }

  /** Sockets that do what they like; resolves when the other side has closed every one of them. */
  async function closedByPeer(sockets: readonly Socket[]): Promise<void> {
    const timeout = new Promise<never>((_, reject) => {
      setTimeout(() => reject(new Error('a socket was left open')), CLOSE_TIMEOUT_MS).unref()
    })
    try {
      await Promise.race([Promise.all(sockets.map((s) => new Promise((resolve) => s.once('close', resolve)))), timeout])
    } finally {
      for (const s of sockets) s.destroy()
    }
  }

  const socket = (name: string): Socket =>
    connect({ port: portOf(name), host: '127.0.0.1', allowHalfOpen: true })
      .on('error', () => undefined)
      .on('end', function (this: Socket) {
        this.end()
      })

  const linesWith = async (name: string, text: string) => (await logsOf(rig().cluster.dirOf(name))).join('').split(text).length - 1

  /** Waits for the log: it comes through a pipe, a little later than answers do. */
  async function logged(name: string, text: string, count: number): Promise<void> {
    let lines = 0
    const enough = async () => {
      lines = await linesWith(name, text)
      return lines >= count
    }
    await until(enough, { timeoutMs: CLOSE_TIMEOUT_MS, what: `${count} lines with "${text}"` })
    expect(lines).to.equal(count)
  }

  it('socket: garbage, HTTP, silence and half-open connections to a node and to the coordinator are closed', async () => {
    const sockets = Array.from({ length: 48 }, (_, i) => socket(i % 2 === 0 ? 'oslo' : 'coordinator'))
    for (const [i, s] of sockets.entries()) {
      const kind = Math.floor(i / 2) % 6
      if (kind === 0) s.write(randomBytes(5_000))
      if (kind === 1) s.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n')
      if (kind === 2) s.end()
      if (kind === 3) s.end(randomBytes(3))
      if (kind === 4) s.write('\u0013/multistream/1.0.0\n')
    }
    await closedByPeer(sockets)
  })

  it('outsider: a peer of a lock that names it, which nobody else has, gets no link', async () => {
    const { lock } = rig().observer
    const signer = softIdentity(noise(32))
    const outsider = { kind: 'coordinator' as const, name: 'outsider', peerId: peerIdOf(signer.key), addresses: [] }
    const peer = await MemberPeer.start({
      lock: { ...lock, coordinators: [...lock.coordinators, outsider] },
      name: 'outsider',
      signer,
      listen: [],
    })
    try {
      const refused = async () => peer.links().every((l) => l.failures > 0)
      await until(refused, { timeoutMs: CLOSE_TIMEOUT_MS, what: 'every node to refuse the outsider' })
      // Knowing the cluster's id it gets through the handshake; then every node hangs up, without a word.
      expect(peer.links().map((l) => [l.up, l.downReason])).to.deep.equal(NAMES.map(() => [false, 'CLOSED_BY_PEER']))
    } finally {
      await peer.stop()
    }
  })

  it('impostor: a peer that claims a member and has another key does not even start', async () => {
    const { lock } = rig().observer
    const start = MemberPeer.start({ lock, name: 'oslo', signer: softIdentity(noise(32)), listen: [] })
    expect(await start.then(() => 'started', codeOf)).to.equal('WRONG_IDENTITY')
  })

  it('coordinator: garbage frames are dropped and counted, and the link stays', async () => {
    const { observer } = rig()
    const before = await linesWith('zurich', 'malformed frame dropped')
    const reconnects = () => observer.links().find((l) => l.member.name === 'zurich')?.reconnects
    const had = reconnects()
    for (const bytes of GARBAGE) observer.send('zurich', bytes)
    expect((await observer.status('zurich')).name).to.equal('zurich')
    await logged('zurich', 'malformed frame dropped', before + GARBAGE.length)
    expect(reconnects()).to.equal(had)
  })

  it('coordinator: what only nodes may say is dropped', async () => {
    const { observer } = rig()
    const sessionId = noise(32)
    const frames: readonly Frame['body'][] = [
      { session: { sessionId, from: 2, round: 1, body: noise(100) } },
      { end: { sessionId, from: 2, code: 'SESSION_STOPPED' } },
      { gossip: inventedGossip(keyId) },
      { response: { id: 1, body: { failure: { code: 'X', message: 'x', retriable: false, culprits: [], waitingFor: [] } } } },
    ]
    const before = await linesWith('zurich', 'only nodes may send')
    for (const body of frames) observer.send('zurich', encode(Frame, { body }))
    await observer.status('zurich')
    await logged('zurich', 'only nodes may send', before + frames.length)
  })

  it('coordinator: requests that cannot be granted are answered with a code', async () => {
    const { observer } = rig()
    const requestId = noise(32)
    const create = { keyId: 'x', nonce: noise(32), threshold: 2, parties: [1, 2, 3] }
    const cases: readonly (readonly [Request['body'], string])[] = [
      [{ createKey: { ...create, threshold: 1 } }, 'BAD_THRESHOLD'],
      [{ createKey: { ...create, threshold: 9 } }, 'BAD_THRESHOLD'],
      [{ createKey: { ...create, parties: [2, 3] } }, 'BAD_PARTY_SET'],
      [{ createKey: { ...create, parties: [1, 1, 3] } }, 'BAD_PARTY_SET'],
      [{ createKey: { ...create, keyId: '../x' } }, 'BAD_KEY_ID'],
      [{ createKey: { ...create, keyId } }, 'KEY_EXISTS'],
      [{ sign: { requestId, attempt: 1, signers: [1, 2], epoch: 0 } }, 'UNKNOWN_REQUEST'],
      [{ pairOffer: { pairEpoch: 9, nonce: noise(32), current: noise(32), renewal: noise(32) } }, 'NOT_ALLOWED'],
    ]
    for (const [body, code] of cases)
      expect(await observer.ask('zurich', body).then(() => 'granted', codeOf), JSON.stringify(body)).to.equal(code)
    const proposal = { requestId, keyId, payloadType: 'evm.tx', terms: OPEN_TERMS }
    const refused = await observer.ask('zurich', { propose: { ...proposal, items: [{ payload: noise(50), path: [] }] } })
    expect('verdict' in refused && [refused.verdict.allowed, refused.verdict.code]).to.deep.equal([false, 'PAYLOAD_UNDECODABLE'])
    const payload = fromHex(transfer().slice(2))
    await observer.ask('zurich', { propose: { ...proposal, items: [{ payload, path: [] }] } })
    const quorum = observer.ask('zurich', { sign: { requestId, attempt: 1, signers: [1, 2, 3], epoch: 0 } })
    expect(await quorum.then(() => 'granted', codeOf)).to.equal('BAD_QUORUM')
  })

  it('coordinator: a thousand requests at once are all answered', async () => {
    const { observer } = rig()
    const codes = await Promise.all(Array.from({ length: 1000 }, () => observer.ask('oslo', { status: {} }).then(() => 'answered', codeOf)))
    expect([...new Set(codes)].filter((code) => code !== 'answered' && code !== 'BUSY')).to.deep.equal([])
    expect(codes).to.include('answered')
  })

  it('node: a member that sends garbage, spoofs and invents sessions harms nobody, and is let back in', async () => {
    const { cluster, observer } = rig()
    await cluster.stopOne('lisbon')
    const settings = readSettings(join(cluster.dirOf('lisbon'), 'node.yaml'))
    const vault = await openPkcs11Vault({ hsms: settings.hsms })
    try {
      const mallory = await MemberPeer.start({ lock: observer.lock, name: 'lisbon', signer: vault.identity, listen: settings.listen })
      try {
        await mallory.linked(['zurich', 'oslo', 'coordinator'])
        for (const name of ['zurich', 'oslo', 'coordinator']) {
          for (const bytes of GARBAGE) mallory.send(name, bytes)
          for (const from of [1, 2, 3, 9]) {
            const session = { sessionId: noise(32), from, round: 1, body: noise(1000) }
            mallory.send(name, encode(Frame, { body: { session } }))
            mallory.send(name, encode(Frame, { body: { end: { sessionId: noise(32), from, code: 'BOO' } } }))
          }
          mallory.send(name, encode(Frame, { body: { gossip: inventedGossip(keyId) } }))
          mallory.send(name, concat(encode(Frame, { body: { request: { id: 1, traceparent: '', body: { status: {} } } } }), u32(7)))
        }
        expect(await mallory.ask('zurich', { status: {} }).then(() => 'granted', codeOf)).to.equal('NOT_ALLOWED')
        await signWith(rig(), key, [1, 2])
        for (const name of ['zurich', 'oslo', 'coordinator']) expect(mallory.isUp(name), name).to.equal(true)
      } finally {
        await mallory.stop()
      }
    } finally {
      await vault.close()
    }
    await cluster.startNodes(['lisbon'])
    await settled(rig())
    pids = cluster.pids()
    await signWith(rig(), key, [2, 3])
  })
})
