import { expect } from 'chai'
import type { OperationBody } from './key-schemas.ts'
import type { SigningBody } from './signing-schemas.ts'
import type { RequestBody, ResponseBody } from './testing/fake-node.ts'
import { eventually, Harness, payment } from './testing/harness.ts'

type Holds = (request: RequestBody, honest: () => Promise<ResponseBody>) => Promise<ResponseBody | undefined>

function everyNode(h: Harness, intercept: Holds): void {
  for (const node of h.cluster.nodes) node.intercept = intercept
}
const honestly: Holds = (_, honest) => honest()
const silentTo =
  (kind: 'propose' | 'sign' | 'createKey'): Holds =>
  async (request, honest) =>
    kind in request ? undefined : await honest()

const create = async (h: Harness) => (await h.post<{ operationId: string }>('/v1/keys', { keyId: 'main' })).body.operationId
const operation = async (h: Harness, id: string) => (await h.get<OperationBody>(`/v1/operations/${id}`)).body

async function signedOnce(h: Harness, id: string): Promise<SigningBody> {
  const body = await h.ended(id)
  expect(body.state).equal('signed')
  // Throws when an attempt number was used twice.
  h.cluster.attemptsOf(id)
  return body
}

describe('coordinator killed and started again', () => {
  it('while it waits for verdicts', async () => {
    await using h = await Harness.start()
    everyNode(h, silentTo('propose'))
    // Two that are up are no quorum, so it begins with the verdicts.
    for (const i of [1, 2, 3]) h.cluster.node(i).kill()
    await eventually(async () => (await h.get('/readyz')).status === 503)
    const id = await h.request()
    expect((await h.signing(id)).state).equal('decoded')
    everyNode(h, honestly)
    await h.crashAndRestart()
    await eventually(async () => (await h.signing(id)).state === 'queued')
    await h.cluster.node(2).start()
    expect((await signedOnce(h, id)).attempts.map((a) => a.attempt)).deep.equal([1])
  })

  it('while it waits for nodes', async () => {
    await using h = await Harness.start()
    for (const i of [1, 2, 3]) h.cluster.node(i).kill()
    const id = await h.request()
    await eventually(async () => (await h.signing(id)).state === 'queued')
    await h.crashAndRestart()
    expect((await h.signing(id)).state).equal('queued')
    await h.cluster.node(2).start()
    expect((await signedOnce(h, id)).signers).deep.equal([2, 4, 5])
  })

  it('during an attempt: its number is not used again', async () => {
    await using h = await Harness.start()
    everyNode(h, silentTo('sign'))
    const id = await h.request()
    await eventually(() => h.cluster.world.signs.length === 3)
    everyNode(h, honestly)
    await h.crashAndRestart()
    const { attempts } = await signedOnce(h, id)
    expect(attempts.map((a) => [a.attempt, a.outcome])).deep.equal([
      [1, 'interrupted'],
      [2, 'signed'],
    ])
    expect(attempts[0]?.code).equal('COORDINATOR_RESTARTED')
  })

  it('again and again', async () => {
    await using h = await Harness.start()
    everyNode(h, silentTo('sign'))
    const id = await h.request()
    for (let n = 1; n <= 4; n++) {
      await eventually(() => h.cluster.attemptsOf(id).size === n)
      if (n === 4) everyNode(h, honestly)
      await h.crashAndRestart()
    }
    expect((await signedOnce(h, id)).attempts.map((a) => a.attempt)).deep.equal([1, 2, 3, 4, 5])
  })

  it('after it was signed: nothing is signed again', async () => {
    await using h = await Harness.start()
    const id = await h.request()
    const before = await h.recorded(id)
    await h.crashAndRestart()
    expect(await h.ended(id)).deep.equal(before)
    expect(h.cluster.attemptsOf(id).size).equal(1)
  })

  it('after a cancel was answered', async () => {
    await using h = await Harness.start()
    everyNode(h, silentTo('sign'))
    const id = await h.request()
    await eventually(() => h.cluster.world.signs.length === 3)
    await h.call('POST', `/v1/signing-requests/${id}:cancel`)
    everyNode(h, honestly)
    await h.crashAndRestart()
    const body = await h.ended(id)
    expect(body.state).equal('cancelled')
    expect(body.attempts).lengthOf(1)
  })

  it('past the deadline: the request fails instead of signing late', async () => {
    await using h = await Harness.start()
    for (const i of [1, 2, 3]) h.cluster.node(i).kill()
    await eventually(async () => (await h.get('/readyz')).status === 503)
    const id = await h.request(0, { deadlineMs: 5000 })
    await h.coordinator?.stop()
    h.clock.advance(5000)
    for (const i of [1, 2, 3]) await h.cluster.node(i).start()
    await h.run()
    expect((await h.ended(id)).error?.code).equal('DEADLINE_EXCEEDED')
    expect(h.cluster.world.signs).deep.equal([])
  })

  it('the first attempt is on the disk with the request, in one write, before anything of it is sent', async () => {
    await using h = await Harness.start()
    everyNode(h, silentTo('sign'))
    const run = h.database.run.bind(h.database)
    const written: string[] = []
    h.database.run = async (queries) => {
      const rows = await run(queries)
      written.push(...queries.map((q) => q.sql).filter((text) => /(insert into|update) "?signing/.test(text)))
      return rows
    }
    const id = await h.request()
    await eventually(() => h.cluster.world.signs.length === 3)
    h.database.run = run
    expect(written.map((text) => text.includes('insert into "signing"'))).deep.equal([true])
    expect((await h.signing(id)).attempts.map((a) => [a.attempt, a.outcome])).deep.equal([[1, 'running']])
  })

  it('a stop is no failure: the request goes on at the next start', async () => {
    await using h = await Harness.start()
    everyNode(h, silentTo('sign'))
    const id = await h.request()
    await eventually(() => h.cluster.world.signs.length === 3)
    everyNode(h, honestly)
    await h.stop()
    await h.run()
    expect((await signedOnce(h, id)).attempts.map((a) => a.outcome)).deep.equal(['interrupted', 'signed'])
  })

  it('idempotency keys are remembered', async () => {
    await using h = await Harness.start()
    const body = { keyId: 'main', payload: { type: 'evm.tx', bytes: payment() } }
    const headers = { 'idempotency-key': 'once' }
    const first = await h.post<{ requestId: string }>('/v1/signing-requests', body, { headers })
    await h.crashAndRestart()
    const again = await h.post<{ requestId: string }>('/v1/signing-requests', body, { headers })
    expect(again.body).deep.equal(first.body)
    expect((await h.post('/v1/signing-requests', { ...body, deadlineMs: 900 }, { headers })).status).equal(409)
    await signedOnce(h, first.body.requestId)
  })

  it('the list keeps its order and grows at its end', async () => {
    await using h = await Harness.start()
    const ids = [await h.request(1), await h.request(2)]
    await h.crashAndRestart()
    ids.push(await h.request(3))
    const { items } = (await h.get<{ items: SigningBody[] }>('/v1/signing-requests')).body
    expect(items.map((r) => r.requestId)).deep.equal(ids.toReversed())
  })

  it('a key creation that was not sent yet is made', async () => {
    await using h = await Harness.prepare()
    h.cluster.node(1).kill()
    await h.run()
    const id = await create(h)
    await h.crashAndRestart()
    await h.cluster.node(1).start()
    expect((await h.operationEnded(id)).state).equal('succeeded')
  })

  it('a key that the nodes complete meanwhile is found', async () => {
    await using h = await Harness.start({}, { withKey: false })
    const id = await create(h)
    // The nodes finish, and nobody is there to hear it.
    await eventually(() => h.cluster.nodes.every((n) => n.keys.has('main')))
    await h.crashAndRestart()
    const { state, result } = await h.operationEnded(id)
    expect(state).equal('succeeded')
    expect(result?.keyId).equal('main')
    expect((await h.ended(await h.request())).state).equal('signed')
  })

  it('a key creation that died with the coordinator is made again under a fresh nonce', async () => {
    await using h = await Harness.start({}, { withKey: false })
    const nonces = new Set<string>()
    const seen: Holds = async (request, honest) => {
      if (!('createKey' in request)) return await honest()
      nonces.add(Buffer.from(request.createKey.nonce).toString('hex'))
      return nonces.size === 1 ? undefined : await honest()
    }
    everyNode(h, seen)
    const id = await create(h)
    await eventually(() => nonces.size === 1)
    await h.crashAndRestart()
    expect((await h.operationEnded(id)).state).equal('succeeded')
    expect(nonces.size).equal(2)
    expect((await operation(h, id)).result?.keyId).equal('main')
  })
})
