import { tagged, toHex, utf8 } from '@conclave/core'
import { expect } from 'chai'
import { Harness, type ProblemAnswer, payment } from './testing/harness.ts'

interface List<T> {
  readonly items: readonly T[]
}
interface Said {
  readonly node: number
  readonly code: string | null
}
const NODES = [1, 2, 3, 4, 5]

describe('what nodes show through the coordinator', () => {
  let h: Harness
  before(async () => {
    h = await Harness.start()
  })
  after(() => h[Symbol.asyncDispose]())
  afterEach(() => {
    for (const node of h.cluster.nodes) node.shows.clear()
  })

  it('policies: of each node its own, and no word for one that answers something else', async () => {
    h.cluster.node(2).shows.set('policy', { sequence: 'x' })
    h.cluster.node(3).shows.set('policy', utf8('{'))
    const { items } = (await h.get<List<Said & { policy: { sequence: number } | null }>>('/v1/policies')).body
    expect(items.map((i) => i.node)).deep.equal(NODES)
    expect(items.map((i) => i.policy?.sequence ?? i.code)).deep.equal([3, 'BAD_ANSWER', 'BAD_ANSWER', 3, 3])
  })

  it('approvers: each once, with the nodes that know it so', async () => {
    const other = { id: 'mallory', groups: [], keys: ['identity'] }
    const { policy } = (await h.get<List<{ policy: object }>>('/v1/policies')).body.items[0] as { policy: object }
    h.cluster.node(5).shows.set('policy', { ...policy, approvers: [other] })
    const { items } = (await h.get<List<object>>('/v1/approvers')).body
    expect(items).deep.equal([
      { id: 'alice', groups: ['treasury'], keys: ['identity', 'webauthn'], nodes: [1, 2, 3, 4] },
      { ...other, nodes: [5] },
    ])
  })

  it('freezes: each once, with the nodes where it is; the active ones or the others', async () => {
    h.cluster.node(4).shows.set('freezes', { freezes: [] })
    const { items } = (await h.get<List<object>>('/v1/freezes?active=true')).body
    expect(items).lengthOf(1)
    expect(items[0]).deep.include({ scope: 'key:main', by: 'node:oslo', nodes: [1, 2, 3, 5], thawsRequired: 3 })
    expect((await h.get<List<object>>('/v1/freezes?active=false')).body.items).deep.equal([])
    expect((await h.get<List<object>>('/v1/freezes')).body.items).deep.equal(items)
  })

  it('statement: what each node of the key made of the request; one about another request is not shown', async () => {
    const requestId = await h.request(1)
    await h.ended(requestId)
    const { shows } = h.cluster.node(1)
    const path = `/v1/signing-requests/${requestId}/statement`
    const before = (await h.get<List<Said & { statement: { statementHash: string; verdict: string } }>>(path)).body.items
    expect(before.map((i) => i.node)).deep.equal(NODES)
    expect(before[0]?.statement).include({ statementHash: toHex(tagged('fake-statement')), verdict: 'ALLOWED' })
    shows.set('statement', { ...before[0]?.statement, code: 'ALLOWED', requestId: 'ab'.repeat(32) })
    const after = (await h.get<List<Said & { statement: unknown }>>(path)).body.items
    expect(after[0]).deep.equal({ node: 1, statement: null, code: 'BAD_ANSWER' })
    expect((await h.get(`/v1/signing-requests/${'ab'.repeat(32)}/statement`)).body.code).equal('REQUEST_NOT_FOUND')
  })

  it('attempts: who tried to sign a request', async () => {
    const requestId = await h.request(2)
    const { attempts } = await h.recorded(requestId)
    expect(attempts).lengthOf(1)
    expect((await h.get(`/v1/signing-requests/${requestId}/attempts`)).body).deep.equal({ items: attempts })
    expect((await h.get(`/v1/signing-requests/${'ab'.repeat(32)}/attempts`)).body.code).equal('REQUEST_NOT_FOUND')
  })

  it('simulate: the verdict of each node, and no request comes of it', async () => {
    const body = { keyId: 'main', payload: { type: 'evm.tx', bytes: payment(3) } }
    h.cluster.node(2).shows.set('simulate', { allowed: false, code: 'POLICY_DENY_RULE', reason: 'no', rule: 'never' })
    h.cluster.node(3).shows.set('simulate', { allowed: 1 })
    const before = (await h.get<List<object>>('/v1/signing-requests')).body.items.length
    const { items } = (await h.call<List<Said & { allowed: boolean }>>('POST', '/v1/policies:simulate', { body, as: 'viewer' })).body
    expect(items.map((i) => i.code)).deep.equal(['ALLOWED', 'POLICY_DENY_RULE', 'BAD_ANSWER', 'ALLOWED', 'ALLOWED'])
    expect(items.map((i) => i.allowed)).deep.equal([true, false, false, true, true])
    expect((await h.get<List<object>>('/v1/signing-requests')).body.items).lengthOf(before)
    const refused = await h.call<ProblemAnswer>('POST', '/v1/policies:simulate', { body: { ...body, keyId: 'none' } })
    expect(refused.body.code).equal('KEY_NOT_FOUND')
  })

  it('log: the checkpoint as text, a tile as bytes, and a problem for what is not there', async () => {
    const fetched = async (path: string) =>
      await fetch(`${h.coordinator?.url}/v1/nodes/${path}`, { headers: { authorization: 'Bearer viewer-key-0123456789' } })
    const checkpoint = await fetched('1/log/checkpoint')
    expect(checkpoint.headers.get('content-type')).equal('text/plain; charset=utf-8')
    expect(await checkpoint.text()).match(/^conclave\.example\/log\/fake\n1\n/)
    const tile = await fetched('1/log/tile/0/000.p/1')
    expect(tile.headers.get('content-type')).equal('application/octet-stream')
    expect(new Uint8Array(await tile.arrayBuffer())).deep.equal(tagged('fake-leaf'))
    const code = async (path: string) => (await h.get(`/v1/nodes/${path}`)).body.code
    expect(await code('1/log/tile/0/001')).equal('LOG_FILE_NOT_FOUND')
    expect(await code('6/log/checkpoint')).equal('NODE_NOT_FOUND')
  })

  it('nodes that are down are left out; with none there is nothing to tell', async () => {
    await using other = await Harness.start()
    for (const i of [1, 2]) other.cluster.node(i).kill()
    const nodes = async () => (await other.get<List<Said>>('/v1/policies')).body.items.map((i) => i.node)
    expect(await nodes()).deep.equal([3, 4, 5])
    expect((await other.get('/v1/nodes/1/log/checkpoint')).body.code).equal('NODES_UNREACHABLE')
    for (const i of [3, 4, 5]) other.cluster.node(i).kill()
    for (const path of ['/v1/policies', '/v1/approvers', '/v1/freezes'])
      expect((await other.get(path)).body.code).equal('NODES_UNREACHABLE')
  })
})
