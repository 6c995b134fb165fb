import { connect } from 'node:net'
import { expect } from 'chai'
import type { NodeBody } from './node-schemas.ts'
import type { SigningBody } from './signing-schemas.ts'
import { API_KEYS, type Call, eventually, Harness, type ProblemAnswer, payment } from './testing/harness.ts'

const KEYS = '/v1/keys'
const SIGNING = '/v1/signing-requests'
const UNKNOWN_ID = 'ab'.repeat(32)
const payload = { type: 'evm.tx', bytes: payment() }
const withKey = { 'idempotency-key': 'k' }

interface Refused {
  readonly name: string
  readonly method: string
  readonly path: string
  readonly call?: Call
  readonly status: number
  readonly code: string
}

const post = (name: string, path: string, body: unknown, status: number, code: string): Refused => ({
  ...{ name, method: 'POST', path, status, code },
  call: { body, headers: withKey },
})
const raw = (name: string, text: string, status: number, code: string, headers: Record<string, string> = {}): Refused => ({
  ...{ name, method: 'POST', path: SIGNING, status, code },
  call: { raw: text, headers: { ...withKey, ...headers } },
})
const get = (name: string, path: string, status: number, code: string): Refused => ({ name, method: 'GET', path, status, code })
const tx = (bytes: unknown) => ({ keyId: 'main', payload: { type: 'evm.tx', bytes } })

const REFUSED: readonly Refused[] = [
  raw('malformed JSON', '{"keyId":', 400, 'BAD_JSON'),
  raw('an empty body', '', 400, 'BAD_JSON'),
  raw('prototype pollution', '{"__proto__": {"role": "admin"}}', 400, 'BAD_JSON'),
  raw('deep JSON', `${'['.repeat(50_000)}${']'.repeat(50_000)}`, 400, 'BAD_JSON'),
  raw('a huge number', '{"keyId":"main","payload":{"type":"evm.tx","bytes":"0x02"},"deadlineMs":1e400}', 400, 'BAD_BODY'),
  raw('a body of another type', 'keyId=main', 415, 'UNSUPPORTED_MEDIA_TYPE', { 'content-type': 'application/x-www-form-urlencoded' }),
  raw('plain text', 'hello', 415, 'UNSUPPORTED_MEDIA_TYPE', { 'content-type': 'text/plain' }),
  raw('an oversized body', `{"keyId":"${'x'.repeat(600_000)}"}`, 413, 'BODY_TOO_LARGE'),
  post('an unknown field', SIGNING, { keyId: 'main', payload, extra: 1 }, 400, 'UNKNOWN_FIELD'),
  post('an unknown field inside', SIGNING, { keyId: 'main', payload: { ...payload, chain: 1 } }, 400, 'UNKNOWN_FIELD'),
  post('a missing field', SIGNING, { payload }, 400, 'BAD_BODY'),
  post('a wrong type', SIGNING, { keyId: 7, payload }, 400, 'BAD_BODY'),
  post('null', SIGNING, null, 400, 'BAD_BODY'),
  post('an array', SIGNING, [], 400, 'BAD_BODY'),
  post('a deadline out of bounds', SIGNING, { keyId: 'main', payload, deadlineMs: 1 }, 400, 'BAD_BODY'),
  post('an unknown query parameter', `${SIGNING}?dry=1`, { keyId: 'main', payload }, 400, 'UNKNOWN_FIELD'),
  post('an unknown key', SIGNING, { keyId: 'other', payload }, 404, 'KEY_NOT_FOUND'),
  post('a key id that is none', SIGNING, { keyId: 'Main!', payload }, 400, 'BAD_KEY_ID'),
  post('hex without 0x', SIGNING, tx('02aa'), 400, 'BAD_HEX'),
  post('odd hex', SIGNING, tx('0x02a'), 400, 'BAD_HEX'),
  post('no hex', SIGNING, tx('0xzz'), 400, 'BAD_HEX'),
  post('no bytes', SIGNING, tx('0x'), 400, 'BAD_HEX'),
  post('a payload that is too large', SIGNING, tx(`0x${'02'.repeat(128 * 1024 + 1)}`), 413, 'PAYLOAD_TOO_LARGE'),
  post('an undecodable payload', SIGNING, tx('0x02deadbeef'), 400, 'PAYLOAD_UNDECODABLE'),
  post('a legacy transaction', SIGNING, tx('0xc0'), 400, 'PAYLOAD_UNDECODABLE'),
  post(
    'a payload type without decoder',
    SIGNING,
    { keyId: 'main', payload: { type: 'sol.tx', bytes: '0x00' } },
    400,
    'UNKNOWN_PAYLOAD_TYPE',
  ),
  post(
    'a payload type of the prototype',
    SIGNING,
    { keyId: 'main', payload: { type: 'constructor', bytes: '0x00' } },
    400,
    'UNKNOWN_PAYLOAD_TYPE',
  ),
  post('a new key with a bad id', KEYS, { keyId: '../etc' }, 400, 'BAD_KEY_ID'),
  post('a new key that exists', KEYS, { keyId: 'main' }, 409, 'KEY_EXISTS'),
  post('a quorum of fewer nodes than the lock asks for', KEYS, { keyId: 'b', quorum: { required: 2, of: 5 } }, 400, 'BAD_THRESHOLD'),
  post('a quorum of more nodes than there are', KEYS, { keyId: 'b', quorum: { required: 6, of: 5 } }, 400, 'BAD_THRESHOLD'),
  post('a quorum of other nodes', KEYS, { keyId: 'b', quorum: { required: 3, of: 4 } }, 400, 'BAD_THRESHOLD'),
  { name: 'no Idempotency-Key', method: 'POST', path: KEYS, call: { body: { keyId: 'b' } }, status: 400, code: 'IDEMPOTENCY_KEY_REQUIRED' },
  {
    ...{ name: 'an Idempotency-Key that is too long', method: 'POST', path: KEYS, status: 400, code: 'BAD_IDEMPOTENCY_KEY' },
    call: { body: { keyId: 'b' }, headers: { 'idempotency-key': 'x'.repeat(129) } },
  },
  get('an unknown route', '/v1/nothing', 404, 'ROUTE_NOT_FOUND'),
  get('an unknown key', `${KEYS}/other`, 404, 'KEY_NOT_FOUND'),
  get('a key of the prototype', `${KEYS}/constructor`, 404, 'KEY_NOT_FOUND'),
  get('an unknown operation', '/v1/operations/x', 404, 'OPERATION_NOT_FOUND'),
  get('an unknown signing request', `${SIGNING}/${UNKNOWN_ID}`, 404, 'REQUEST_NOT_FOUND'),
  get('a bad cursor', `${SIGNING}?cursor=abc`, 400, 'BAD_CURSOR'),
  get('a page that is too large', `${SIGNING}?limit=1000`, 400, 'BAD_QUERY'),
  get('a wait that is too long', `${SIGNING}/${UNKNOWN_ID}?waitMs=30001`, 400, 'BAD_QUERY'),
  get('an unknown query parameter', `${KEYS}?x=1`, 400, 'UNKNOWN_FIELD'),
  get('a path that is no URL', '/v1/keys/%zz', 400, 'BAD_PATH'),
  ...['0', '6', '01', 'x', '-1'].map((i) => get(`a node ${i} that there is not`, `/v1/nodes/${i}`, 404, 'NODE_NOT_FOUND')),
  get('a path part that is too long', `/v1/keys/${'a'.repeat(300)}`, 400, 'BAD_PATH'),
  { name: 'cancel of an unknown request', method: 'POST', path: `${SIGNING}/${UNKNOWN_ID}:cancel`, status: 404, code: 'REQUEST_NOT_FOUND' },
  { name: 'another verb on a request', method: 'POST', path: `${SIGNING}/${UNKNOWN_ID}:sign`, status: 405, code: 'METHOD_NOT_ALLOWED' },
  ...(
    [
      KEYS,
      `${KEYS}/main`,
      '/v1/operations/x',
      SIGNING,
      `${SIGNING}/x`,
      `${SIGNING}/${UNKNOWN_ID}:cancel`,
      '/v1/nodes',
      '/v1/nodes/1',
    ] as const
  ).map((path): Refused => ({ name: 'a wrong method', method: 'DELETE', path, status: 405, code: 'METHOD_NOT_ALLOWED' })),
]

describe('coordinator HTTP', () => {
  let h: Harness
  before(async () => {
    h = await Harness.start()
  })
  after(() => h[Symbol.asyncDispose]())

  for (const { name, method, path, call, status, code } of REFUSED) {
    it(`${name}: ${method} ${path.slice(0, 60)} is ${status} ${code}`, async () => {
      const answer = await h.call(method, path, call)
      expect(answer.body, JSON.stringify(answer.body)).include({ code, status, type: `urn:conclave:problem:${code}` })
      expect(answer.status).equal(status)
      expect(answer.body).have.keys(['type', 'title', 'status', 'code', 'detail', 'retriable', 'requestId'])
      expect(answer.headers.get('content-type')).equal('application/problem+json; charset=utf-8')
      expect(answer.headers.get('x-request-id')).match(/^[0-9a-f]{16}$/)
      expect(JSON.stringify(answer.body)).not.match(/\.ts|node_modules|\\n\s+at /)
      if (status === 405) expect(answer.headers.get('allow')).match(/GET|POST/)
    })
  }

  it('nothing of all that was an unforeseen error', () => {
    expect(h.log.filter((line) => line.includes('unforeseen'))).deep.equal([])
  })

  it('bytes that are not HTTP get a problem too', async () => {
    const { port } = new URL(h.coordinator?.url as string)
    const socket = connect(Number(port), '127.0.0.1')
    socket.end('GARBAGE\r\n\r\n')
    let text = ''
    for await (const chunk of socket) text += chunk
    expect(text).match(/^HTTP\/1\.1 400 /)
    expect(JSON.parse(text.split('\r\n\r\n')[1] as string)).include({ code: 'BAD_REQUEST' })
  })

  it('without a valid API key every route of the API is closed, also those that do not exist', async () => {
    const wrong: readonly Call[] = [
      { as: null },
      { as: null, headers: { authorization: `Bearer ${API_KEYS.admin}x` } },
      { as: null, headers: { authorization: `Basic ${API_KEYS.admin}` } },
      { as: null, headers: { authorization: 'Bearer ' } },
    ]
    for (const call of wrong) {
      for (const path of [KEYS, SIGNING, '/v1/nodes', '/v1/nothing', '/']) {
        const answer = await h.get(path, call)
        expect(answer.status, path).equal(401)
        expect(answer.body.code).equal('UNAUTHENTICATED')
        expect(answer.headers.get('www-authenticate')).equal('Bearer')
      }
    }
    expect((await h.call('POST', KEYS, { as: null, raw: '{', headers: withKey })).body.code).equal('UNAUTHENTICATED')
  })

  it('roles: a viewer reads, a requester asks for signatures, an admin makes keys', async () => {
    for (const as of ['viewer', 'requester', 'admin'] as const) {
      for (const path of [KEYS, `${KEYS}/main`, SIGNING, '/v1/nodes'])
        expect((await h.get(path, { as })).status, `${as} ${path}`).equal(200)
      const signing = await h.post<ProblemAnswer>(SIGNING, { keyId: 'main', payload }, { as })
      expect(signing.status, as).equal(as === 'viewer' ? 403 : 201)
      const key = await h.post<ProblemAnswer>(KEYS, { keyId: 'main' }, { as })
      expect(key.status, as).equal(as === 'admin' ? 409 : 403)
      const cancel = await h.call('POST', `${SIGNING}/${UNKNOWN_ID}:cancel`, { as })
      expect(cancel.status, as).equal(as === 'viewer' ? 403 : 404)
    }
    expect((await h.post(KEYS, { keyId: 'x' }, { as: 'viewer' })).body.code).equal('FORBIDDEN')
  })

  it('the list of requests is paged, newest first', async () => {
    const ids = [await h.request(101), await h.request(102), await h.request(103)]
    interface List {
      readonly items: readonly SigningBody[]
      readonly nextCursor: string | null
    }
    const first = (await h.get<List>(`${SIGNING}?limit=2`)).body
    expect(first.items.map((r) => r.requestId)).deep.equal([ids[2], ids[1]])
    const second = (await h.get<List>(`${SIGNING}?limit=2&cursor=${first.nextCursor}`)).body
    expect(second.items[0]?.requestId).equal(ids[0])
    const all = (await h.get<List>(`${SIGNING}?limit=200`)).body
    expect(all.nextCursor).equal(null)
    expect(new Set(all.items.map((r) => r.requestId)).size).equal(all.items.length)
  })

  it('nodes: links and what each node reports', async () => {
    const { items } = (await h.get<{ items: readonly NodeBody[] }>('/v1/nodes')).body
    expect(items.map((n) => n.name)).deep.equal(['zurich', 'oslo', 'madrid', 'tokyo', 'quito'])
    expect(items[0]?.link.up).equal(true)
    expect(items[0]?.status).include({ hsmOk: true, version: 'fake', bytesSent: 1024 })
    expect(items[0]?.status?.keys[0]).include({ keyId: 'main', state: 'active' })
    expect(items[0]?.status?.pairs).lengthOf(4)
    expect(items[0]?.status?.pairs[0]).deep.equal({ peer: 2, pairEpoch: 1, state: 'ready', code: null, stock: 9 })
    expect(items[0]?.status?.pool).deep.equal(h.cluster.node(1).status().pool)
  })

  it('health needs no key; ready when a quorum is connected', async () => {
    await using other = await Harness.start()
    expect((await other.get<unknown>('/healthz', { as: null })).body).deep.equal({ status: 'ok' })
    expect((await other.get<unknown>('/readyz', { as: null })).body).deep.equal({ status: 'ready', nodesUp: 5, nodesNeeded: 3 })
    for (const i of [1, 2, 3]) other.cluster.node(i).kill()
    await eventually(async () => (await other.get('/readyz', { as: null })).status === 503)
    const { body, headers } = await other.get('/readyz', { as: null })
    expect(body).include({ code: 'NOT_READY', retriable: true })
    expect(headers.get('retry-after')).equal('1')
  })

  it('no API key in any log line', async () => {
    expect(h.log.length).above(80)
    for (const key of Object.values(API_KEYS)) expect(h.log.filter((line) => line.includes(key))).deep.equal([])
    expect(h.log.filter((line) => /authorization|bearer/i.test(line))).deep.equal([])
    expect(h.log.some((line) => line.includes('"caller":"requester"'))).equal(true)
  })
})
