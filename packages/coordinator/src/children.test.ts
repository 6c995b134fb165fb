import { deriveChild, parsePath, tagged, toHex } from '@conclave/core'
import { evmAddress } from '@conclave/policy'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { expect } from 'chai'
import { deriveChildren } from './child-batch.ts'
import type { ChildBody } from './child-schemas.ts'
import { Harness, type ProblemAnswer, payment } from './testing/harness.ts'

const DERIVED = '/v1/keys/main/derived'
const CHILDREN = '/v1/keys/main/children'
const one = (path: string) => `${CHILDREN}/${encodeURIComponent(path)}`

interface List {
  readonly items: readonly ChildBody[]
  readonly nextCursor: string | null
}

describe('child keys in use', () => {
  let h: Harness
  before(async () => {
    h = await Harness.start()
  })
  after(() => h[Symbol.asyncDispose]())

  const add = async (body: unknown) => (await h.post<{ added: number; known: number }>(DERIVED, body, { as: 'requester' })).body
  const list = async (query = '') => (await h.get<List>(`${CHILDREN}${query}`)).body
  const change = async (path: string, body: unknown) => (await h.call<ChildBody & ProblemAnswer>('PATCH', one(path), { body })).body
  const sign = async (derivationPath: string) =>
    (await h.post<ProblemAnswer>('/v1/signing-requests', { keyId: 'main', payload: { type: 'evm.tx', bytes: payment() }, derivationPath }))
      .body

  it('the fast derivation makes what the plain one makes, at any depth', async () => {
    const root = { publicKey: secp256k1.getPublicKey(tagged('root')), chainCode: tagged('chain') }
    const paths = ['m/0', 'm/2147483647', 'm/0/5', 'm/1/2/3/4/5/6/7/8', ...Array.from({ length: 120 }, (_, i) => `m/7/${i}`)].map(parsePath)
    const derived = await deriveChildren(root, paths)
    for (const [i, path] of paths.entries()) {
      const { publicKey } = deriveChild(root, path)
      expect(derived[i]).deep.equal({ path: ['m', ...path].join('/'), publicKey: toHex(publicKey), address: evmAddress(publicKey) })
    }
  })

  it('ten thousand in one call, and the same call again changes nothing', async () => {
    const body = { prefix: 'm/1', from: 0, count: 10_000, tags: ['deposit'] }
    expect(await add(body)).deep.equal({ added: 10_000, known: 0 })
    expect(await add({ ...body, tags: ['other'], from: 9_999, count: 2 })).deep.equal({ added: 1, known: 1 })
    const last = (await h.get<ChildBody>(one('m/1/9999'))).body
    const plain = (await h.get<{ publicKey: string; address: string; bitcoin: object }>(`${DERIVED}?path=m/1/9999`)).body
    expect(last).deep.include({ publicKey: plain.publicKey, address: plain.address, bitcoin: plain.bitcoin })
    expect(last).deep.include({ tags: ['deposit'], state: 'active', label: null })
  })

  it('are listed by page, tag, state and address', async () => {
    await add({ items: [{ path: 'm/2/0', label: 'alice', tags: ['vip', 'eu'] }, { path: 'm/2/1', tags: ['vip'] }, { path: 'm/2/2' }] })
    const first = await list('?tag=vip&limit=1')
    const second = await list(`?tag=vip&limit=1&cursor=${first.nextCursor}`)
    expect([...first.items, ...second.items].map((c) => [c.path, c.label, c.tags])).deep.equal([
      ['m/2/0', 'alice', ['vip', 'eu']],
      ['m/2/1', null, ['vip']],
    ])
    expect(second.nextCursor).equal(null)
    expect((await list(`?address=${first.items[0]?.address}`)).items.map((c) => c.path)).deep.equal(['m/2/0'])
    await change('m/2/1', { state: 'suspended' })
    expect((await list('?state=suspended')).items.map((c) => c.path)).deep.equal(['m/2/1'])
    expect((await list('?tag=nothing')).items).deep.equal([])
  })

  it('one that is suspended signs nothing, nor what is below it, until it is active again; a revoked one never', async () => {
    await add({ items: [{ path: 'm/3' }, { path: 'm/4' }] })
    expect(await change('m/3', { state: 'suspended' })).include({ state: 'suspended' })
    for (const path of ['m/3', 'm/3/9']) expect((await sign(path)).code, path).equal('CHILD_INACTIVE')
    expect((await sign('m/33')).code).equal(undefined)
    const simulated = { keyId: 'main', payload: { type: 'evm.tx', bytes: payment() }, derivationPath: 'm/3' }
    expect((await h.post<ProblemAnswer>('/v1/policies:simulate', simulated)).body.code).equal('CHILD_INACTIVE')
    await change('m/3', { state: 'active' })
    expect((await sign('m/3')).code).equal(undefined)
    expect(await change('m/4', { state: 'revoked', label: 'closed' })).include({ state: 'revoked', label: 'closed' })
    expect((await change('m/4', { state: 'active' })).code).equal('CHILD_INACTIVE')
    expect(await change('m/4', { tags: ['old'] })).deep.include({ state: 'revoked', tags: ['old'], label: 'closed' })
    expect((await sign('m/4')).code).equal('CHILD_INACTIVE')
  })

  it('what makes no sense is refused with its code', async () => {
    const code = async (body: unknown) => (await h.post<ProblemAnswer>(DERIVED, body)).body.code
    expect(await code({})).equal('BAD_BODY')
    expect(await code({ count: 1, items: [{ path: 'm/0' }] })).equal('BAD_BODY')
    expect(await code({ prefix: 'm', items: [{ path: 'm/0' }] })).equal('BAD_BODY')
    expect(await code({ count: 10_001 })).equal('BAD_BODY')
    expect(await code({ items: [{ path: 'm' }] })).equal('BAD_PATH')
    expect(await code({ items: [{ path: "m/0'" }] })).equal('BAD_PATH')
    expect(await code({ prefix: 'm/1/2/3/4/5/6/7/8', count: 1 })).equal('BAD_PATH')
    expect(await code({ from: 2_147_483_647, count: 2 })).equal('BAD_PATH')
    expect((await change('m/77', { label: 'x' })).code).equal('CHILD_NOT_FOUND')
    expect((await h.get(one('m/77'))).body.code).equal('CHILD_NOT_FOUND')
    expect((await h.post<ProblemAnswer>('/v1/keys/none/derived', { count: 1 })).body.code).equal('KEY_NOT_FOUND')
  })
})

describe('keys: names and tags', () => {
  it('are changed one by one, found by, and kept over a restart', async () => {
    await using h = await Harness.start()
    const patch = async (body: unknown) =>
      (await h.call<ProblemAnswer & { tags: readonly string[] }>('PATCH', '/v1/keys/main', { body })).body
    expect(await patch({ role: 'treasury', label: 'cold', tags: ['eu', 'btc'] })).deep.include({ role: 'treasury', tags: ['eu', 'btc'] })
    expect(await patch({ label: null })).deep.include({ role: 'treasury', label: null, tags: ['eu', 'btc'] })
    for (const body of [{}, { tags: ['Eu'] }, { role: '' }, { label: '' }]) expect((await patch(body)).code).equal('BAD_BODY')
    await h.crashAndRestart()
    const found = async (query: string) =>
      (await h.get<{ items: readonly { keyId: string }[] }>(`/v1/keys?${query}`)).body.items.map((k) => k.keyId)
    expect([await found('tag=eu'), await found('tag=us'), await found('role=treasury'), await found('role=deposit')]).deep.equal([
      ['main'],
      [],
      ['main'],
      [],
    ])
  })

  it('lists of keys, requests and operations go by page and filter', async () => {
    await using h = await Harness.start()
    h.cluster.addKey('second')
    h.cluster.addKey('third')
    await h.passing(5000, async () => (await h.get('/v1/keys/third')).status === 200)
    const names = async (query: string) =>
      (await h.get<{ items: readonly { keyId: string }[]; nextCursor: string | null }>(`/v1/keys${query}`)).body
    const first = await names('?limit=2')
    expect(first.items.map((k) => k.keyId)).deep.equal(['main', 'second'])
    expect((await names(`?limit=2&cursor=${first.nextCursor}`)).items.map((k) => k.keyId)).deep.equal(['third'])
    const ids = [await h.request(1), await h.request(2, { keyId: 'second' })]
    for (const id of ids) await h.ended(id)
    const laterMs = h.clock.nowMs() + 1
    h.clock.advance(10)
    const last = await h.request(3)
    await h.ended(last)
    const found = async (query: string) =>
      (await h.get<{ items: readonly { requestId: string }[] }>(`/v1/signing-requests?${query}`)).body.items.map((r) => r.requestId)
    expect(await found('keyId=second')).deep.equal([ids[1]])
    expect(await found(`fromMs=${laterMs}`)).deep.equal([last])
    expect(await found(`toMs=${laterMs}`)).deep.equal([ids[1], ids[0]])
    expect([await found('state=signed&requester=admin&limit=1'), await found('state=failed'), await found('requester=viewer')]).deep.equal([
      [last],
      [],
      [],
    ])
    const operationId = await h.renew('refresh')
    await h.operationEnded(operationId)
    const operations = async (query: string) =>
      (await h.get<{ items: readonly { operationId: string }[] }>(`/v1/operations?${query}`)).body.items.map((o) => o.operationId)
    expect([await operations('state=succeeded&requestedBy=admin'), await operations('state=failed')]).deep.equal([[operationId], []])
  })
})
