import { ConclaveError, type NodeMember, tagged, utf8 } from '@conclave/core'
import type { Transport } from '@conclave/transport'
import { decode, encode, Frame, Response } from '@conclave/wire'
import { type AnswerKind, NodeCalls, OPEN_CALLS_MAX } from './node-calls.ts'
import { parseCoordinatorSettings } from './settings.ts'
import { type Call, FakeClock, FakeCluster, Harness, type ProblemAnswer, payment } from './testing/harness.ts'
import { sharedController } from './wait.ts'

const textOf = (input: Uint8Array) => new TextDecoder().decode(input)
const hash = tagged('fuzz')

const SETTINGS = `cluster: { lock: ./cluster.lock.json }
coordinator: { name: hub, identity: { file: ./identity } }
http: { listen: 127.0.0.1:8080 }
p2p: { listen: [/ip4/0.0.0.0/tcp/9100] }
store: { path: ./store }
api:
  keys:
    - { name: ops, role: admin, sha256: ${'ab'.repeat(32)} }
    - { name: view, role: viewer, sha256: ${'cd'.repeat(32)} }
signing:
  parallel: 2
`

const SIGNED = { digest: hash, signature: new Uint8Array(64), recovery: 1 }
const ANSWERS: readonly Response['body'][] = [
  { signed: { requestId: hash, items: [SIGNED, SIGNED], bytesSent: 9 } },
  { verdict: { requestId: hash, allowed: true, code: 'ALLOWED', reason: 'r', rule: 'pay', digests: [hash, hash], statement: hash } },
  { failure: { code: 'OT_CHECK', message: 'm', retriable: false, culprits: [2], waitingFor: [] } },
  { keyCreated: { keyId: 'k', publicKey: new Uint8Array(33), chainCode: hash, epoch: 0 } },
]
const KINDS: readonly AnswerKind[] = ['signed', 'verdict', 'keyCreated', 'status']

/** Answers of a node to calls of every kind that are open; what it says may be false, but is a code, and an answer to what was asked. */
async function startAnswers() {
  const { lock } = await FakeCluster.start()
  const [node, other] = lock.nodes as readonly [NodeMember, NodeMember]
  const clock = new FakeClock()
  const ids: number[] = []
  const transport: Pick<Transport, 'send'> = {
    send: (_to, frame) => {
      const { body } = decode(Frame, frame)
      if ('request' in body) ids.push(body.request.id)
    },
  }
  const run = async (input: Uint8Array) => {
    const calls = new NodeCalls(transport as Transport, clock)
    ids.length = 0
    const options = { timeoutMs: 1000, signal: sharedController().signal }
    const open = KINDS.map((kind) => calls.call(node, { status: {} }, kind, options).catch((error: unknown) => error))
    const response = decode(Response, input)
    calls.answered(other, { ...response, id: ids[0] as number })
    calls.answered(node, response)
    for (const id of ids) calls.answered(node, { ...response, id })
    for (const outcome of await Promise.all(open)) {
      if (outcome instanceof ConclaveError ? !/^[A-Z][A-Z0-9_]{0,63}$/.test(outcome.code) : outcome instanceof Error)
        throw new Error('not a typed failure', { cause: outcome })
    }
    if (calls.openTowards(node) !== 0 || calls.openTowards(other) > OPEN_CALLS_MAX) throw new Error('a call stays open')
  }
  return { seeds: ANSWERS.map((body) => encode(Response, { id: 1, body })), run }
}

const CALLS = [
  {
    method: 'POST',
    path: '/v1/signing-requests',
    body: { keyId: 'main', payload: { type: 'evm.tx', bytes: payment() }, deadlineMs: 60000 },
  },
  {
    method: 'POST',
    path: '/v1/signing-requests',
    body: {
      keyId: 'main',
      items: [
        { payload: { type: 'evm.tx', bytes: payment() }, derivationPath: 'm/0/5' },
        { payload: { type: 'evm.tx', bytes: payment(1) } },
      ],
    },
  },
  { method: 'POST', path: '/v1/keys', body: { keyId: 'main', quorum: { required: 3, of: 5 } } },
  { method: 'POST', path: `/v1/signing-requests/${'ab'.repeat(32)}:cancel` },
  { method: 'GET', path: '/v1/signing-requests?limit=2&cursor=0000000000000001' },
  { method: 'GET', path: `/v1/signing-requests/${'ab'.repeat(32)}?waitMs=1` },
  { method: 'GET', path: '/v1/keys/main' },
  { method: 'GET', path: '/v1/operations/x?waitMs=1' },
  { method: 'GET', path: '/v1/nodes' },
]
const METHODS = new Set(['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])
const WAITS = /waitMs=[0-9]{3}/

/** `{method, path, body, headers}` against a real HTTP server; whatever comes is answered, and refused with a problem document. */
async function startHttp() {
  const harness = await Harness.start()
  let seen = harness.log.length
  const run = async (input: Uint8Array) => {
    let call: { method?: unknown; path?: unknown; body?: unknown }
    try {
      call = JSON.parse(textOf(input)) ?? {}
    } catch {
      call = { method: 'POST', path: '/v1/signing-requests', body: undefined }
    }
    const method = METHODS.has(String(call.method)) ? String(call.method) : 'POST'
    const path = new URL(
      encodeURI(`/${String(call.path).replace(/^\//, '')}`.slice(0, 2000).toWellFormed()).replace(WAITS, 'waitMs=1'),
      'http://x',
    )
    const hasBody = method !== 'GET' && method !== 'OPTIONS' && call.body !== undefined
    const sent: Call = hasBody ? { raw: JSON.stringify(call.body), headers: { 'idempotency-key': `f${seen}` } } : {}
    const answer = await harness.call<ProblemAnswer>(method, path.pathname + path.search, sent)
    if (answer.status >= 500) throw new Error(`${answer.status} ${JSON.stringify(answer.body)}`)
    if (answer.status >= 400 && !/^[A-Z][A-Z0-9_]+$/.test(answer.body.code)) throw new Error('not a problem document')
    if (harness.log.slice(seen).some((line) => line.includes('unforeseen'))) throw new Error('an unforeseen error in the log')
    seen = harness.log.length
  }
  return { seeds: CALLS.map((call) => utf8(JSON.stringify(call))), run, stop: () => harness[Symbol.asyncDispose]() }
}

export const TARGETS = [
  {
    ...{ name: 'coordinator.settings', kind: 'text', runs: 300, codes: /^BAD_SETTINGS$/ },
    start: () => ({ seeds: [utf8(SETTINGS)], run: (input: Uint8Array) => parseCoordinatorSettings(textOf(input), '/etc') }),
  },
  { name: 'coordinator.answer', kind: 'message', runs: 300, codes: /^WIRE_DECODE$/, start: startAnswers },
  { name: 'coordinator.http', kind: 'json', runs: 300, codes: /^$/, start: startHttp },
]
