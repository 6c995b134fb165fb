import { expect } from 'chai'
import { API_KEY, CannedApi, failureOf, problem } from './canned-api.fixture.ts'
import { type ClientOptions, ConclaveClient } from './client.ts'
import { retryDelayMs } from './connection.ts'

const OPERATION = { status: 202, body: { operationId: 'o' } }
const NODES = { status: 200, body: { items: [1] } }
const NOT_JSON = { status: 503, body: '<html>' }
const clientOf = (url: ClientOptions['url'], options: Partial<ClientOptions> = {}) =>
  new ConclaveClient({ url, apiKey: API_KEY, retryFirstMs: 0, ...options })

/** Where nothing listens. */
async function nowhere(): Promise<string> {
  await using api = await CannedApi.start()
  return api.url
}

describe('calls: retries', () => {
  it('a call that was cut off is made again, with the same idempotency key', async () => {
    await using api = await CannedApi.start('hang up', NOT_JSON, OPERATION)
    await clientOf(api.url).createKey({ keyId: 'main' })
    expect(api.received).lengthOf(3)
    expect(new Set(api.received.map((r) => r.headers['idempotency-key'])).size).equal(1)
  })

  it('a POST without a key is made once, whatever comes of it', async () => {
    for (const reply of ['hang up', NOT_JSON, problem('RATE_LIMITED', 429, true)] as const) {
      await using api = await CannedApi.start(reply)
      const error = await failureOf(clientOf([api.url, api.url]).cancel('r'))
      expect(error).include({ retriable: true, mayHaveArrived: true })
      expect(api.received).lengthOf(1)
    }
  })

  it('an answer of 429 that is not the coordinator is passing', async () => {
    await using api = await CannedApi.start({ status: 429, body: 'slow down', headers: { 'retry-after': '0' } }, NODES)
    expect(await clientOf(api.url).nodes()).deep.equal([1])
  })

  it('no retry begins that would end after the deadline', async () => {
    await using api = await CannedApi.start({ ...problem('RATE_LIMITED', 429, true), headers: { 'retry-after': '9' } })
    const error = await failureOf(clientOf(api.url, { deadlineMs: 8000 }).nodes())
    expect(error).include({ code: 'RATE_LIMITED', retryAfterMs: 9000, requestId: 'r' })
    expect(api.received).lengthOf(1)
  })

  it('the pause doubles up to ten seconds, with half of it left to chance, and is never shorter than was asked for', () => {
    const delays = [0, 1, 2, 9].map((retries) => retryDelayMs({ retries, firstMs: 250, afterMs: 0, random: 0 }))
    expect(delays).deep.equal([250, 500, 1000, 10_000])
    expect(retryDelayMs({ retries: 1, firstMs: 250, afterMs: 0, random: 0.5 })).equal(375)
    expect(retryDelayMs({ retries: 9, firstMs: 250, afterMs: 60_000, random: 0.9 })).equal(60_000)
  })
})

describe('calls: several coordinators', () => {
  it('one that is not there is passed over, also for a POST without a key, and the one that answered is asked first from then on', async () => {
    await using api = await CannedApi.start({ status: 200, body: { state: 'cancelled' } })
    const client = clientOf([await nowhere(), api.url], { retriesMax: 0 })
    await client.cancel('r')
    await client.cancel('r')
    expect(api.received.map((r) => r.url)).deep.equal(Array(2).fill('/v1/signing-requests/r:cancel'))
  })

  it('one that says that it cannot serve is passed over; a refusal is final', async () => {
    await using stopping = await CannedApi.start(problem('STOPPING', 503, true))
    await using refusing = await CannedApi.start(problem('KEY_EXISTS', 409, false))
    const client = clientOf([stopping.url, refusing.url])
    expect((await failureOf(client.createKey({ keyId: 'main' }))).code).equal('KEY_EXISTS')
    expect([stopping.received.length, refusing.received.length]).deep.equal([1, 1])
    const keys = [...stopping.received, ...refusing.received].map((r) => r.headers['idempotency-key'])
    expect(new Set(keys).size).equal(1)
  })

  it('a refusal, and a limit that this caller has reached, are not asked for elsewhere', async () => {
    for (const reply of [problem('KEY_EXISTS', 409, false), problem('RATE_LIMITED', 429, true)]) {
      await using first = await CannedApi.start(reply)
      await using second = await CannedApi.start(OPERATION)
      await failureOf(clientOf([first.url, second.url], { retriesMax: 1 }).createKey({ keyId: 'main' }))
      expect(second.received).lengthOf(0)
    }
  })

  it('each is asked once in a round', async () => {
    await using first = await CannedApi.start('hang up')
    await using second = await CannedApi.start('hang up')
    expect((await failureOf(clientOf([first.url, second.url], { retriesMax: 2 }).nodes())).code).equal('API_UNREACHABLE')
    expect([first.received.length, second.received.length]).deep.equal([3, 3])
  })

  it('a call that reached nobody says so', async () => {
    expect(await failureOf(clientOf(await nowhere(), { retriesMax: 0 }).nodes())).include({ mayHaveArrived: false, status: 0 })
    await using api = await CannedApi.start('hang up')
    expect(await failureOf(clientOf(api.url, { retriesMax: 0 }).nodes())).include({ mayHaveArrived: true, status: 0 })
  })
})

describe('waiting', () => {
  const state = (text: string) => ({ status: 200, body: { state: text, error: null } })

  it('ends with WAIT_TIMEOUT, which says the state', async () => {
    await using api = await CannedApi.start(state('pending_approval'))
    const error = await failureOf(clientOf(api.url).settled('r', { timeoutMs: 5 }))
    expect(error).include({ code: 'WAIT_TIMEOUT', retriable: true })
    expect(error.message).contain('pending_approval')
  })

  it('a state that is enough ends it, and each state is told once', async () => {
    await using api = await CannedApi.start(...['decoded', 'decoded', 'pending_approval', 'signed'].map(state))
    const seen: string[] = []
    const client = clientOf(api.url)
    const waiting = { until: 'pending_approval', seen: (r: { state: string }) => void seen.push(r.state) } as const
    expect((await client.settled('r', waiting)).state).equal('pending_approval')
    expect(seen).deep.equal(['decoded', 'pending_approval'])
    expect((await client.settled('r')).state).equal('signed')
  })
})
