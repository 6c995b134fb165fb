import { connect } from 'node:net'
import { expect } from 'chai'
import { useSharedCluster } from '../rig/cluster.ts'
import { expectHealthy, STACK } from '../rig/health.ts'
import { createKey, payload, signOnce, transfer } from '../rig/signing.ts'

interface Call {
  readonly method?: string
  readonly path: string
  readonly body?: string
  /** Of the usual headers, null leaves one out. */
  readonly headers?: Readonly<Record<string, string | null>>
}

const SIGN = '/v1/signing-requests'
const KEYS = '/v1/keys'
const post = (path: string, body: unknown, headers: Call['headers'] = {}): Call => ({
  method: 'POST',
  path,
  headers,
  body: typeof body === 'string' ? body : JSON.stringify(body),
})
const sign = (changes: object) => post(SIGN, { keyId: 'good', payload: payload(), ...changes })
const signing = (bytes: string, type = 'evm.tx') => sign({ payload: { type, bytes } })

/** What is sent, and how it is refused. */
const REFUSED: readonly (readonly [string, Call, number, string])[] = [
  ['malformed JSON', post(SIGN, '{"keyId": '), 400, 'BAD_JSON'],
  ['JSON with a prototype in it', post(SIGN, '{"__proto__": {"keyId": "good"}}'), 400, 'BAD_JSON'],
  ['an empty body', post(SIGN, ''), 400, 'BAD_JSON'],
  ['bytes that are not text', post(SIGN, '\u0000\u0001\ufffd'), 400, 'BAD_JSON'],
  ['a body that is no object', post(SIGN, '[]'), 400, 'BAD_BODY'],
  ['a wrong type', sign({ keyId: 7 }), 400, 'BAD_BODY'],
  ['a missing field', post(SIGN, { keyId: 'good' }), 400, 'BAD_BODY'],
  [
    'a wrong content type',
    post(SIGN, 'keyId=good', { 'content-type': 'application/x-www-form-urlencoded' }),
    415,
    'UNSUPPORTED_MEDIA_TYPE',
  ],
  ['an oversized body', post(SIGN, `{"keyId": "${'x'.repeat(600_000)}"}`), 413, 'BODY_TOO_LARGE'],
  ['an oversized payload', signing(`0x${'00'.repeat(200_000)}`), 413, 'PAYLOAD_TOO_LARGE'],
  ['an unknown field', sign({ urgent: true }), 400, 'UNKNOWN_FIELD'],
  ['an unknown query parameter', { path: `${KEYS}?all=1` }, 400, 'UNKNOWN_FIELD'],
  ['a wrong query parameter', { path: `${SIGN}?limit=0` }, 400, 'BAD_QUERY'],
  ['an invented cursor', { path: `${SIGN}?cursor=x` }, 400, 'BAD_CURSOR'],
  ['an unknown key, to sign', sign({ keyId: 'nobody' }), 404, 'KEY_NOT_FOUND'],
  ['an unknown key, to see', { path: `${KEYS}/nobody` }, 404, 'KEY_NOT_FOUND'],
  ['an unknown operation', { path: '/v1/operations/00' }, 404, 'OPERATION_NOT_FOUND'],
  ['an unknown request', { path: `${SIGN}/00` }, 404, 'REQUEST_NOT_FOUND'],
  ['a request to cancel that is unknown', post(`${SIGN}/00:cancel`, '{}'), 404, 'REQUEST_NOT_FOUND'],
  ['an undecodable payload', signing('0xc0ffee'), 400, 'PAYLOAD_UNDECODABLE'],
  ['a transaction with a byte too many', signing(`${transfer()}00`), 400, 'PAYLOAD_UNDECODABLE'],
  ['a payload that is not hex', signing('0xzz'), 400, 'BAD_HEX'],
  ['an unknown payload type', signing(transfer(), 'sol.tx'), 400, 'UNKNOWN_PAYLOAD_TYPE'],
  ['a payload beside items', sign({ items: [{ payload: payload() }] }), 400, 'BAD_BODY'],
  ['a request for nothing', post(SIGN, { keyId: 'good', items: [] }), 400, 'BAD_BODY'],
  [
    'a second item that is not hex',
    post(SIGN, { keyId: 'good', items: [{ payload: payload() }, { payload: payload('0xzz') }] }),
    400,
    'BAD_HEX',
  ],
  ['a deadline that is none', sign({ deadlineMs: -1 }), 400, 'BAD_BODY'],
  ['a key id that is none', post(KEYS, { keyId: '../../etc' }), 400, 'BAD_KEY_ID'],
  ['a quorum of one', post(KEYS, { keyId: 'weak', quorum: { required: 1, of: 3 } }), 400, 'BAD_THRESHOLD'],
  ['a key that exists', post(KEYS, { keyId: 'good' }), 409, 'KEY_EXISTS'],
  ['no API key', { path: KEYS, headers: { authorization: null } }, 401, 'UNAUTHENTICATED'],
  ['a wrong API key', { path: KEYS, headers: { authorization: 'Bearer wrong' } }, 401, 'UNAUTHENTICATED'],
  ['another kind of authorization', { path: KEYS, headers: { authorization: 'Basic YTpi' } }, 401, 'UNAUTHENTICATED'],
  ['an unknown route', { path: '/v1/shares' }, 404, 'ROUTE_NOT_FOUND'],
  ['an unknown route without a key', { path: '/v1/shares', headers: { authorization: null } }, 401, 'UNAUTHENTICATED'],
  ['a path that is no URL', { path: '/v1/keys/%zz' }, 400, 'BAD_PATH'],
  ['a method that a route does not have', { method: 'DELETE', path: `${KEYS}/good` }, 405, 'METHOD_NOT_ALLOWED'],
  ['no Idempotency-Key', post(SIGN, { keyId: 'good', payload: payload() }, { 'idempotency-key': null }), 400, 'IDEMPOTENCY_KEY_REQUIRED'],
  [
    'an Idempotency-Key with a space',
    post(SIGN, { keyId: 'good', payload: payload() }, { 'idempotency-key': 'a b' }),
    400,
    'BAD_IDEMPOTENCY_KEY',
  ],
]

/** Bytes that are no HTTP at all, and what must come back: a problem, or nothing. */
const BROKEN: readonly (readonly [string, string | Buffer])[] = [
  ['a line of noise', 'hello\r\n\r\n'],
  ['a TLS hello', Buffer.from('16030100a5010000a10303', 'hex')],
  ['a header without end', `GET /healthz HTTP/1.1\r\nx: ${'y'.repeat(100_000)}`],
  ['two different lengths', 'POST /v1/keys HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab'],
  ['a chunk that is none', 'POST /v1/keys HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n'],
]

describe('bad input over HTTP', () => {
  const rig = useSharedCluster()
  const keyId = 'good'
  let publicKey: string
  let pids: ReadonlyMap<string, number>

  before(async () => {
    publicKey = await createKey(rig(), keyId)
    pids = rig().cluster.pids()
  })

  afterEach(() => expectHealthy(rig(), pids))

  async function send({ method = 'GET', path, body, headers = {} }: Call): Promise<Response> {
    const { url, apiKey } = rig().cluster
    const usual: Call['headers'] = { authorization: `Bearer ${apiKey}`, 'idempotency-key': crypto.randomUUID() }
    const all = { ...usual, ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers }
    const sent = Object.entries(all).flatMap(([k, v]) => (v === null ? [] : [[k, v] as [string, string]]))
    return fetch(url + path, { method, headers: sent, ...(body === undefined ? {} : { body }) })
  }

  for (const [what, call, status, code] of REFUSED) {
    it(`http: ${what} is ${status} ${code}`, async () => {
      const response = await send(call)
      const text = await response.text()
      expect(text).not.to.match(STACK)
      expect(text).not.to.match(/\.ts|node_modules/)
      const problem = JSON.parse(text)
      expect([response.status, problem.status, problem.code], text).to.deep.equal([status, status, code])
      expect(response.headers.get('content-type')).to.match(/^application\/problem\+json/)
      expect(problem.type).to.equal(`urn:conclave:problem:${code}`)
      expect(problem.detail).to.be.a('string').with.length.above(0)
    })
  }

  for (const [what, bytes] of BROKEN) {
    it(`http: ${what} costs its own connection only`, async () => {
      const { port } = new URL(rig().cluster.url)
      const socket = connect(Number(port), '127.0.0.1')
      const read: Buffer[] = []
      socket.on('data', (chunk) => read.push(chunk))
      // A reset is as good an end as any.
      socket.on('error', () => undefined)
      socket.end(bytes)
      await new Promise((resolve) => socket.once('close', resolve))
      const text = Buffer.concat(read).toString()
      expect(text).not.to.match(STACK)
      if (text !== '') expect(text).to.match(/^HTTP\/1\.1 4\d\d /)
    })
  }

  it('http: a transfer on another chain is denied by the nodes with CHAIN_NOT_ALLOWED', async () => {
    const { client } = rig().cluster
    const { requestId } = await client.requestSignature({ keyId, payload: payload(transfer({ chainId: 1n })) })
    const { state, error, nodeVerdicts, signature } = await client.settled(requestId)
    expect([state, error?.code, signature]).to.deep.equal(['denied', 'POLICY_DENIED', null])
    expect(nodeVerdicts.filter((v) => !v.allowed).map((v) => v.code)).to.include('CHAIN_NOT_ALLOWED')
  })

  it('http: an idempotency key with another body is IDEMPOTENCY_CONFLICT', async () => {
    const headers = { 'idempotency-key': 'twice' }
    expect((await send(post(SIGN, { keyId, payload: payload() }, headers))).status).to.equal(201)
    const second = await send(post(SIGN, { keyId, payload: payload() }, headers))
    const problem = (await second.json()) as { readonly code: string }
    expect([second.status, problem.code]).to.deep.equal([409, 'IDEMPOTENCY_CONFLICT'])
  })
  it('http: after all of it a signature is made as before', async () => {
    await signOnce(rig(), { keyId, publicKey })
  })
})
