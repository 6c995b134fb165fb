import { expect } from 'chai'
import { LINKS_GRACE_MS } from './key-driver.ts'
import type { KeyBody, OperationBody } from './key-schemas.ts'
import { LOOK_MS } from './renewal-driver.ts'
import { BY_SCHEDULE, DAY_MS, RETRY_FIRST_MS, RETRY_MAX_MS } from './schedule.ts'
import { eventually, Harness } from './testing/harness.ts'

const keyOf = async (h: Harness, keyId = 'main') => (await h.get<KeyBody>(`/v1/keys/${keyId}`)).body
const patch = (h: Harness, refreshEveryDays: unknown, call = {}) =>
  h.call<KeyBody & { code: string }>('PATCH', '/v1/keys/main', { body: { refreshEveryDays }, ...call })
const operations = async (h: Harness) => (await h.get<{ items: OperationBody[] }>('/v1/operations')).body.items
const iso = (ms: number) => new Date(ms).toISOString()

/** Lets the nodes be connected, as far as they run, and nothing be open. */
async function idle(h: Harness, up = 5): Promise<void> {
  await eventually(async () => (await h.get<{ nodesUp: number }>('/readyz')).body.nodesUp === up)
  await h.passing(LOOK_MS, async () => (await operations(h)).every((o) => o.endedAt !== null))
}

async function epochReached(h: Harness, epoch: number, keyId = 'main'): Promise<void> {
  await h.passing(LOOK_MS, async () => (await keyOf(h, keyId)).epoch === epoch)
  await idle(h)
}

async function scheduled(days: number): Promise<Harness> {
  const h = await Harness.start()
  h.clock.advance(LINKS_GRACE_MS)
  expect((await patch(h, days)).status).equal(200)
  return h
}

describe('refresh schedule', () => {
  it('is set, shown, kept over a restart and ended', async () => {
    await using h = await Harness.start()
    const madeAtMs = h.clock.nowMs()
    expect(await keyOf(h)).include({ refreshEveryDays: null, refreshedAt: iso(madeAtMs), nextRefreshAt: null })
    h.clock.advance(DAY_MS)
    const { status, body } = await patch(h, 30)
    expect(status).equal(200)
    expect(body).include({ refreshEveryDays: 30, refreshedAt: iso(madeAtMs), nextRefreshAt: iso(madeAtMs + 30 * DAY_MS) })
    await h.crashAndRestart()
    expect(await keyOf(h)).deep.equal(body)
    expect((await patch(h, null)).body).include({ refreshEveryDays: null, nextRefreshAt: null })
    h.clock.advance(40 * DAY_MS)
    await idle(h)
    expect(h.cluster.world.renewals).deep.equal([])
  })

  it('admins only, 1 to 3650 whole days, for keys that exist', async () => {
    await using h = await Harness.start()
    for (const days of [0, -1, 3651, 1.5, '30', undefined]) expect((await patch(h, days)).body.code, `${days}`).equal('BAD_BODY')
    expect((await patch(h, 30, { as: 'requester' })).body.code).equal('FORBIDDEN')
    expect((await patch(h, 30, { body: { refreshEveryDays: 30, epoch: 9 } })).body.code).equal('UNKNOWN_FIELD')
    expect((await h.call('PATCH', '/v1/keys/nobody', { body: { refreshEveryDays: 30 } })).status).equal(404)
    expect(await keyOf(h)).include({ refreshEveryDays: null })
  })

  it('a key is refreshed when it is due and not before, again and again', async () => {
    await using h = await scheduled(30)
    h.clock.advance(30 * DAY_MS - LINKS_GRACE_MS - 1)
    await idle(h)
    expect(h.cluster.world.renewals).deep.equal([])
    for (const epoch of [1, 2]) {
      h.clock.advance(epoch === 1 ? 1 : 30 * DAY_MS)
      await epochReached(h, epoch)
      const nowMs = h.clock.nowMs()
      expect(await keyOf(h)).include({ refreshedAt: iso(nowMs), nextRefreshAt: iso(nowMs + 30 * DAY_MS) })
      const [last] = await operations(h)
      expect(last).include({ kind: 'key.refresh', requestedBy: BY_SCHEDULE, state: 'succeeded' })
    }
    expect(await operations(h)).lengthOf(2)
  })

  it('a renewal that somebody asks for moves the next one', async () => {
    await using h = await scheduled(30)
    h.clock.advance(20 * DAY_MS)
    await h.operationEnded(await h.renew('reshare'))
    expect((await keyOf(h)).nextRefreshAt).equal(iso(h.clock.nowMs() + 30 * DAY_MS))
    h.clock.advance(20 * DAY_MS)
    await idle(h)
    expect(await operations(h)).lengthOf(1)
  })

  it('what fell due while the coordinator was down is done once, when the links are up', async () => {
    await using h = await scheduled(1)
    await h.stop()
    h.cluster.node(5).kill()
    h.clock.advance(10 * DAY_MS)
    await h.run()
    await eventually(async () => (await operations(h)).length === 1)
    expect(h.cluster.world.renewals).deep.equal([])
    await h.cluster.node(5).start()
    await epochReached(h, 1)
    h.clock.advance(DAY_MS - 1)
    await idle(h)
    expect(await operations(h)).lengthOf(1)
  })

  it('a failure is followed by another try: after 10 minutes, doubling, at most 6 hours; a success ends that', async () => {
    await using h = await scheduled(1)
    h.cluster.node(5).kill()
    await idle(h, 4)
    h.clock.advance(DAY_MS)
    let delayMs = RETRY_FIRST_MS
    for (let failures = 1; failures <= 8; failures++) {
      await eventually(async () => (await operations(h)).length === failures)
      await idle(h, 4)
      const [last] = await operations(h)
      expect(last?.error?.code).equal('NODES_UNREACHABLE')
      expect((await keyOf(h)).nextRefreshAt).equal(iso(h.clock.nowMs() + delayMs))
      await eventually(() => h.clock.hasTimer(Math.min(delayMs, 3_600_000)))
      if (failures === 8) await h.crashAndRestart()
      h.clock.advance(delayMs - 1)
      expect(await operations(h)).lengthOf(failures)
      if (failures === 8) break
      h.clock.advance(1)
      delayMs = Math.min(RETRY_MAX_MS, 2 * delayMs)
    }
    expect(delayMs).equal(RETRY_MAX_MS)
    await h.cluster.node(5).start()
    await idle(h)
    h.clock.advance(1)
    await epochReached(h, 1)
    expect((await keyOf(h)).nextRefreshAt).equal(iso(h.clock.nowMs() + DAY_MS))
  })

  it('one key at a time, the one that is longest due first', async () => {
    await using h = await Harness.start()
    h.clock.advance(LINKS_GRACE_MS)
    for (const keyId of ['b', 'a']) {
      h.cluster.addKey(keyId)
      h.clock.advance(5000)
      await eventually(async () => (await h.get(`/v1/keys/${keyId}`)).status === 200)
      await h.call('PATCH', `/v1/keys/${keyId}`, { body: { refreshEveryDays: 1 } })
    }
    const held = Promise.withResolvers<void>()
    h.cluster.node(1).intercept = async (request, honest) => {
      if ('renewKey' in request) await held.promise
      return await honest()
    }
    h.clock.advance(2 * DAY_MS)
    await eventually(() => h.cluster.world.renewals.length === 5)
    expect((await operations(h)).map((o) => [o.keyId, o.state])).deep.equal([['b', 'running']])
    // It looks again, and finds that one is still open.
    await patch(h, 30)
    h.clock.advance(1000)
    held.resolve()
    await epochReached(h, 1, 'b')
    await epochReached(h, 1, 'a')
    const [a, b] = await operations(h)
    expect([a?.keyId, b?.keyId]).deep.equal(['a', 'b'])
    expect(Date.parse(a?.createdAt as string)).at.least(Date.parse(b?.endedAt as string))
  })

  it('a coordinator that is killed during a scheduled refresh takes it over and begins no second one', async () => {
    await using h = await scheduled(1)
    h.cluster.node(2).holdsBack = true
    h.clock.advance(DAY_MS)
    await eventually(() => h.cluster.node(2).status().keys[0]?.prepared === 1)
    await h.crashAndRestart()
    h.cluster.node(2).promote('main')
    await epochReached(h, 1)
    expect(await operations(h)).lengthOf(1)
    expect((await operations(h))[0]).include({ state: 'succeeded', requestedBy: BY_SCHEDULE })
  })

  it('a key that is busy when it falls due is left alone, and looked at when that has ended', async () => {
    await using h = await scheduled(1)
    h.cluster.node(3).refuses = 'BAD_RESHARE'
    const held = Promise.withResolvers<void>()
    h.cluster.node(3).intercept = async (request, honest) => {
      if (!('renewKey' in request)) return await honest()
      await held.promise
      const answer = await honest()
      // Only once: what is begun next may begin before anybody sees that this has ended.
      h.cluster.node(3).refuses = undefined
      return answer
    }
    h.clock.advance(DAY_MS - LINKS_GRACE_MS - 10_000)
    await idle(h)
    const id = await h.renew('reshare')
    await eventually(() => h.cluster.world.renewals.length === 5)
    await eventually(() => h.clock.hasTimer(10_000))
    h.clock.advance(10_000)
    const others = h.clock.timersIn(3_600_000)
    // It looks again: nothing is due that could be begun, so it sleeps for as long as it ever does.
    await eventually(() => h.clock.timersIn(3_600_000) > others)
    expect(await operations(h)).lengthOf(1)
    held.resolve()
    expect((await h.operationEnded(id)).state).equal('failed')
    await epochReached(h, 1)
    expect((await operations(h)).map((o) => o.requestedBy)).deep.equal([BY_SCHEDULE, 'admin'])
  })
})
