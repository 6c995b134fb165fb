import { concat, tagged, u32, utf8 } from '@conclave/core'
import { parsePolicy } from '@conclave/policy'
import type { Transport } from '@conclave/transport'
import { decode, encode, Frame, type Request, type Response } from '@conclave/wire'
import { expect } from 'chai'
import fc from 'fast-check'
import { TestCluster } from './cluster.fixture.ts'
import {
  codeIn,
  createKey,
  expectSignature,
  failureIn,
  KEY,
  newKey,
  pairsReady,
  proposal,
  propose,
  requestId,
  sign,
  signTransfer,
  statusOf,
  transfer,
  until,
  verdictIn,
} from './requests.fixture.ts'

const DENY_ALL = parsePolicy('version: 1\nsequence: 2\nrules: []\n')
const STRANGER = '0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC'

describe('refusals', () => {
  let cluster: TestCluster
  let publicKey: Uint8Array

  before(async () => {
    cluster = await TestCluster.create(3, 2)
    await cluster.start()
    publicKey = await newKey(cluster)
  })
  after(() => cluster.close())

  const verdictOn = async (i: number, payload: Uint8Array, keyId = KEY) => {
    const [body] = await propose(cluster, i, [1], payload, { keyId })
    return verdictIn(body as Response['body'])
  }
  const codeOfSign = async (i: number, signers: readonly number[], attempt = 0) =>
    codeIn(await cluster.ask(1, { sign: { requestId: requestId(i), attempt, signers, epoch: 0 } }))

  it('refusals: what the policy does not allow is denied with code, reason and rule, and cannot be signed', async () => {
    const denied = [
      { payload: transfer(1001n), code: 'AMOUNT_OVER_LIMIT' },
      { payload: transfer(1n, { to: STRANGER }), code: 'DESTINATION_NOT_ALLOWED' },
      { payload: transfer(1n, { chainId: 1n }), code: 'CHAIN_NOT_ALLOWED' },
    ]
    for (const [i, { payload, code }] of denied.entries()) {
      const verdict = await verdictOn(100 + i, payload)
      expect(verdict).to.include({ allowed: false, code, rule: 'pay' })
      expect(verdict.reason).to.match(/^closest rule "pay": /)
      expect(await codeOfSign(100 + i, [1, 2])).to.equal(code)
    }
    // Nothing of it is kept: a coordinator cannot fill the disk with it.
    expect(await cluster.store('n1').list('request')).to.have.length(0)
  })

  it('refusals: unknown keys, unknown types and payloads that do not decode are denied by name', async () => {
    expect(await verdictOn(110, transfer(1n), 'no-such-key')).to.include({ allowed: false, code: 'UNKNOWN_KEY' })
    for (const payload of [
      utf8('x'),
      transfer(1n).slice(0, -1),
      concat(transfer(1n), Uint8Array.of(0)),
      new Uint8Array(100_000).fill(0xff),
    ]) {
      expect(await verdictOn(111, payload)).to.include({ allowed: false, code: 'PAYLOAD_UNDECODABLE' })
    }
    const other = { ...proposal(112, transfer(1n)), payloadType: 'constructor' }
    expect(verdictIn(await cluster.ask(1, { propose: other }))).to.include({ allowed: false, code: 'UNKNOWN_PAYLOAD_TYPE' })
  })

  it('refusals: a request id stands for its first payload, in words and in deed', async () => {
    const first = await verdictOn(120, transfer(1n))
    expect(first.allowed).to.equal(true)
    expect(await verdictOn(120, transfer(2n))).to.include({ allowed: false, code: 'REQUEST_CONFLICT' })
    const again = await verdictOn(120, transfer(1n))
    expect(again).to.deep.equal(first)
    // Two nodes that were shown different payloads under one id do not meet, and blame nobody.
    await propose(cluster, 121, [1], transfer(3n))
    await propose(cluster, 121, [2], transfer(4n))
    const stray = sign(cluster, 121, [1, 2])
    await until('both wait for each other', () => cluster.pool('n1').running === 1 && cluster.pool('n2').running === 1)
    cluster.hub.cut(cluster.member('n1'), cluster.member('n2'))
    expect((await stray).map(codeIn)).to.deep.equal(['PEER_LOST', 'PEER_LOST'])
    cluster.hub.heal(cluster.member('n1'), cluster.member('n2'))
    await pairsReady(cluster)
  })

  it('refusals: signing without a proposal, or with another quorum than the key asks for', async () => {
    expect(await codeOfSign(130, [1, 2])).to.equal('UNKNOWN_REQUEST')
    await propose(cluster, 131, [1, 2], transfer(1n))
    const bad = [[1], [1, 2, 3], [2, 3], [1, 4], [1, 9], [1, 1], [], [0, 1]]
    const codes = new Set<string>()
    for (const signers of bad) codes.add(await codeOfSign(131, signers))
    expect([...codes].sort()).to.deep.equal(['BAD_PARTY', 'BAD_PARTY_SET', 'BAD_QUORUM'])
    expect(await codeOfSign(131, [1, 2], 0xffffffff)).to.equal('BAD_ATTEMPT')
    // None of it has spent anything, and the order of signers does not matter.
    expectSignature(await sign(cluster, 131, [2, 1]), publicKey)
    expect(await codeOfSign(131, [1, 2])).to.equal('ATTEMPT_SPENT')
  })

  it('refusals: a policy that changed between proposal and signing has the last word', async () => {
    await propose(cluster, 140, [1, 2], transfer(5n))
    await cluster.kill('n2')
    await cluster.start(['n2'], { policy: DENY_ALL })
    await pairsReady(cluster)
    const second = cluster.ask(2, { sign: { requestId: requestId(140), attempt: 0, signers: [2, 3], epoch: 0 } })
    expect(failureIn(await second)).to.deep.include({ code: 'POLICY_NO_RULE', retriable: false })
    await cluster.kill('n2')
    await cluster.start(['n2'])
    await pairsReady(cluster)
    expectSignature(await sign(cluster, 140, [1, 2]), publicKey)
  })

  it('refusals: BUSY above the limit of signings, and free again afterwards', async () => {
    await cluster.kill('n1')
    await cluster.start(['n1'], { rig: (parts) => ({ ...parts, maxConcurrent: 2 }) })
    await pairsReady(cluster)
    for (const i of [150, 151, 152]) await propose(cluster, i, [1, 2], transfer(BigInt(i)))
    const one = [150, 151, 152].map((i) => cluster.ask(1, { sign: { requestId: requestId(i), attempt: 0, signers: [1, 2], epoch: 0 } }))
    const busy = failureIn(await (one[2] as Promise<Response['body']>))
    expect(busy).to.deep.include({ code: 'BUSY', retriable: true })
    const two = [150, 151].map((i) => cluster.ask(2, { sign: { requestId: requestId(i), attempt: 0, signers: [1, 2], epoch: 0 } }))
    for (const i of [0, 1])
      expectSignature(await Promise.all([one[i] as Promise<Response['body']>, two[i] as Promise<Response['body']>]), publicKey)
    expectSignature(await sign(cluster, 152, [1, 2]), publicKey)
    await cluster.kill('n1')
    await cluster.start(['n1'])
    await pairsReady(cluster)
  })

  it('refusals: ten requests at once on one key all get signed', async () => {
    const numbers = Array.from({ length: 10 }, (_, i) => 160 + i)
    const pairs = [
      [1, 2],
      [1, 3],
      [2, 3],
    ] as const
    const all = await Promise.all(numbers.map((i) => signTransfer(cluster, i, pairs[i % 3] as readonly number[])))
    expect(new Set(all.map((bodies) => expectSignature(bodies, publicKey))).size).to.equal(10)
  })

  it('refusals: key creation: bad ids, committees and thresholds, and ids that are taken', async () => {
    const good = { keyId: 'k', nonce: tagged('n'), threshold: 2, parties: [1, 2, 3] }
    const bad: readonly (readonly [Partial<typeof good>, string])[] = [
      [{ keyId: '' }, 'BAD_KEY_ID'],
      [{ keyId: 'Upper' }, 'BAD_KEY_ID'],
      [{ keyId: '../x' }, 'BAD_KEY_ID'],
      [{ parties: [1, 1, 2] }, 'BAD_PARTY_SET'],
      [{ parties: [2, 3] }, 'BAD_PARTY_SET'],
      [{ parties: [1, 2, 4] }, 'BAD_PARTY'],
      [{ threshold: 1 }, 'BAD_THRESHOLD'],
      [{ threshold: 4 }, 'BAD_THRESHOLD'],
      [{ keyId: KEY }, 'KEY_EXISTS'],
    ]
    for (const [change, code] of bad) expect(codeIn(await cluster.ask(1, { createKey: { ...good, ...change } })), code).to.equal(code)
    expect((await createKey(cluster)).map(codeIn)).to.deep.equal(['KEY_EXISTS', 'KEY_EXISTS', 'KEY_EXISTS'])
  })

  it('refusals: one key id is created once at a time', async () => {
    const bodies = await Promise.all([createKey(cluster, 'twice', 'same'), createKey(cluster, 'twice', 'same')])
    expect(bodies[0].map(codeIn)).to.deep.equal(['keyCreated', 'keyCreated', 'keyCreated'])
    expect(bodies[1].map(codeIn)).to.deep.equal(['KEY_BUSY', 'KEY_BUSY', 'KEY_BUSY'])
  })

  it('refusals: a creation that only some nodes have heard of gives way to the next one', async () => {
    // What a coordinator that was killed between two sends leaves behind.
    const createKeyOnly = { keyId: 'anew', nonce: tagged('nonce', utf8('lost')), threshold: 2, parties: [1, 2, 3] }
    const lost = cluster.ask(1, { createKey: createKeyOnly })
    const bodies = await createKey(cluster, 'anew', 'again')
    expect(bodies.map(codeIn)).to.deep.equal(['keyCreated', 'keyCreated', 'keyCreated'])
    expect(codeIn(await lost)).to.equal('KEY_SUPERSEDED')
  })

  it('refusals: of several creations of one key the last one stands, at every node', async () => {
    const runs = await Promise.all(['one', 'two', 'three'].map((nonce) => createKey(cluster, 'many', nonce)))
    expect(runs.map((bodies) => bodies.map(codeIn).filter((code) => code === 'keyCreated').length)).to.deep.equal([0, 0, 3])
  })

  describe('from a hostile member', () => {
    let link: Transport
    const heard: Response['body'][] = []
    const n1 = () => cluster.member('n1')
    const say = (body: Frame['body']) => link.send(n1(), encode(Frame, { body }))
    const ask = async (body: Request['body']): Promise<string> => {
      const count = heard.length
      say({ request: { id: count, traceparent: '', body } })
      await until('an answer', () => heard.length > count)
      return codeIn(heard.at(-1) as Response['body'])
    }
    before(async () => {
      await cluster.kill('n3')
      link = await cluster.impostor('n3', (bytes) => {
        const { body } = decode(Frame, bytes)
        if ('response' in body) heard.push(body.response.body)
      })
      await until('the link', () => link.links().some((l) => l.up && l.member.name === 'n1'))
    })
    after(async () => {
      await link.stop()
      await cluster.start(['n3'])
      await pairsReady(cluster)
    })

    it('refusals: a node may not ask what only a coordinator may', async () => {
      const asks: readonly Request['body'][] = [
        { status: {} },
        { createKey: { keyId: 'k', nonce: tagged('n'), threshold: 2, parties: [1, 2, 3] } },
        { propose: proposal(1, transfer(1n)) },
        { sign: { requestId: requestId(1), attempt: 0, signers: [1, 3], epoch: 0 } },
      ]
      for (const body of asks) expect(await ask(body)).to.equal('NOT_ALLOWED')
    })

    it('refusals: answers to what was never asked, ends and messages of no session, and gossip of no key change nothing', async () => {
      const sessionId = tagged('no session')
      const before = await statusOf(cluster, 1)
      for (let i = 0; i < 2000; i++) {
        say({ response: { id: i, body: { pairAccept: { pairEpoch: i, agreed: true } } } })
        say({ end: { sessionId: tagged('end', u32(i)), from: 3, code: 'X' } })
        say({ session: { sessionId, from: (i % 9) + 1, round: i % 17, body: Uint8Array.of(1) } })
      }
      const attestations = [{ party: 9, signature: new Uint8Array(1) }]
      const epochs = [{ epoch: 7, certificateHash: sessionId, attestations }]
      const word = (keyId: string) => ({ keyId, active: true, epoch: 7, proved: true, epochs })
      say({ gossip: { keys: Array.from({ length: 256 }, (_, i) => word(i === 0 ? KEY : `k${i % 2}`)), asks: true } })
      const after = await statusOf(cluster, 1)
      // Of its own pair with n1 the liar may say what it likes.
      expect([after.keys, after.pairs[0]]).to.deep.equal([before.keys, before.pairs[0]])
      expect(cluster.pool('n1').running).to.equal(0)
      expectSignature(await signTransfer(cluster, 180, [1, 2]), publicKey)
    })

    it('refusals: garbage frames leave the node serving', async () => {
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 300 }), async (bytes) => {
          link.send(n1(), bytes)
          cluster.sendRaw(1, bytes)
        }),
        { numRuns: 300, seed: 7 },
      )
      for (const size of [1 << 10, 1 << 20]) {
        link.send(n1(), new Uint8Array(size).fill(0x0a))
        cluster.sendRaw(1, new Uint8Array(size).fill(0x22))
      }
      expectSignature(await signTransfer(cluster, 181, [1, 2]), publicKey)
    })
  })

  it('refusals: what only nodes may send is ignored from a coordinator, and the other way round it is answered', async () => {
    const sessionId = tagged('s')
    cluster.sendRaw(1, encode(Frame, { body: { session: { sessionId, from: 2, round: 1, body: Uint8Array.of(1) } } }))
    cluster.sendRaw(1, encode(Frame, { body: { end: { sessionId, from: 2, code: 'X' } } }))
    cluster.sendRaw(1, encode(Frame, { body: { gossip: { keys: [], asks: true } } }))
    cluster.sendRaw(1, encode(Frame, { body: { response: { id: 1, body: { pairAccept: { pairEpoch: 1, agreed: true } } } } }))
    const pairOffer = { pairEpoch: 9, nonce: tagged('n'), current: new Uint8Array(0), renewal: new Uint8Array(0) }
    expect(codeIn(await cluster.ask(1, { pairOffer }))).to.equal('NOT_ALLOWED')
    expectSignature(await signTransfer(cluster, 182, [1, 2]), publicKey)
  })

  it('refusals: too many open requests of one member are BUSY, and nobody else notices', async () => {
    // They wait for a pair that cannot come, because n3 is away.
    await cluster.kill('n3')
    const open = Array.from({ length: 256 }, (_, i) =>
      cluster.ask(1, { createKey: { keyId: `open-${i}`, nonce: tagged('open', u32(i)), threshold: 2, parties: [1, 2, 3] } }),
    )
    expect(codeIn(await cluster.ask(1, { status: {} }))).to.equal('BUSY')
    await cluster.start(['n3'])
    // n3 is another member: its pair is set up or agreed all the same, which lets the others go on until they miss their peers.
    await until('n1 and n3 agree', async () => (await statusOf(cluster, 3)).pairs.every((p) => p.state === 'ready'))
    await cluster.kill('n2')
    await cluster.kill('n3')
    const codes = new Set((await Promise.all(open)).map(codeIn))
    expect([...codes]).to.deep.equal(['PEER_LOST'])
    await cluster.start(['n2', 'n3'])
    await pairsReady(cluster)
  })
})
