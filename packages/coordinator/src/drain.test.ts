import { toHex } from '@conclave/core'
import { expect } from 'chai'
import { eventually, Harness, type ProblemAnswer, payment } from './testing/harness.ts'

const body = (nonce: number) => ({ keyId: 'main', payload: { type: 'evm.tx', bytes: payment(nonce) } })

/** Holds the answers to `sign` until it is released. */
function holdSigning(h: Harness): () => void {
  const { promise, resolve } = Promise.withResolvers<void>()
  for (const node of h.cluster.nodes) {
    node.intercept = async (request, honest) => {
      if ('sign' in request) await promise
      return honest()
    }
  }
  return resolve
}

describe('a coordinator that drains', () => {
  it('takes no new request and says when to come again, answers old ones again, and is not ready', async () => {
    await using h = await Harness.start()
    const headers = { 'idempotency-key': 'before' }
    const before = await h.post<{ requestId: string }>('/v1/signing-requests', body(1), { headers })
    await h.ended(before.body.requestId)
    await h.coordinator?.drain()
    const refused = await h.post('/v1/signing-requests', body(2))
    expect(refused.status).equal(503)
    expect(refused.body).to.include({ code: 'DRAINING', retriable: true })
    expect(refused.headers.get('retry-after')).equal('1')
    expect((await h.post('/v1/keys', { keyId: 'other' })).body.code).equal('DRAINING')
    const again = await h.post<{ requestId: string }>('/v1/signing-requests', body(1), { headers })
    expect(again.body.requestId).equal(before.body.requestId)
    expect(await h.get('/readyz')).to.deep.include({ status: 503 })
    expect((await h.get<ProblemAnswer>('/readyz')).body.code).equal('DRAINING')
    expect((await h.get('/healthz')).status).equal(200)
  })

  it('ends what is being signed, and answers whoever waits for it', async () => {
    await using h = await Harness.start()
    const release = holdSigning(h)
    const waiting = h.post<{ state: string }>('/v1/signing-requests?waitMs=30000', body(1))
    await eventually(() => h.cluster.world.signs.length + h.log.filter((l) => l.includes('request admitted')).length > 0)
    let isDrained = false
    const drained = h.coordinator?.drain().then(() => {
      isDrained = true
    })
    await eventually(async () => (await h.post('/v1/signing-requests', body(2))).status === 503)
    expect(isDrained).equal(false)
    release()
    await drained
    await h.stop()
    expect((await waiting).body.state).equal('signed')
  })

  it('does not wait for what waits for nodes: that is open at the next start', async () => {
    await using h = await Harness.start()
    for (const node of h.cluster.nodes.slice(2)) node.kill()
    await eventually(async () => (await h.get('/readyz')).status === 503)
    const requestId = await h.request(1)
    await eventually(async () => (await h.signing(requestId)).state === 'queued')
    await h.coordinator?.drain()
    await h.stop()
    for (const node of h.cluster.nodes.slice(2)) await node.start()
    await h.run()
    expect((await h.ended(requestId)).state).equal('signed')
  })

  it('waits no longer than it was told to', async () => {
    await using h = await Harness.start()
    const release = holdSigning(h)
    await h.request(1)
    await eventually(() => h.log.some((l) => l.includes('request admitted')))
    const drained = h.coordinator?.drain()
    await eventually(() => h.clock.hasTimer(h.settings.shutdown.drainMs))
    h.clock.advance(h.settings.shutdown.drainMs)
    await drained
    release()
  })
})

describe('a node that leaves', () => {
  it('begins nothing new, ends what it has in hand, and is asked again after its next start', async () => {
    await using h = await Harness.start()
    const leaving = h.cluster.node(1)
    const release = holdSigning(h)
    const first = await h.request(1)
    await eventually(() => h.log.some((l) => l.includes('request admitted')))
    leaving.send({ body: { leaving: {} } })
    await eventually(async () => {
      const { body } = await h.get<{ availability: { able: boolean; reasons: { code: string }[] } }>('/v1/nodes/1')
      return !body.availability.able && body.availability.reasons[0]?.code === 'LEAVING'
    })
    release()
    const ended = await h.ended(first)
    expect(ended.state).equal('signed')
    expect(ended.attempts).lengthOf(1)
    for (let nonce = 2; nonce < 8; nonce++) {
      const { state, attempts } = await h.ended(await h.request(nonce))
      expect(state).equal('signed')
      expect(attempts[0]?.signers).to.not.include(1)
    }
    leaving.kill()
    await leaving.start()
    await eventually(async () => (await h.get<{ availability: { able: boolean } }>('/v1/nodes/1')).body.availability.able)
  })

  it('that already refuses costs the request an attempt that does not count', async () => {
    await using h = await Harness.start({ maxAttempts: 1 })
    const { world } = h.cluster
    const node = h.cluster.node(1)
    node.intercept = async (request, honest) => {
      if (!('sign' in request)) return honest()
      const { requestId, attempt, signers } = request.sign
      // As a node does: it has said that it leaves, and tells the other signers that it does not come.
      node.send({ body: { leaving: {} } })
      world.sessions.refuse(`sign ${toHex(requestId)} ${attempt} ${signers.join()}`, signers, 1)
      return { failure: { code: 'DRAINING', message: 'this node is stopping', retriable: true, culprits: [], waitingFor: [] } }
    }
    const { state, attempts } = await h.ended(await h.request(1))
    expect(state).equal('signed')
    expect(attempts.map((a) => [a.outcome, a.code, a.signers.includes(1)])).deep.equal([
      ['failed', 'DRAINING', true],
      ['signed', null, false],
    ])
  })
})
