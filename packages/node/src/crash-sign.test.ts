import { toHex } from '@conclave/core'
import { expect } from 'chai'
import { TestCluster } from './cluster.fixture.ts'
import { CrashPoint } from './crash-point.fixture.ts'
import {
  codeIn,
  expectSignature,
  failureIn,
  newKey,
  pairStateOf,
  pairsReady,
  propose,
  requestId,
  sign,
  signTransfer,
  transfer,
  until,
} from './requests.fixture.ts'

/** Two of three sign in four rounds, one frame each. */
const FRAMES = [1, 2, 3, 4]

describe('crash in signing', () => {
  let cluster: TestCluster
  let publicKey: Uint8Array
  /** Every session that any node has sent a first message in. */
  const begun: string[] = []

  before(async () => {
    cluster = await TestCluster.create(3, 2)
    for (const name of cluster.names()) {
      cluster.tamper.set(name, (to, body) => {
        if ('session' in body && body.session.round === 1) begun.push(`${name} ${to.name} ${toHex(body.session.sessionId)}`)
        return body
      })
    }
    await cluster.start()
    publicKey = await newKey(cluster)
  })
  after(() => cluster.close())

  for (const at of FRAMES) {
    it(`crash in signing: a signer killed before its message ${at} fails the others retriably, and other signers take over`, async () => {
      const point = new CrashPoint()
      await cluster.kill('n2')
      await cluster.start(['n2'], { rig: point.rig })
      await pairsReady(cluster)
      await propose(cluster, at, [1, 2, 3], transfer(BigInt(at)))
      point.arm({ deed: 'send', at, after: false })
      const first = cluster.ask(1, { sign: { requestId: requestId(at), attempt: 0, signers: [1, 2], epoch: 0 } })
      void cluster.ask(2, { sign: { requestId: requestId(at), attempt: 0, signers: [1, 2], epoch: 0 } })
      await point.crashed
      await cluster.kill('n2')
      const failure = failureIn(await first)
      expect(failure).to.deep.include({ code: 'PEER_LOST', retriable: true, culprits: [], waitingFor: [2] })
      expectSignature(await sign(cluster, at, [1, 3], 1), publicKey)

      await cluster.start(['n2'])
      await pairsReady(cluster)
      // What was spent before the crash stays spent: the session of attempt 0 can never run again.
      expect((await sign(cluster, at, [1, 2], 0)).map(codeIn)).to.deep.equal(['ATTEMPT_SPENT', 'ATTEMPT_SPENT'])
      expectSignature(await sign(cluster, at, [1, 2], 2), publicKey)
    })
  }

  it('crash in signing: a killed node refuses attempts that it spent, also for what it had already signed', async () => {
    expectSignature(await signTransfer(cluster, 50, [2, 3]), publicKey)
    await cluster.kill('n3')
    await cluster.start(['n3'])
    await pairsReady(cluster)
    expect((await sign(cluster, 50, [2, 3], 0)).map(codeIn)).to.deep.equal(['ATTEMPT_SPENT', 'ATTEMPT_SPENT'])
    expectSignature(await sign(cluster, 50, [2, 3], 1), publicKey)
  })

  it('crash in signing: a peer that is already dead is told at once, without waiting', async () => {
    await propose(cluster, 60, [1, 2, 3], transfer(60n))
    await cluster.kill('n3')
    await until('n1 has noticed', async () => (await pairStateOf(cluster, 1, 3)) === 'missing')
    const failure = failureIn(await cluster.ask(1, { sign: { requestId: requestId(60), attempt: 0, signers: [1, 3], epoch: 0 } }))
    expect(failure).to.deep.include({ code: 'PAIR_MISSING', retriable: true, waitingFor: [3] })
    // Nothing was spent on it.
    expectSignature(await sign(cluster, 60, [1, 2], 0), publicKey)
    await cluster.start(['n3'])
    await pairsReady(cluster)
  })

  it('crash in signing: a node whose HSM is gone says so to the other signers, who need not wait for silence', async () => {
    await propose(cluster, 70, [1, 2], transfer(70n))
    cluster.device('n2').fail('TOKEN_LOST')
    const codes = (await sign(cluster, 70, [1, 2], 0)).map(codeIn)
    cluster.device('n2').heal()
    expect(codes).to.deep.equal(['PEER_STOPPED', 'TOKEN_LOST'])
    expectSignature(await sign(cluster, 70, [1, 2], 1), publicKey)
  })

  it('crash in signing: no session ever began twice at one node', () => {
    expect(begun.length).to.be.greaterThan(20)
    expect(new Set(begun).size).to.equal(begun.length)
  })
})
