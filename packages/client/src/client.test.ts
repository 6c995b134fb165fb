import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { inspect } from 'node:util'
import { expect } from 'chai'
import { ConclaveClient } from './client.ts'
import { ConclaveApiError, type Problem } from './problem.ts'

interface Received {
  readonly method: string
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}
interface Reply {
  readonly status: number
  readonly body: unknown
  readonly headers?: Readonly<Record<string, string>>
}

const API_KEY = 'secret-api-key'

function problem(code: string, status: number, retriable: boolean): Reply {
  const body: Problem = { type: `urn:conclave:problem:${code}`, title: 't', status, code, detail: 'd', retriable, requestId: 'r' }
  return { status, body }
}

async function failureOf(action: Promise<unknown>): Promise<ConclaveApiError> {
  const error = await action.then(
    () => expect.fail('nothing was thrown'),
    (e: unknown) => e,
  )
  expect(error, inspect(error)).instanceOf(ConclaveApiError)
  return error as ConclaveApiError
}

describe('ConclaveClient', () => {
  let server: Server
  let received: Received[]
  let replies: Reply[]
  let client: ConclaveClient

  beforeEach(async () => {
    received = []
    replies = []
    server = createServer((request, response) => {
      let body = ''
      request.on('data', (chunk) => {
        body += chunk
      })
      request.on('end', () => {
        received.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers, body })
        // The last reply is repeated.
        const reply = (replies.length > 1 ? replies.shift() : replies[0]) as Reply
        response.writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers })
        response.end(typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body))
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    client = new ConclaveClient({ url: `http://127.0.0.1:${port}/`, apiKey: API_KEY, retryFirstMs: 0 })
  })
  afterEach(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })

  it('sends the API key, the body and a fresh idempotency key', async () => {
    replies = [{ status: 202, body: { operationId: 'o' } }]
    expect(await client.createKey({ keyId: 'main' })).deep.equal({ operationId: 'o' })
    await client.createKey({ keyId: 'main' })
    const [first, second] = received as [Received, Received]
    expect(first).include({ method: 'POST', url: '/v1/keys', body: '{"keyId":"main"}' })
    expect(first.headers.authorization).equal(`Bearer ${API_KEY}`)
    expect(first.headers['idempotency-key'])
      .match(/^[0-9a-f-]{36}$/)
      .not.equal(second.headers['idempotency-key'])
  })

  it('uses the idempotency key of the caller', async () => {
    replies = [{ status: 201, body: {} }]
    await client.requestSignature({ keyId: 'main', payload: { type: 'evm.tx', bytes: '0x02' }, idempotencyKey: 'mine' })
    expect(received[0]?.headers['idempotency-key']).equal('mine')
    expect(received[0]?.body).not.contain('mine')
  })

  it('tries again what is retriable, with the same idempotency key and body', async () => {
    replies = [problem('TOO_MANY_OPEN', 429, true), problem('STOPPING', 503, true), { status: 202, body: { operationId: 'o' } }]
    await client.createKey({ keyId: 'main' })
    expect(received).lengthOf(3)
    expect(new Set(received.map((r) => r.headers['idempotency-key'])).size).equal(1)
    expect(new Set(received.map((r) => r.body)).size).equal(1)
  })

  it('gives up after retriesMax', async () => {
    replies = [problem('NOT_READY', 503, true)]
    const error = await failureOf(client.keys())
    expect(error).include({ code: 'NOT_READY', status: 503, retriable: true })
    expect(received).lengthOf(4)
  })

  it('does not try again what is not retriable', async () => {
    replies = [problem('IDEMPOTENCY_CONFLICT', 409, false)]
    const error = await failureOf(client.createKey({ keyId: 'main' }))
    expect(error).include({ code: 'IDEMPOTENCY_CONFLICT', status: 409, retriable: false, message: 'd' })
    expect(error.problem).include({ requestId: 'r', title: 't' })
    expect(received).lengthOf(1)
  })

  it('what Retry-After says is kept with the error', async () => {
    replies = [{ ...problem('TOO_MANY_OPEN', 429, false), headers: { 'retry-after': '7' } }]
    expect((await failureOf(client.keys())).retryAfterMs).equal(7000)
  })

  it('an answer that is not the coordinator is BAD_ANSWER', async () => {
    for (const body of ['<html>', { message: 'proxy' }, null, { code: 7 }]) {
      replies = [{ status: 404, body: body ?? 'null' }]
      expect(await failureOf(client.keys())).include({ code: 'BAD_ANSWER', retriable: false })
    }
    received.length = 0
    replies = [{ status: 502, body: { message: 'proxy' } }]
    expect(await failureOf(client.keys())).include({ code: 'BAD_ANSWER', retriable: true })
    expect(received).lengthOf(4)
  })

  it('a coordinator that is not there is API_UNREACHABLE, and the error does not hold the API key', async () => {
    const { port } = server.address() as AddressInfo
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    const absent = new ConclaveClient({ url: `http://127.0.0.1:${port}`, apiKey: API_KEY, retriesMax: 1, retryFirstMs: 0 })
    const error = await failureOf(absent.nodes())
    expect(error).include({ code: 'API_UNREACHABLE', status: 0, retriable: true })
    expect(inspect(error, { depth: 9 })).not.contain(API_KEY)
    expect(inspect(absent, { depth: 9 })).not.contain(API_KEY)
  })

  it('waitForKey polls until the operation ends', async () => {
    const running = { status: 200, body: { state: 'running', result: null, error: null } }
    replies = [running, running, { status: 200, body: { state: 'succeeded', result: { keyId: 'main' }, error: null } }]
    expect(await client.waitForKey('o/1')).deep.equal({ keyId: 'main' })
    expect(received.map((r) => r.url)).deep.equal(Array(3).fill('/v1/operations/o%2F1?waitMs=20000'))
    const error = problem('NODES_UNREACHABLE', 503, true).body as Problem
    replies = [{ status: 200, body: { state: 'failed', result: null, error } }]
    expect(await failureOf(client.waitForKey('o'))).include({ code: 'NODES_UNREACHABLE', retriable: true })
  })

  it('waitForSignature gives the signed request, or throws why there is none', async () => {
    const queued = { status: 200, body: { state: 'queued', error: null } }
    replies = [queued, { status: 200, body: { state: 'signed', signature: 's', error: null } }]
    expect(await client.waitForSignature('r')).include({ signature: 's' })
    const error = { ...(problem('POLICY_DENIED', 403, false).body as Problem), nodeVerdicts: [] }
    replies = [{ status: 200, body: { state: 'denied', error } }]
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
      replies = [{ status: 200, body }]
      for (const act of [client.waitForKey('o'), client.waitForSignature('r')]) expect(await failureOf(act)).include({ code: 'BAD_ANSWER' })
    }
    replies = [{ status: 200, body: '7' }]
    expect(await failureOf(client.nodes())).include({ code: 'BAD_ANSWER' })
  })

  it('waitForOperation tells each state once and gives the ended operation', async () => {
    const reply = (state: string) => ({ status: 200, body: { state, result: null, error: null } })
    replies = ['pending', 'running', 'running', 'succeeded'].map(reply)
    const states: string[] = []
    expect(await client.waitForOperation('o', (o) => void states.push(o.state))).include({ state: 'succeeded' })
    expect(states).deep.equal(['pending', 'running', 'succeeded'])
    // The first look is for whoever watches; the others wait.
    expect(received.map((r) => r.url.split('waitMs=')[1])).deep.equal(['0', '20000', '20000', '20000'])
    const error = problem('KEY_RENEWAL_FAILED', 502, false).body as Problem
    replies = [{ status: 200, body: { state: 'failed', result: null, error } }]
    expect(await failureOf(client.waitForOperation('o'))).include({ code: 'KEY_RENEWAL_FAILED', retriable: false })
  })

  it('renewals and schedules are asked for in the path of their key', async () => {
    replies = [{ status: 202, body: { operationId: 'o' } }]
    await client.refreshKey({ keyId: 'main' })
    await client.reshareKey({ keyId: 'main', idempotencyKey: 'mine' })
    await client.reshareKey({ keyId: 'main', quorum: { required: 4 } })
    await client.setSchedule('main', 30)
    await client.setSchedule('main', null)
    await client.operations({ keyId: 'main', limit: 2, cursor: 'c&d' })
    expect(received.map((r) => `${r.method} ${r.url} ${r.body}`)).deep.equal([
      'POST /v1/keys/main:refresh {}',
      'POST /v1/keys/main:reshare {}',
      'POST /v1/keys/main:reshare {"quorum":{"required":4}}',
      'PATCH /v1/keys/main {"refreshEveryDays":30}',
      'PATCH /v1/keys/main {"refreshEveryDays":null}',
      'GET /v1/operations?limit=2&keyId=main&cursor=c%26d ',
    ])
    expect(received.slice(0, 3).every((r) => r.headers['idempotency-key'] !== undefined)).equal(true)
    expect(received[1]?.headers['idempotency-key']).equal('mine')
  })

  it('getters ask for what they name', async () => {
    replies = [{ status: 200, body: { items: [1], nextCursor: null } }]
    await client.key('a/b')
    await client.signingRequests({ limit: 3, cursor: 'c&d' })
    await client.cancel('r')
    await client.derivedKey('a/b', 'm/0/5')
    expect(await client.derivedKeys('a/b', { prefix: 'm/0', from: 7, count: 3 })).deep.equal([1])
    await client.derivedKeys('k')
    expect(await client.nodes()).deep.equal([1])
    await client.node(2)
    expect(received.map((r) => `${r.method} ${r.url}`)).deep.equal([
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
