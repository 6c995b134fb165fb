import { expect } from 'chai'
import type { KeyBody, OperationBody } from './key-schemas.ts'
import { LOOK_MS } from './renewal-driver.ts'
import { Harness, type ProblemAnswer } from './testing/harness.ts'

const keyOf = async (h: Harness) => (await h.get<KeyBody>('/v1/keys/main')).body
const told = (h: Harness) => h.cluster.world.renewals.filter((r) => r.node === 1).map((r) => r.renew)

async function ended(h: Harness, id: string): Promise<OperationBody> {
  const operation = async () => (await h.get<OperationBody>(`/v1/operations/${id}`)).body
  await h.passing(LOOK_MS, async () => (await operation()).endedAt !== null)
  return await operation()
}

describe('key reshare', () => {
  it('without a body: exactly the threshold deals to all nodes, and the quorum stays', async () => {
    await using h = await Harness.start()
    const done = await ended(h, await h.renew('reshare'))
    expect(done).include({ state: 'succeeded', kind: 'key.reshare' })
    expect(told(h)).lengthOf(1)
    expect(told(h)[0]).deep.include({ kind: 'reshare', fromEpoch: 0, epoch: 1, threshold: 3, parties: [1, 2, 3, 4, 5], dealers: [1, 2, 3] })
    expect(await keyOf(h)).include({ epoch: 1, threshold: 3 })
  })

  it('a node that lost its share, or came back with an old one, does not deal and can sign afterwards', async () => {
    await using h = await Harness.start()
    h.cluster.node(1).keys.delete('main')
    h.cluster.node(3).changeShare('main', { state: 'stale' })
    expect((await ended(h, await h.renew('reshare'))).state).equal('succeeded')
    expect(told(h)[0]?.dealers).deep.equal([2, 4, 5])
    for (const i of [4, 5]) h.cluster.node(i).kill()
    expect((await h.ended(await h.request())).signers).deep.equal([1, 2, 3])
  })

  it('too few hold it: fails in time and says who holds what', async () => {
    await using h = await Harness.start()
    for (const i of [1, 2]) h.cluster.node(i).keys.delete('main')
    h.cluster.node(3).changeShare('main', { state: 'stale' })
    const { state, error } = await ended(h, await h.renew('reshare'))
    expect(state).equal('failed')
    expect(error).include({ code: 'KEY_RENEWAL_FAILED', retriable: true })
    expect(error?.detail).contain('zurich none').contain('madrid stale').contain('tokyo 0')
    expect(h.cluster.world.renewals).deep.equal([])
  })

  it('another threshold: dealt by the old one, and as many sign from then on', async () => {
    await using h = await Harness.start()
    const id = await h.renew('reshare', { quorum: { required: 4 } })
    expect((await ended(h, id)).result).include({ threshold: 4, epoch: 1 })
    expect(told(h)[0]).deep.include({ threshold: 4, dealers: [1, 2, 3] })
    expect((await h.ended(await h.request())).signers).lengthOf(4)
    expect((await ended(h, await h.renew('reshare'))).result).include({ threshold: 3, epoch: 2 })
    expect(told(h)[1]).deep.include({ fromEpoch: 1, epoch: 2, threshold: 3, dealers: [1, 2, 3, 4] })
    expect((await h.ended(await h.request(1))).signers).lengthOf(3)
  })

  it('BAD_THRESHOLD: below the lock or above its nodes', async () => {
    await using h = await Harness.start()
    for (const required of [0, 2, 6, -1]) {
      const { status, body } = await h.post('/v1/keys/main:reshare', { quorum: { required } })
      expect([status, body.code]).deep.equal([400, 'BAD_THRESHOLD'])
    }
  })

  it('a dealer that failed an attempt gives way to another node', async () => {
    await using h = await Harness.start()
    h.cluster.node(2).refuses = 'KEY_BUSY'
    const id = await h.renew('reshare')
    await h.passing(LOOK_MS, () => told(h).length === 2)
    expect(told(h).map((r) => r.dealers)).deep.equal([
      [1, 2, 3],
      [1, 3, 4],
    ])
    h.cluster.node(2).refuses = undefined
    expect((await ended(h, id)).state).equal('succeeded')
  })
})

describe('renewals at the API', () => {
  it('one operation on a key at a time', async () => {
    await using h = await Harness.start()
    h.cluster.node(4).holdsBack = true
    const id = await h.renew('refresh')
    for (const action of ['refresh', 'reshare']) {
      const { status, body } = await h.post(`/v1/keys/main:${action}`, undefined)
      expect(status).equal(409)
      expect(body).include({ code: 'KEY_BUSY', retriable: true })
    }
    await h.passing(LOOK_MS, () => h.cluster.node(4).status().keys[0]?.prepared === 1)
    h.cluster.node(4).promote('main')
    expect((await ended(h, id)).state).equal('succeeded')
    h.cluster.node(4).holdsBack = false
    expect((await ended(h, await h.renew('refresh'))).state).equal('succeeded')
  })

  it('admins only, with an Idempotency-Key, for keys that exist; bodies are closed', async () => {
    await using h = await Harness.start()
    const refused = async (path: string, body: unknown, call = {}) => {
      const answer = await h.post<ProblemAnswer>(path, body, call)
      return `${answer.status} ${answer.body.code}`
    }
    for (const action of ['refresh', 'reshare']) {
      const path = `/v1/keys/main:${action}`
      expect(await refused(path, undefined, { as: 'requester' })).equal('403 FORBIDDEN')
      expect(await refused(path, undefined, { as: null })).equal('401 UNAUTHENTICATED')
      expect(await refused(`/v1/keys/nobody:${action}`, undefined)).equal('404 KEY_NOT_FOUND')
      expect(await refused(path, { force: true })).match(/^400 (UNKNOWN_FIELD|BAD_BODY)$/)
      expect(await refused(path, [])).equal('400 BAD_BODY')
      expect((await h.call('POST', path, { body: {} })).body.code).equal('IDEMPOTENCY_KEY_REQUIRED')
      expect((await h.get(path)).body.code).equal('METHOD_NOT_ALLOWED')
    }
    expect(await refused('/v1/keys/main:reshare', { quorum: {} })).equal('400 BAD_BODY')
    expect(await refused('/v1/keys/main:reshare', { quorum: { required: '4' } })).equal('400 BAD_BODY')
    expect(await refused('/v1/keys/main:archive', undefined)).match(/^40[45] /)
    expect(h.cluster.world.renewals).deep.equal([])
  })

  it('one idempotency key is one operation', async () => {
    await using h = await Harness.start()
    const headers = { 'idempotency-key': 'monthly' }
    const first = await h.post<{ operationId: string }>('/v1/keys/main:reshare', undefined, { headers })
    await ended(h, first.body.operationId)
    expect((await h.post<{ operationId: string }>('/v1/keys/main:reshare', undefined, { headers })).body).deep.equal(first.body)
    const other = await h.post('/v1/keys/main:reshare', { quorum: { required: 4 } }, { headers })
    expect(other.body.code).equal('IDEMPOTENCY_CONFLICT')
    expect(told(h)).lengthOf(1)
  })

  it('operations are listed, newest first, page by page, of one key or of all', async () => {
    await using h = await Harness.start()
    h.cluster.addKey('main-2')
    const { operationId } = (await h.post<{ operationId: string }>('/v1/keys', { keyId: 'other' })).body
    await h.operationEnded(operationId)
    const ids = [await h.renew('refresh')]
    await ended(h, ids[0] as string)
    ids.push(await h.renew('reshare'))
    await ended(h, ids[1] as string)
    await h.crashAndRestart()
    ids.push(await h.renew('refresh'))
    type List = { items: OperationBody[]; nextCursor: string | null }
    const list = async (query: string) => (await h.get<List>(`/v1/operations${query}`)).body
    const newest = ids.toReversed()
    expect((await list('?keyId=main')).items.map((o) => o.operationId)).deep.equal(newest)
    expect((await list('')).items.map((o) => o.operationId)).deep.equal([...newest, operationId])
    expect((await list('?keyId=main-2')).items).deep.equal([])
    const page = await list('?keyId=main&limit=2')
    expect(page.items.map((o) => o.kind)).deep.equal(['key.refresh', 'key.reshare'])
    const last = await list(`?keyId=main&limit=2&cursor=${page.nextCursor}`)
    expect(last.items.map((o) => o.operationId)).deep.equal([ids[0]])
    expect(last.nextCursor).equal(null)
    for (const [query, code] of Object.entries({ '?cursor=x': 'BAD_CURSOR', '?limit=201': 'BAD_QUERY', '?key=main': 'UNKNOWN_FIELD' })) {
      expect((await h.get(`/v1/operations${query}`)).body.code).equal(code)
    }
    expect((await h.get('/v1/operations', { as: null })).status).equal(401)
  })
})
