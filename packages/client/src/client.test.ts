import { inspect } from 'node:util'
import { expect } from 'chai'
import { API_KEY, CannedApi, failureOf, problem, type Received } from './canned-api.fixture.ts'
import { ConclaveClient } from './client.ts'
import type { Problem } from './resources.ts'

describe('ConclaveClient', () => {
  let api: CannedApi
  let client: ConclaveClient

  beforeEach(async () => {
    api = await CannedApi.start()
    client = new ConclaveClient({ url: `${api.url}/`, apiKey: API_KEY, retryFirstMs: 0 })
  })
  afterEach(() => api[Symbol.asyncDispose]())

  it('sends the API key, the body and a fresh idempotency key', async () => {
    api.replies = [{ status: 202, body: { operationId: 'o' } }]
    expect(await client.createKey({ keyId: 'main' })).deep.equal({ operationId: 'o' })
    await client.createKey({ keyId: 'main' })
    const [first, second] = api.received as [Received, Received]
    expect(first).include({ method: 'POST', url: '/v1/keys', body: '{"keyId":"main"}' })
    expect(first.headers.authorization).equal(`Bearer ${API_KEY}`)
    expect(first.headers['idempotency-key'])
      .match(/^[0-9a-f-]{36}$/)
      .not.equal(second.headers['idempotency-key'])
  })

  it('uses the idempotency key of the caller', async () => {
    api.replies = [{ status: 201, body: {} }]
    await client.requestSignature({ keyId: 'main', payload: { type: 'evm.tx', bytes: '0x02' }, idempotencyKey: 'mine' })
    expect(api.received[0]?.headers['idempotency-key']).equal('mine')
    expect(api.received[0]?.body).not.contain('mine')
  })

  it('tries again what is retriable, with the same idempotency key and body', async () => {
    api.replies = [problem('TOO_MANY_OPEN', 429, true), problem('STOPPING', 503, true), { status: 202, body: { operationId: 'o' } }]
    await client.createKey({ keyId: 'main' })
    expect(api.received).lengthOf(3)
    expect(new Set(api.received.map((r) => r.headers['idempotency-key'])).size).equal(1)
    expect(new Set(api.received.map((r) => r.body)).size).equal(1)
  })

  it('gives up after retriesMax', async () => {
    api.replies = [problem('NOT_READY', 503, true)]
    const error = await failureOf(client.keys())
    expect(error).include({ code: 'NOT_READY', status: 503, retriable: true })
    expect(api.received).lengthOf(4)
  })

  it('does not try again what is not retriable', async () => {
    api.replies = [problem('IDEMPOTENCY_CONFLICT', 409, false)]
    const error = await failureOf(client.createKey({ keyId: 'main' }))
    expect(error).include({ code: 'IDEMPOTENCY_CONFLICT', status: 409, retriable: false, message: 'd' })
    expect(error.problem).include({ requestId: 'r', title: 't' })
    expect(api.received).lengthOf(1)
  })

  it('what Retry-After says is kept with the error', async () => {
    api.replies = [{ ...problem('TOO_MANY_OPEN', 429, false), headers: { 'retry-after': '7' } }]
    expect((await failureOf(client.keys())).retryAfterMs).equal(7000)
  })

  it('an answer that is not the coordinator is BAD_ANSWER', async () => {
    for (const body of ['<html>', { message: 'proxy' }, null, { code: 7 }]) {
      api.replies = [{ status: 404, body: body ?? 'null' }]
      expect(await failureOf(client.keys())).include({ code: 'BAD_ANSWER', retriable: false })
    }
    api.received.length = 0
    api.replies = [{ status: 502, body: { message: 'proxy' } }]
    expect(await failureOf(client.keys())).include({ code: 'BAD_ANSWER', retriable: true })
    expect(api.received).lengthOf(4)
  })

  it('a coordinator that is not there is API_UNREACHABLE, and the error does not hold the API key', async () => {
    const { url } = api
    await api[Symbol.asyncDispose]()
    const absent = new ConclaveClient({ url, apiKey: API_KEY, retriesMax: 1, retryFirstMs: 0 })
    const error = await failureOf(absent.nodes())
    expect(error).include({ code: 'API_UNREACHABLE', status: 0, retriable: true })
    expect(inspect(error, { depth: 9 })).not.contain(API_KEY)
    expect(inspect(absent, { depth: 9 })).not.contain(API_KEY)
  })

  it('waitForKey polls until the operation ends', async () => {
    const running = { status: 200, body: { state: 'running', result: null, error: null } }
    api.replies = [running, running, { status: 200, body: { state: 'succeeded', result: { keyId: 'main' }, error: null } }]
    expect(await client.waitForKey('o/1')).deep.equal({ keyId: 'main' })
    expect(api.received.map((r) => r.url)).deep.equal(Array(3).fill('/v1/operations/o%2F1?waitMs=20000'))
    const error = problem('NODES_UNREACHABLE', 503, true).body as Problem
    api.replies = [{ status: 200, body: { state: 'failed', result: null, error } }]
    expect(await failureOf(client.waitForKey('o'))).include({ code: 'NODES_UNREACHABLE', retriable: true })
  })

  it('waitForSignature gives the signed request, or throws why there is none', async () => {
    const queued = { status: 200, body: { state: 'queued', error: null } }
    api.replies = [queued, { status: 200, body: { state: 'signed', signature: 's', error: null } }]
    expect(await client.waitForSignature('r')).include({ signature: 's' })
    const error = { ...(problem('POLICY_DENIED', 403, false).body as Problem), nodeVerdicts: [] }
    api.replies = [{ status: 200, body: { state: 'denied', error } }]
    expect((await failureOf(client.waitForSignature('r'))).problem).deep.equal(error)
    expect(await client.settled('r')).include({ state: 'denied' })
  })

  it('an operation or a request in no known state, or ended without a reason, is BAD_ANSWER and not waited for', async () => {
    const bodies = [
      {},
      [],
      { state: 'toString' },
      { state: 'succeeded', result: null },
      { state: 'failed', error: { code: 7 } },
      { state: 'denied' },
    ]
    for (const body of bodies) {
      api.replies = [{ status: 200, body }]
      for (const act of [client.waitForKey('o'), client.waitForSignature('r')]) expect(await failureOf(act)).include({ code: 'BAD_ANSWER' })
    }
    api.replies = [{ status: 200, body: '7' }]
    expect(await failureOf(client.nodes())).include({ code: 'BAD_ANSWER' })
  })

  it('waitForOperation tells each state once and gives the ended operation', async () => {
    const reply = (state: string) => ({ status: 200, body: { state, result: null, error: null } })
    api.replies = ['pending', 'running', 'running', 'succeeded'].map(reply)
    const states: string[] = []
    expect(await client.waitForOperation('o', { seen: (o) => void states.push(o.state) })).include({ state: 'succeeded' })
    expect(states).deep.equal(['pending', 'running', 'succeeded'])
    // The first look is for whoever watches; the others wait.
    expect(api.received.map((r) => r.url.split('waitMs=')[1])).deep.equal(['0', '20000', '20000', '20000'])
    const error = problem('KEY_RENEWAL_FAILED', 502, false).body as Problem
    api.replies = [{ status: 200, body: { state: 'failed', result: null, error } }]
    expect(await failureOf(client.waitForOperation('o'))).include({ code: 'KEY_RENEWAL_FAILED', retriable: false })
  })

  it('renewals and schedules are asked for in the path of their key', async () => {
    api.replies = [{ status: 202, body: { operationId: 'o' } }]
    await client.refreshKey({ keyId: 'main' })
    await client.reshareKey({ keyId: 'main', idempotencyKey: 'mine' })
    await client.reshareKey({ keyId: 'main', quorum: { required: 4 } })
    await client.setSchedule('main', 30)
    await client.setSchedule('main', null)
    await client.operations({ keyId: 'main', limit: 2, cursor: 'c&d' })
    expect(api.received.map((r) => `${r.method} ${r.url} ${r.body}`)).deep.equal([
      'POST /v1/keys/main:refresh {}',
      'POST /v1/keys/main:reshare {}',
      'POST /v1/keys/main:reshare {"quorum":{"required":4}}',
      'PATCH /v1/keys/main {"refreshEveryDays":30}',
      'PATCH /v1/keys/main {"refreshEveryDays":null}',
      'GET /v1/operations?limit=2&keyId=main&cursor=c%26d ',
    ])
    expect(api.received.slice(0, 3).every((r) => r.headers['idempotency-key'] !== undefined)).equal(true)
    expect(api.received[1]?.headers['idempotency-key']).equal('mine')
  })

  it('getters ask for what they name', async () => {
    api.replies = [{ status: 200, body: { items: [1], nextCursor: null } }]
    await client.key('a/b')
    await client.signingRequests({ limit: 3, cursor: 'c&d' })
    await client.cancel('r')
    api.replies = [
      { status: 200, body: { path: 'm/0/5' } },
      { status: 200, body: { items: [1] } },
    ]
    await client.derivedKey('a/b', 'm/0/5')
    expect(await client.derivedKeys('a/b', { prefix: 'm/0', from: 7, count: 3 })).deep.equal([1])
    await client.derivedKeys('k')
    expect(await client.nodes()).deep.equal([1])
    await client.node(2)
    expect(api.received.map((r) => `${r.method} ${r.url}`)).deep.equal([
      'GET /v1/keys/a%2Fb',
      'GET /v1/signing-requests?limit=3&cursor=c%26d',
      'POST /v1/signing-requests/r:cancel',
      'GET /v1/keys/a%2Fb/derived?path=m%2F0%2F5',
      'GET /v1/keys/a%2Fb/derived?prefix=m%2F0&from=7&count=3',
      'GET /v1/keys/k/derived?prefix=m&from=0&count=100',
      'GET /v1/nodes',
      'GET /v1/nodes/2',
    ])
  })
})
