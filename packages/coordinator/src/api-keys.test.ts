import { expect } from 'chai'
import { sql } from 'kysely'
import { rowsOf, sqlOf } from './database/database.ts'
import { Harness, type ProblemAnswer } from './testing/harness.ts'

const KEYS = '/v1/api-keys'
const DAY_MS = 86_400_000

interface NewKey {
  readonly secret: string
}
interface List {
  readonly items: readonly { readonly name: string; readonly route: string; readonly caller: string | null; readonly status: number }[]
  readonly nextCursor: string | null
}

describe('API keys', () => {
  let h: Harness
  before(async () => {
    h = await Harness.start()
  })
  after(() => h[Symbol.asyncDispose]())

  const make = async (name: string, role: string, tenant?: string, headers = {}) =>
    await h.post<NewKey & ProblemAnswer>(KEYS, { name, role, ...(tenant === undefined ? {} : { tenant }) }, { headers })
  const bearer = (secret: string) => ({ as: null, headers: { authorization: `Bearer ${secret}` } })
  const statusAs = async (secret: string, path = '/v1/keys') => (await h.get(path, bearer(secret))).status

  it('a new key opens what its role may do; its secret is told once and kept nowhere', async () => {
    const { status, body } = await make('reader', 'viewer')
    expect(status).equal(201)
    expect(body).include({ name: 'reader', role: 'viewer', tenant: 'main', createdBy: 'admin', revokedAt: null, lastUsedAt: null })
    expect(body.secret).match(/^cvk_[A-Za-z0-9_-]{43}$/)
    expect(await statusAs(body.secret)).equal(200)
    expect(await statusAs(body.secret, KEYS)).equal(403)
    expect(await statusAs(`${body.secret.slice(0, -1)}${body.secret.endsWith('A') ? 'B' : 'A'}`)).equal(401)
    expect((await h.get<object>(`${KEYS}/reader`)).body).not.include.keys('secret')
    const rows = await rowsOf(h.database, sql`select * from api_key`.compile(sqlOf))
    expect(JSON.stringify(rows)).not.include(body.secret)
    expect(h.log.filter((line) => line.includes(body.secret))).deep.equal([])
  })

  it('a name is used once, also after the key is revoked, and not for a key of the settings or a schedule', async () => {
    const { body } = await make('once', 'viewer')
    expect((await make('once', 'admin')).body.code).equal('API_KEY_EXISTS')
    expect((await h.call<object>('DELETE', `${KEYS}/once`)).body).include({ name: 'once' })
    expect(await statusAs(body.secret)).equal(401)
    for (const name of ['once', 'admin', 'schedule']) expect((await make(name, 'viewer')).body.code, name).equal('API_KEY_EXISTS')
    expect((await h.call<ProblemAnswer>('DELETE', `${KEYS}/admin`)).body.code).equal('API_KEY_FIXED')
    expect((await h.call<ProblemAnswer>('DELETE', `${KEYS}/nobody`)).body.code).equal('API_KEY_NOT_FOUND')
  })

  it('rotation: both secrets for the overlap, then the new one; of three the first at once no more; a revoked key has no other secret', async () => {
    const first = (await make('turning', 'viewer')).body.secret
    expect(await statusAs(first)).equal(200)
    const second = (await h.post<NewKey>(`${KEYS}/turning:rotate`, { overlapMs: 1000 })).body.secret
    expect([await statusAs(first), await statusAs(second)]).deep.equal([200, 200])
    h.clock.advance(1000)
    expect([await statusAs(first), await statusAs(second)]).deep.equal([401, 200])
    const third = (await h.post<NewKey>(`${KEYS}/turning:rotate`, undefined)).body.secret
    h.clock.advance(DAY_MS - 1)
    expect(await statusAs(second)).equal(200)
    const fourth = (await h.post<NewKey>(`${KEYS}/turning:rotate`, { overlapMs: 0 })).body.secret
    expect([await statusAs(second), await statusAs(third), await statusAs(fourth)]).deep.equal([401, 401, 200])
    await h.call('DELETE', `${KEYS}/turning`)
    expect(await statusAs(fourth)).equal(401)
    expect((await h.post<ProblemAnswer>(`${KEYS}/turning:rotate`, undefined)).body.code).equal('API_KEY_ENDED')
    expect((await h.post<ProblemAnswer>(`${KEYS}/viewer:rotate`, undefined)).body.code).equal('API_KEY_FIXED')
  })

  it('what is revoked behind its back is heard of within seconds', async () => {
    const { secret } = (await make('elsewhere', 'viewer')).body
    expect(await statusAs(secret)).equal(200)
    await h.database.run([sql`update api_key set revoked_at_ms = 1 where name = 'elsewhere'`.compile(sqlOf)])
    h.clock.advance(5000)
    expect(await statusAs(secret)).equal(401)
  })

  it('last used is told to the minute', async () => {
    const { secret } = (await make('busy', 'viewer')).body
    expect(await statusAs(secret)).equal(200)
    const lastUsed = async () => (await h.get<{ lastUsedAt: string | null }>(`${KEYS}/busy`)).body.lastUsedAt
    expect(await lastUsed()).equal(new Date(h.clock.nowMs()).toISOString())
  })

  it('only the administrator of the settings makes keys for another tenant, and each sees its own', async () => {
    const other = (await make('other-admin', 'admin', 'acme')).body.secret
    const asOther = bearer(other)
    const theirs = await h.post<NewKey & ProblemAnswer>(KEYS, { name: 'acme-reader', role: 'viewer' }, asOther)
    expect(theirs.body).include({ tenant: 'acme', createdBy: 'other-admin' })
    expect((await h.post<ProblemAnswer>(KEYS, { name: 'x', role: 'viewer', tenant: 'main' }, asOther)).body.code).equal('FORBIDDEN')
    expect((await h.get<ProblemAnswer>(`${KEYS}?tenant=main`, asOther)).body.code).equal('FORBIDDEN')
    expect((await h.get<List>(KEYS, asOther)).body.items.map((k) => k.name)).deep.equal(['acme-reader', 'other-admin'])
    expect((await h.get<List>(`${KEYS}?tenant=acme`)).body.items).lengthOf(2)
    for (const name of ['reader', 'once']) expect((await h.get(`${KEYS}/${name}`, asOther)).body.code).equal('API_KEY_NOT_FOUND')
    expect((await h.call<ProblemAnswer>('DELETE', `${KEYS}/reader`, asOther)).body.code).equal('API_KEY_NOT_FOUND')
    expect((await h.post<ProblemAnswer>(`${KEYS}/reader:rotate`, undefined, asOther)).body.code).equal('API_KEY_NOT_FOUND')
  })

  it('the list is paged, newest first', async () => {
    const first = (await h.get<List>(`${KEYS}?limit=2`)).body
    const second = (await h.get<List>(`${KEYS}?limit=200&cursor=${first.nextCursor}`)).body
    const all = (await h.get<List>(`${KEYS}?limit=200`)).body
    expect([...first.items, ...second.items]).deep.equal(all.items)
    expect([first.items.length, second.nextCursor]).deep.equal([2, null])
  })
})

describe('calls of the API', () => {
  it('who called what and how it ended, without a word of what was sent; by caller, time and page', async () => {
    await using h = await Harness.start()
    const calls = async (query = '') => (await h.get<List>(`/v1/api-calls${query}`)).body
    await h.post('/v1/keys', { keyId: 'main' }, { as: 'viewer' })
    await h.get('/v1/keys/secret-name', { as: 'requester' })
    await h.get('/v1/keys', { as: null })
    const laterMs = h.clock.nowMs() + 1000
    h.clock.advance(1000)
    await h.get('/v1/nodes', { as: 'requester' })
    const { items } = await calls()
    const short = items.slice(0, 4).map(({ caller, route, status }) => [caller, route, status])
    expect(short).deep.equal([
      ['requester', '/v1/nodes', 200],
      [null, '/v1/keys', 401],
      ['requester', '/v1/keys/:keyId', 404],
      ['viewer', '/v1/keys', 403],
    ])
    expect(JSON.stringify(items)).not.include('secret-name')
    expect((await calls('?caller=requester')).items.map((c) => c.status)).deep.equal([200, 404])
    expect((await calls(`?caller=requester&fromMs=${laterMs}`)).items.map((c) => c.status)).deep.equal([200])
    expect((await calls(`?caller=requester&toMs=${laterMs}`)).items.map((c) => c.status)).deep.equal([404])
    const page = await calls('?caller=requester&limit=1')
    expect((await calls(`?caller=requester&limit=1&cursor=${page.nextCursor}`)).items.map((c) => c.status)).deep.equal([404])
    expect((await h.get('/v1/api-calls', { as: 'requester' })).body.code).equal('FORBIDDEN')
  })

  it('are written when the coordinator stops', async () => {
    await using h = await Harness.start()
    await h.get('/v1/nodes', { as: 'requester' })
    await h.stop()
    const rows = await rowsOf(h.database, sql<{ route: string }>`select route from api_call where caller = 'requester'`.compile(sqlOf))
    expect(rows.map((r) => r.route)).deep.equal(['/v1/nodes'])
  })
})
