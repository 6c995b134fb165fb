import { expect } from 'chai'
import { Admission } from './admission.ts'
import { CoordinatorMetrics } from './coordinator-metrics.ts'
import type { SigningBody } from './signing-schemas.ts'
import { eventually, Harness, type ProblemAnswer, payment } from './testing/harness.ts'

const SIGNING = '/v1/signing-requests'
const body = { keyId: 'main', payload: { type: 'evm.tx', bytes: payment() } }
const key = (name: string) => ({ headers: { 'idempotency-key': name } })

describe('Idempotency-Key', () => {
  it('the same key and body give the stored answer, and one request', async () => {
    await using h = await Harness.start()
    const first = await h.post<{ requestId: string }>(SIGNING, body, key('a'))
    expect(first.status).equal(201)
    await h.ended(first.body.requestId)
    // The same body in another order of fields is the same body.
    const again = await h.post<{ requestId: string }>(
      SIGNING,
      { payload: { bytes: body.payload.bytes, type: 'evm.tx' }, keyId: 'main' },
      key('a'),
    )
    expect(again.status).equal(201)
    expect(again.body).deep.equal(first.body)
    expect((await h.get<{ items: unknown[] }>(SIGNING)).body.items).lengthOf(1)
    expect(h.cluster.attemptsOf(first.body.requestId).size).equal(1)
  })

  it('many at once are one request', async () => {
    await using h = await Harness.start()
    const answers = await Promise.all(Array.from({ length: 20 }, () => h.post<{ requestId: string }>(SIGNING, body, key('a'))))
    expect(new Set(answers.map((a) => a.body.requestId)).size).equal(1)
    expect(new Set(answers.map((a) => a.status))).deep.equal(new Set([201]))
  })

  it('the same key with another body is a conflict', async () => {
    await using h = await Harness.start()
    await h.post(SIGNING, body, key('a'))
    const other = await h.post<ProblemAnswer>(SIGNING, { ...body, deadlineMs: 5000 }, key('a'))
    expect(other.status).equal(409)
    expect(other.body.code).equal('IDEMPOTENCY_CONFLICT')
  })

  it('callers and routes do not share keys', async () => {
    await using h = await Harness.start()
    const [mine, theirs] = [
      await h.post<{ requestId: string }>(SIGNING, body, { ...key('a'), as: 'admin' }),
      await h.post<{ requestId: string }>(SIGNING, body, { ...key('a'), as: 'requester' }),
    ]
    expect(theirs.status).equal(201)
    expect(mine.body.requestId).not.equal(theirs.body.requestId)
    expect((await h.post('/v1/keys', { keyId: 'second' }, key('a'))).status).equal(202)
  })

  it('a refusal is not kept: the key may be used for the corrected body', async () => {
    await using h = await Harness.start()
    expect((await h.post(SIGNING, { ...body, keyId: 'missing' }, key('a'))).status).equal(404)
    expect((await h.post(SIGNING, body, key('a'))).status).equal(201)
  })

  it('keys: a repeated creation is the same operation, also after the key exists', async () => {
    await using h = await Harness.start({}, { withKey: false })
    const first = await h.post<{ operationId: string }>('/v1/keys', { keyId: 'main' }, key('a'))
    expect(first.status).equal(202)
    expect((await h.operationEnded(first.body.operationId)).state).equal('succeeded')
    const again = await h.post<{ operationId: string }>('/v1/keys', { keyId: 'main' }, key('a'))
    expect(again.status).equal(202)
    expect(again.body).deep.equal(first.body)
    expect((await h.post<ProblemAnswer>('/v1/keys', { keyId: 'main' }, key('b'))).body.code).equal('KEY_EXISTS')
  })

  it('with waitMs the answer is the request when it has ended, also for a repetition', async () => {
    await using h = await Harness.start()
    const [first, second] = await Promise.all([1, 2].map(() => h.post<SigningBody>(`${SIGNING}?waitMs=30000`, body, key('a'))))
    expect([first?.status, second?.status]).deep.equal([201, 201])
    expect(first?.body).include({ state: 'signed', keyId: 'main' })
    expect(second?.body.signature).equal(first?.body.signature)
    // Without it, what was answered first.
    expect(Object.keys((await h.post<object>(SIGNING, body, key('a'))).body)).deep.equal([
      'requestId',
      'state',
      'digest',
      'summary',
      'items',
    ])
  })

  it('with waitMs a request that takes longer is answered as it is', async () => {
    await using h = await Harness.start()
    for (const node of h.cluster.nodes) node.intercept = async (request, honest) => ('sign' in request ? undefined : await honest())
    const waiting = h.post<SigningBody>(`${SIGNING}?waitMs=1234`, body, key('a'))
    await eventually(() => h.clock.hasTimer(1234) && h.cluster.world.signs.length === 3)
    h.clock.advance(1234)
    expect((await waiting).body).include({ state: 'signing', signature: null })
  })

  it('requests with other keys do not wait for each other', async () => {
    const order: string[] = []
    const slow = Promise.withResolvers<void>()
    const records = {
      idempotency: async () => undefined,
      admit: async (_: unknown, __: string, { body }: { body: unknown }) => {
        if (body === 'slow') await slow.promise
        order.push(body as string)
      },
    }
    const admission = new Admission(records as never, new CoordinatorMetrics())
    const admit = (name: string, k: string) =>
      admission.admit(
        { caller: 'c', route: 'r', idempotencyKey: k, body: name },
        () => ({ record: {} as never, status: 201, body: name }),
        () => undefined,
        'own',
      )
    const [first, again, other] = [admit('slow', 'a'), admit('slow', 'a'), admit('fast', 'b')]
    await other
    expect(order).deep.equal(['fast'])
    slow.resolve()
    await Promise.all([first, again])
    expect(order).deep.equal(['fast', 'slow', 'slow'])
  })

  it('what could not be stored is undone and does not begin', async () => {
    const said: string[] = []
    let isFull = true
    const records = {
      idempotency: async () => undefined,
      admit: async () => {
        if (isFull) throw new Error('disk full')
      },
    }
    const admission = new Admission(records as never, new CoordinatorMetrics())
    const admit = () =>
      admission.admit(
        { caller: 'c', route: 'r', idempotencyKey: 'a', body: null },
        () => ({ record: {} as never, status: 201, body: null, undo: () => void said.push('undone') }),
        () => void said.push('begun'),
        'own',
      )
    expect(
      await admit().then(
        () => 'admitted',
        (error: unknown) => (error as Error).message,
      ),
    ).equal('disk full')
    expect(said).deep.equal(['undone'])
    isFull = false
    await admit()
    expect(said).deep.equal(['undone', 'begun'])
  })
})
