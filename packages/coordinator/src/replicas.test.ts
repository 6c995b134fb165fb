import { expect } from 'chai'
import { type Database, rowsOf, sqlOf } from './database/database.ts'
import type { OperationBody } from './key-schemas.ts'
import { noticeOf } from './notices.ts'
import type { SigningBody } from './signing-schemas.ts'
import { onEveryDatabase } from './testing/databases.ts'
import { eventually, Harness, type ProblemAnswer, payment } from './testing/harness.ts'

const SIGNING = '/v1/signing-requests'

/** The lease of everybody but `name` has ended, and somebody looks. */
async function endLeases(database: Database, name: string): Promise<void> {
  await database.run([
    sqlOf
      .updateTable('replica')
      .set({ until: new Date(0) })
      .where('name', '!=', name)
      .compile(),
    sqlOf.selectNoFrom(noticeOf('released', '-').as('told')).compile(),
  ])
}

function holdSigning(h: Harness): () => void {
  for (const node of h.cluster.nodes) node.intercept = async (request, honest) => ('sign' in request ? undefined : await honest())
  return () => {
    for (const node of h.cluster.nodes) node.intercept = (_, honest) => honest()
  }
}

onEveryDatabase('several coordinators', (borrow) => {
  let a: Harness
  let b: Harness
  beforeEach(async () => {
    a = await Harness.prepare({}, {}, borrow)
    a.cluster.addKey('main')
    await a.run()
    b = await a.replica()
    for (const h of [a, b]) await eventually(async () => (await h.get('/v1/keys/main')).status === 200)
  })
  afterEach(async () => {
    await b[Symbol.asyncDispose]()
    await a[Symbol.asyncDispose]()
  })

  it('each answers for what another drives, and a wait ends when the other has ended it', async () => {
    const letGo = holdSigning(a)
    const id = await a.request()
    await eventually(() => a.cluster.world.signs.length === 3)
    expect((await b.signing(id)).state).equal('signing')
    const waiting = b.ended(id)
    letGo()
    await a.crash()
    await endLeases(b.database, 'spoke')
    expect((await waiting).state).equal('signed')
    expect((await b.get<{ items: SigningBody[] }>(SIGNING)).body.items.map((r) => r.requestId)).deep.equal([id])
  })

  it('a wait for what another drives ends with a notice, without any time passing', async () => {
    const ids = await Promise.all(Array.from({ length: 10 }, (_, n) => a.request(n)))
    for (const body of await Promise.all(ids.map((id) => b.ended(id)))) expect(body.state).equal('signed')
  })

  it('what a dead one was signing is signed by another, under the next attempt number', async () => {
    const letGo = holdSigning(a)
    const ids = [await a.request(1), await a.request(2)]
    await eventually(() => a.cluster.world.signs.length === 6)
    await a.crash()
    letGo()
    await endLeases(b.database, 'spoke')
    for (const id of ids) {
      const { state, attempts } = await b.ended(id)
      expect(state).equal('signed')
      expect(attempts.map((t) => [t.attempt, t.outcome])).deep.equal([
        [1, 'interrupted'],
        [2, 'signed'],
      ])
      b.cluster.attemptsOf(id)
    }
  })

  it('one that was taken over without knowing it writes nothing more, and sends no attempt', async () => {
    const answers: (() => void)[] = []
    for (const node of a.cluster.nodes) {
      node.intercept = async (request, honest) => {
        if (!('sign' in request) || request.sign.attempt > 1) return await honest()
        await new Promise<void>((resolve) => answers.push(resolve))
        return { failure: { code: 'BUSY', message: 'busy', retriable: true, culprits: [], waitingFor: [] } }
      }
    }
    const id = await a.request()
    await eventually(() => answers.length === 3)
    // Its process stands still: it neither renews its lease nor hears of anything.
    a.process?.deafen()
    await endLeases(b.database, 'spoke')
    expect((await b.ended(id)).attempts.map((t) => t.attempt)).deep.equal([1, 2])
    for (const answer of answers) answer()
    await eventually(() => a.log.some((l) => l.includes('another coordinator drives this request')))
    expect((await a.signing(id)).attempts.map((t) => t.outcome)).deep.equal(['interrupted', 'signed'])
    expect([...b.cluster.attemptsOf(id).keys()]).deep.equal([1, 2])
  })

  it('one that stops lets go at once', async () => {
    const letGo = holdSigning(a)
    const id = await a.request()
    await eventually(() => a.cluster.world.signs.length === 3)
    letGo()
    await a.stop()
    expect((await b.ended(id)).state).equal('signed')
  })

  it('one key that is used at both at once is one request, with one answer', async () => {
    const body = { keyId: 'main', payload: { type: 'evm.tx', bytes: payment() } }
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, n) =>
        (n % 2 === 0 ? a : b).post<{ requestId: string }>(SIGNING, body, { headers: { 'idempotency-key': `k${n >> 3}` } }),
      ),
    )
    for (const answer of answers) expect(answer.status, JSON.stringify(answer.body)).equal(201)
    expect(new Set(answers.map((r) => r.body.requestId)).size).equal(5)
    const other = { ...body, payload: { type: 'evm.tx', bytes: payment(7) } }
    const refused = await b.post<ProblemAnswer>(SIGNING, other, { headers: { 'idempotency-key': 'k0' } })
    expect(refused.body.code).equal('IDEMPOTENCY_CONFLICT')
    for (const { body } of answers) expect((await b.ended(body.requestId)).state).equal('signed')
    for (const { body } of answers) expect(a.cluster.attemptsOf(body.requestId).size).equal(1)
  })

  it('a cancel may be asked of any', async () => {
    for (const i of [1, 2, 3]) a.cluster.node(i).kill()
    const id = await a.request()
    await eventually(async () => (await a.signing(id)).state === 'queued')
    expect((await b.call<SigningBody>('POST', `${SIGNING}/${id}:cancel`)).body.cancelRequested).equal(true)
    expect((await b.ended(id)).state).equal('cancelled')
    expect((await a.signing(id)).error?.code).equal('CANCELLED')
  })

  it('an operation is driven by the one whose part that is, and any answers for it', async () => {
    const answer = await b.post<{ operationId: string }>('/v1/keys/main:refresh', undefined)
    expect(answer.status).equal(202)
    const ended = await b.operationEnded(answer.body.operationId)
    expect(ended.state).equal('succeeded')
    const [row] = await rowsOf(a.database, sqlOf.selectFrom('operation').select('owner').compile())
    expect(row?.owner).match(/^hub\//)
    await eventually(async () => (await b.get<{ epoch: number }>('/v1/keys/main')).body.epoch === 1)
  })

  it('of two operations on one key that are asked of both at once, one is begun', async () => {
    for (const node of a.cluster.nodes) {
      node.intercept = async (request, honest) => ('renewKey' in request ? undefined : await honest())
    }
    const answers = await Promise.all(
      [a, b].map((h, n) => h.post<ProblemAnswer>('/v1/keys/main:refresh', undefined, { headers: { 'idempotency-key': `both-${n}` } })),
    )
    expect(answers.map((r) => r.status).sort()).deep.equal([202, 409])
    expect(answers.find((r) => r.status === 409)?.body.code).equal('KEY_BUSY')
  })

  it('an operation of a dead one is completed by another', async () => {
    let asked = 0
    for (const node of a.cluster.nodes) {
      node.intercept = async (request, honest) => {
        if (!('createKey' in request)) return await honest()
        asked++
        return undefined
      }
    }
    const { body } = await b.post<{ operationId: string }>('/v1/keys', { keyId: 'next' })
    await eventually(() => asked === a.cluster.nodes.length)
    await a.crash()
    for (const node of a.cluster.nodes) node.intercept = (_, honest) => honest()
    await endLeases(b.database, 'spoke')
    const path = `/v1/operations/${body.operationId}`
    await b.passing(2000, async () => (await b.get<OperationBody>(path)).body.state === 'succeeded')
    expect((await b.get<OperationBody>(path)).body.result?.keyId).equal('next')
  })

  it('a schedule that one was told of is known to the other, and is followed once', async () => {
    expect((await b.call('PATCH', '/v1/keys/main', { body: { refreshEveryDays: 1 } })).status).equal(200)
    await eventually(async () => (await a.get<{ refreshEveryDays: number }>('/v1/keys/main')).body.refreshEveryDays === 1)
    a.clock.advance(86_400_000)
    await eventually(async () => (await b.get<{ epoch: number }>('/v1/keys/main')).body.epoch === 1)
    await eventually(async () => {
      const { items } = (await b.get<{ items: OperationBody[] }>('/v1/operations')).body
      return items.length === 1 && items[0]?.state === 'succeeded'
    })
  })

  it('while the database is away everybody is told so, and what is open goes on when it is back', async () => {
    const held = Promise.withResolvers<void>()
    for (const node of a.cluster.nodes) {
      node.intercept = async (request, honest) => {
        if ('sign' in request) await held.promise
        return await honest()
      }
    }
    const id = await a.request()
    await eventually(() => a.cluster.world.signs.length === 3)
    a.process?.setAway(true)
    const refused = await a.post<ProblemAnswer>(SIGNING, { keyId: 'main', payload: { type: 'evm.tx', bytes: payment(1) } })
    expect([refused.status, refused.body.code, refused.body.retriable]).deep.equal([503, 'STORE_UNAVAILABLE', true])
    expect(refused.headers.get('retry-after')).match(/^\d+$/)
    expect((await fetch(`${a.coordinator?.url}/healthz`)).status).equal(200)
    held.resolve()
    await eventually(() => a.log.some((l) => l.includes('request stalled')))
    a.process?.setAway(false)
    await a.passing(1000, async () => (await a.signing(id)).state === 'signed')
    expect((await a.ended(await a.request(2))).state).equal('signed')
  })
})
