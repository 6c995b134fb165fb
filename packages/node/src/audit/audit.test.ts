import { toHex, utf8 } from '@conclave/core'
import { expect } from 'chai'
import { TestCluster } from '../cluster.fixture.ts'
import {
  codeIn,
  expectSignature,
  newKey,
  pairsReady,
  propose,
  requestId,
  signTransfer,
  TERMS,
  transfer,
  until,
  verdictIn,
} from '../requests.fixture.ts'
import { kindsOf, QUICK, readLog, witnessed } from './audit.fixture.ts'

describe('audit', () => {
  let cluster: TestCluster
  let publicKey: Uint8Array

  before(async () => {
    cluster = await TestCluster.create(3, 2)
    await cluster.start(cluster.names(), { audit: QUICK })
    publicKey = await newKey(cluster)
    await pairsReady(cluster)
  })
  after(() => cluster.close())

  it('a log: tells how a key came to be, a request was judged and a session ended, in that order', async () => {
    expectSignature(await signTransfer(cluster, 1, [1, 2]), publicKey)
    await witnessed(cluster, 'n1')
    const log = await readLog(cluster, 'n1')
    expect(log.report.findings).to.deep.equal([])
    const kinds = kindsOf(log)
    const wanted = [
      'lock.adopted',
      'node.started',
      'dealing.started',
      'key.provisioned',
      'dealing.done',
      'key.activated',
      'request.allowed',
      'session.started',
      'session.signed',
    ]
    expect(kinds.filter((k) => wanted.includes(k))).to.deep.equal(wanted)
    const { details } = log.entries.find((e) => e.kind === 'request.allowed')!
    expect(details).to.include({ requestId: toHex(requestId(1)), code: 'ALLOWED', rule: 'pay', keyId: 'treasury-1' })
    const started = log.entries.find((e) => e.kind === 'session.started')!.details
    expect(started).to.deep.include({ signers: [1, 2], attempt: 0, epoch: 0, digests: details.digests })
    expect(log.entries.find((e) => e.kind === 'session.signed')?.details.sid).to.equal(started.sid)
  })

  it('a coordinator: sees the checkpoint and the hashes of a log, and no entry; what is no topic is refused', async () => {
    const look = async (topic: string, name: string) => {
      const body = await cluster.ask(1, { look: { topic, argument: utf8(name) } })
      return 'looked' in body ? body.looked.body : codeIn(body)
    }
    await witnessed(cluster, 'n1')
    const checkpoint = await look('log-file', 'checkpoint')
    expect(new TextDecoder().decode(checkpoint as Uint8Array)).to.match(/\/n1\n\d+\n/)
    const size = Number(new TextDecoder().decode(checkpoint as Uint8Array).split('\n')[1])
    expect(await look('log-file', `tile/0/000.p/${size}`)).to.have.lengthOf(32 * size)
    for (const name of ['tile/entries/000', `tile/entries/000.p/${size}`, 'head', '../n1/CURRENT', 'tile/0/../../head', ''])
      expect(await look('log-file', name), name).to.equal('NO_SUCH_FILE')
    for (const topic of ['', 'constructor', 'keys']) expect(await look(topic, '')).to.equal('UNKNOWN_TOPIC')
    expect(await look('simulate', 'x')).to.equal('WIRE_DECODE')
  })

  it('a refusal: is in the log with the code and the rule, and once only', async () => {
    for (let i = 0; i < 3; i++) {
      const body = await cluster.ask(1, {
        propose: {
          requestId: requestId(2),
          keyId: 'treasury-1',
          payloadType: 'evm.tx',
          items: [{ payload: transfer(5000n), path: [] }],
          terms: TERMS,
        },
      })
      expect(verdictIn(body).allowed).to.equal(false)
    }
    const undecodable = {
      requestId: requestId(3),
      keyId: 'treasury-1',
      payloadType: 'evm.tx',
      items: [{ payload: Uint8Array.of(1), path: [] }],
      terms: TERMS,
    }
    expect(verdictIn(await cluster.ask(1, { propose: undecodable })).code).to.equal('PAYLOAD_UNDECODABLE')
    const denied = (await readLog(cluster, 'n1')).entries
      .filter((e) => e.kind === 'request.denied')
      .map((e) => [e.details.requestId, e.details.code])
    expect(denied).to.deep.equal([
      [toHex(requestId(2)), 'AMOUNT_OVER_LIMIT'],
      [toHex(requestId(3)), 'PAYLOAD_UNDECODABLE'],
    ])
  })

  it('a session that fails: is in the log with its code', async () => {
    await propose(cluster, 4, [1], [{ payload: transfer(1n), path: [] }])
    // n2 is never asked, and then it is gone.
    const failed = cluster.ask(1, { sign: { requestId: requestId(4), attempt: 0, signers: [1, 2], epoch: 0 } })
    const kinds = async () => kindsOf(await readLog(cluster, 'n1'))
    await until('a second session', async () => (await kinds()).filter((k) => k === 'session.started').length === 2)
    await cluster.kill('n2')
    // A link that goes down before the session runs leaves no pair.
    const code = codeIn(await failed)
    expect(['PEER_LOST', 'PAIR_MISSING']).to.include(code)
    await until('the end of it', async () => (await kinds()).includes('session.failed'))
    const { details } = (await readLog(cluster, 'n1')).entries.find((e) => e.kind === 'session.failed')!
    expect(details).to.deep.include({ code, culprits: [], requestId: toHex(requestId(4)) })
    await cluster.start(['n2'], { audit: QUICK })
  })

  it('every log: is cosigned by all others, and goes on from what they know', async () => {
    for (const name of cluster.names()) {
      await witnessed(cluster, name)
      const { report } = await readLog(cluster, name)
      expect(report.findings).to.deep.equal([])
      expect(report.checkpoint?.cosigners).to.have.length(2)
      const others = cluster.names().filter((n) => n !== name)
      for (const other of others) {
        const known = (await cluster.node(other).admin.audit.witnessed()).find((l) => l.node === name)
        expect(known).to.include({ size: report.checkpoint?.size, conflict: null })
      }
    }
  })

  it('a restart: goes on in the same log, and says so', async () => {
    await witnessed(cluster, 'n3')
    const before = (await readLog(cluster, 'n3')).report.size
    await cluster.kill('n3')
    await cluster.start(['n3'], { audit: QUICK })
    await witnessed(cluster, 'n3')
    const log = await readLog(cluster, 'n3')
    expect(log.report.findings).to.deep.equal([])
    expect(kindsOf(log)[before]).to.equal('node.started')
    expect((await cluster.node('n3').admin.status()).audit).to.deep.include({ code: '', confirmed: ['n1', 'n2'], required: 1 })
  })
})
