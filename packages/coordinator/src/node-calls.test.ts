import { codeOf, type NodeMember, TransportError } from '@conclave/core'
import type { Transport } from '@conclave/transport'
import { decode, Frame, type Request } from '@conclave/wire'
import { expect } from 'chai'
import { NodeCalls, NodeFailure, OPEN_CALLS_MAX } from './node-calls.ts'
import { FakeClock, FakeCluster } from './testing/harness.ts'
import { sharedController } from './wait.ts'

const REQUEST_ID = new Uint8Array(32).fill(7)
const item = { digest: REQUEST_ID, signature: new Uint8Array(64), recovery: 0 }
const signed = { requestId: REQUEST_ID, items: [item], bytesSent: 0 }
const sign: Request['body'] = { sign: { requestId: REQUEST_ID, attempt: 1, signers: [1, 2, 3], epoch: 0 } }

async function codeFrom(action: Promise<unknown>): Promise<string> {
  return action.then(
    () => 'ANSWERED',
    (error) => codeOf(error),
  )
}

describe('NodeCalls', () => {
  let node: NodeMember
  let other: NodeMember
  let sent: { readonly to: string; readonly request: Request }[]
  let clock: FakeClock
  let calls: NodeCalls
  let refuses: boolean

  const call = (timeoutMs = 1000, signal = sharedController().signal) => calls.call(node, sign, 'signed', { timeoutMs, signal })
  const lastId = () => sent.at(-1)?.request.id as number

  beforeEach(async () => {
    const { lock } = await FakeCluster.start()
    ;[node, other] = lock.nodes as [NodeMember, NodeMember]
    sent = []
    refuses = false
    clock = new FakeClock()
    const transport: Pick<Transport, 'send'> = {
      send(to, frame) {
        if (refuses) throw new TransportError('PEER_UNREACHABLE', 'down', { retriable: true })
        const { body } = decode(Frame, frame)
        if ('request' in body) sent.push({ to: to.name, request: body.request })
      },
    }
    calls = new NodeCalls(transport as Transport, clock)
  })

  it('an answer goes to the request of its id', async () => {
    const [first, second] = [call(), call()]
    const [a, b] = sent.map((s) => s.request.id) as [number, number]
    expect(a).not.equal(b)
    calls.answered(node, { id: b, body: { signed: { ...signed, bytesSent: 1 } } })
    calls.answered(node, { id: a, body: { signed } })
    expect((await first).bytesSent).equal(0)
    expect((await second).bytesSent).equal(1)
    expect(clock.timers).equal(0)
  })

  it('an answer of another node, a repeated one and an invented one are dropped', async () => {
    const answer = call()
    const id = lastId()
    expect(calls.answered(other, { id, body: { signed } })).equal(false)
    expect(calls.answered(node, { id: id + 1, body: { signed } })).equal(false)
    expect(calls.answered(node, { id, body: { signed } })).equal(true)
    expect(calls.answered(node, { id, body: { signed: { ...signed, bytesSent: 1 } } })).equal(false)
    expect((await answer).bytesSent).equal(0)
  })

  it('no answer in time is a timeout, and a late one is dropped', async () => {
    const code = codeFrom(call(1000))
    clock.advance(1000)
    expect(await code).equal('NODE_TIMEOUT')
    expect(calls.answered(node, { id: lastId(), body: { signed } })).equal(false)
  })

  it('a link that goes down fails what is open on it, at once and only on it', async () => {
    const here = codeFrom(call())
    const there = calls.call(other, sign, 'signed', { timeoutMs: 1000, signal: sharedController().signal })
    calls.linkDown(node)
    expect(await here).equal('LINK_DOWN')
    calls.answered(other, { id: lastId(), body: { signed } })
    expect((await there).bytesSent).equal(0)
  })

  it('a failure answer is thrown with its code, and a code that is none is replaced', async () => {
    const failure = { code: 'PAIR_BURNED', message: 'm', retriable: true, culprits: [2], waitingFor: [3] }
    const answer = call()
    calls.answered(node, { id: lastId(), body: { failure } })
    const error = await answer.catch((e: unknown) => e)
    expect(error)
      .instanceOf(NodeFailure)
      .include({ code: 'PAIR_BURNED', retriable: true })
      .deep.include({ culprits: [2], waitingFor: [3] })
    const odd = codeFrom(call())
    calls.answered(node, { id: lastId(), body: { failure: { ...failure, code: 'rm -rf /' } } })
    expect(await odd).equal('NODE_FAILURE')
  })

  it('an answer of another kind is BAD_ANSWER', async () => {
    const code = codeFrom(call())
    calls.answered(node, { id: lastId(), body: { pairAccept: { pairEpoch: 1, agreed: true } } })
    expect(await code).equal('BAD_ANSWER')
  })

  it('what cannot be sent, or nobody wants any more, fails at once', async () => {
    refuses = true
    expect(await codeFrom(call())).equal('PEER_UNREACHABLE')
    const controller = new AbortController()
    refuses = false
    const code = codeFrom(call(1000, controller.signal))
    controller.abort()
    expect(await code).equal('CALL_ABORTED')
    expect(await codeFrom(call(1000, controller.signal))).equal('CALL_ABORTED')
    expect(clock.timers).equal(0)
  })

  it('open requests are bounded per node', async () => {
    const open = Array.from({ length: OPEN_CALLS_MAX }, () => codeFrom(call()))
    expect(await codeFrom(call())).equal('TOO_MANY_CALLS')
    calls.linkDown(node)
    expect(new Set(await Promise.all(open))).deep.equal(new Set(['LINK_DOWN']))
  })
})
