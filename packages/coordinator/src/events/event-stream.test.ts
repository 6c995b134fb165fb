import { expect } from 'chai'
import { sqlOf } from '../database/database.ts'
import { EventReader } from '../testing/event-reader.ts'
import { eventually, Harness } from '../testing/harness.ts'
import { HEARTBEAT_MS } from './event-stream.ts'

describe('event streams', () => {
  let h: Harness
  beforeEach(async () => {
    h = await Harness.start()
  })
  afterEach(() => h[Symbol.asyncDispose]())

  it('of a request: everything from its beginning to its end, each change once, and then it ends', async () => {
    const id = await h.request()
    await using live = await EventReader.open(h, `/v1/signing-requests/${id}/events`)
    expect([live.status, live.headers.get('content-type')]).deep.equal([200, 'text/event-stream'])
    await eventually(() => live.isEnded)
    expect(live.types.at(0)).equal('created')
    expect(live.types.at(-1)).equal('signed')
    expect(live.types.filter((type, i) => type === live.types[i + 1])).deep.equal([])
    const { signature, digest } = await h.signing(id)
    const last = live.events.at(-1)
    expect(last).include({ subject: id, keyId: 'main' })
    const { signatures } = (last?.data ?? {}) as { signatures?: object[] }
    expect(signatures?.[0]).include({ signature, digest })
    // The same events under the same ids, when all is over.
    await using later = await EventReader.open(h, `/v1/signing-requests/${id}/events`)
    await eventually(() => later.isEnded)
    expect(later.events).deep.equal(live.events)
    const missing = await h.get(`/v1/signing-requests/${'0'.repeat(64)}/events`)
    expect([missing.status, missing.body.code]).deep.equal([404, 'REQUEST_NOT_FOUND'])
  })

  it('of everything: begins now, goes on after Last-Event-ID without a gap, and takes filters', async () => {
    await h.ended(await h.request(1))
    await using now = await EventReader.open(h, '/v1/events?type=signing_request.*')
    await eventually(() => now.comments > 0)
    const second = await h.request(2)
    await eventually(() => now.types.includes('signed'))
    expect(new Set(now.events.map((e) => e.subject))).deep.equal(new Set([second]))
    await using all = await EventReader.open(h, '/v1/events?from=oldest')
    await eventually(() => all.events.filter((e) => e.type === 'signing_request.signed').length === 2)
    expect(all.events.map((e) => e.type)).include('key.active')
    const middle = all.events.at(3)?.id ?? ''
    await using resumed = await EventReader.open(h, '/v1/events', { 'last-event-id': middle })
    await eventually(() => resumed.events.length === all.events.length - 4)
    expect(resumed.events).deep.equal(all.events.slice(4))
    await using one = await EventReader.open(h, '/v1/events?from=oldest&type=key.active&type=signing_request.created&keyId=main')
    await eventually(() => one.events.length === 3)
    expect(one.events.map((e) => e.type)).deep.equal(['key.active', 'signing_request.created', 'signing_request.created'])
    await using none = await EventReader.open(h, '/v1/events?from=oldest&keyId=other')
    await eventually(() => none.comments > 0)
    expect(none.events).deep.equal([])
    expect((await h.get('/v1/events', { headers: { 'last-event-id': 'evt_0' } })).body.code).equal('EVENT_NOT_FOUND')
    expect((await h.get('/v1/events?type=signing')).body.code).equal('BAD_QUERY')
  })

  it('a comment says that the connection stands, when nothing else does', async () => {
    await using idle = await EventReader.open(h, '/v1/events')
    await eventually(() => idle.comments === 1)
    await h.passing(5_000, () => idle.comments === 3)
    expect(h.clock.nowMs() - Date.UTC(2026, 0, 1)).least(2 * HEARTBEAT_MS)
    expect(idle.events).deep.equal([])
  })

  it('a key has so many streams and no more, and one that ends makes room', async () => {
    h.settings = { ...h.settings, events: { keepDays: 30, streamsPerKey: 2 } }
    await h.stop()
    await h.run()
    const first = await EventReader.open(h, '/v1/events')
    await using second = await EventReader.open(h, '/v1/events')
    await eventually(() => first.comments + second.comments === 2)
    const refused = await h.get('/v1/events', { as: 'viewer' })
    expect([refused.status, refused.body.code]).deep.equal([429, 'TOO_MANY_STREAMS'])
    await using other = await EventReader.open(h, '/v1/events', { authorization: 'Bearer admin-key-0123456789' })
    expect(other.status).equal(200)
    await first[Symbol.asyncDispose]()
    await eventually(async () => {
      await using again = await EventReader.open(h, '/v1/events')
      return again.status === 200
    })
  })

  it('a drain ends streams when what is being signed has ended, and lets in no new ones', async () => {
    await using stream = await EventReader.open(h, '/v1/events')
    const id = await h.request()
    await h.coordinator?.drain()
    await eventually(() => stream.isEnded)
    expect(stream.events.at(-1)).include({ type: 'signing_request.signed', subject: id })
    expect((await h.get('/v1/events')).body.code).equal('DRAINING')
  })

  it('a client that takes nothing is dropped', async () => {
    const data = JSON.stringify({ filler: 'x'.repeat(100_000) })
    const rows = Array.from({ length: 200 }, (_, n) => ({ tenant: 'main', type: 'node.able', subject: `node ${n}`, key_id: null, data }))
    await h.database.run([sqlOf.insertInto('event').values(rows).compile()])
    const abort = new AbortController()
    const headers = { authorization: 'Bearer viewer-key-0123456789' }
    const response = await fetch(`${h.coordinator?.url}/v1/events?from=oldest`, { headers, signal: abort.signal })
    await h.passing(60_000, () => h.log.some((line) => line.includes('dropped a stream')))
    const taken = await response.arrayBuffer().catch((error: Error) => error.message)
    expect(taken).not.instanceOf(ArrayBuffer)
  })
})
