import { expect } from 'chai'
import type { Contract } from './testing/contract.ts'
import { type Call, Harness, type ProblemAnswer, payment } from './testing/harness.ts'

/** What an administrator, requester or viewer of another tenant gets where one of the own tenant is let in. */
type Foreign =
  /** It does not exist. */
  | { readonly status: 404; readonly code: string }
  /** A list without what is of others. */
  | 'empty'
  /** The same for every tenant: it is of the cluster, or of nobody. */
  | 'same'

interface Cell {
  /** The least role. */
  readonly role: 'nobody' | 'viewer' | 'requester' | 'admin'
  readonly method: string
  path(ids: Ids): string
  body?(n: number): unknown
  /** Statuses of who is let in. */
  readonly own: readonly number[]
  readonly foreign: Foreign
}

interface Ids {
  readonly requestId: string
  readonly operationId: string
  readonly webhookId: string
  readonly deliveryId: string
}

const tx = () => ({ keyId: 'main', payload: { type: 'evm.tx', bytes: payment(1) } })
const missing = (code: string): Foreign => ({ status: 404, code })
const [NO_KEY, NO_REQUEST, NO_OPERATION] = ['KEY_NOT_FOUND', 'REQUEST_NOT_FOUND', 'OPERATION_NOT_FOUND'].map(missing) as [
  Foreign,
  Foreign,
  Foreign,
]
const APPROVAL = { statement: 'ab'.repeat(32), decision: 'approve', approver: 'alice', atMs: 1, signature: 'ab'.repeat(64) }

const get = (role: Cell['role'], path: Cell['path'], foreign: Foreign, own: readonly number[] = [200]): Cell => ({
  role,
  method: 'GET',
  path,
  own,
  foreign,
})
const post = (role: Cell['role'], path: Cell['path'], body: Cell['body'], own: readonly number[], foreign: Foreign): Cell => ({
  ...{ role, method: 'POST', path, own, foreign },
  ...(body === undefined ? {} : { body }),
})
const request = (rest: string) => (ids: Ids) => `/v1/signing-requests/${ids.requestId}${rest}`
const at = (path: string) => () => path
const hook = (rest: string) => (ids: Ids) => `/v1/webhooks/${ids.webhookId}${rest}`
const NO_WEBHOOK = missing('WEBHOOK_NOT_FOUND')
/** Of a name that no server knows. */
const HOOK = { url: 'https://hook.invalid/', types: ['webhook.test'] }

/** Every operation of the document by role and tenant. A new route has to have a line here. */
const CELLS: Readonly<Record<string, Cell>> = {
  createKey: post('admin', at('/v1/keys'), () => ({ keyId: 'main' }), [409], 'same'),
  listKeys: get('viewer', at('/v1/keys'), 'empty'),
  getKey: get('viewer', at('/v1/keys/main'), NO_KEY),
  changeKey: { role: 'admin', method: 'PATCH', path: at('/v1/keys/main'), body: () => ({ label: 'cold' }), own: [200], foreign: NO_KEY },
  deriveKeys: get('viewer', at('/v1/keys/main/derived?path=m/0/5'), NO_KEY),
  refreshKey: post('admin', at('/v1/keys/main:refresh'), undefined, [202, 409], NO_KEY),
  reshareKey: post('admin', at('/v1/keys/main:reshare'), undefined, [202, 409], NO_KEY),
  addChildren: post('requester', at('/v1/keys/main/derived'), () => ({ items: [{ path: 'm/0/7' }] }), [200], NO_KEY),
  listChildren: get('viewer', at('/v1/keys/main/children'), NO_KEY),
  getChild: get('viewer', at('/v1/keys/main/children/m%2F0%2F7'), NO_KEY),
  changeChild: {
    role: 'admin',
    method: 'PATCH',
    path: at('/v1/keys/main/children/m%2F0%2F7'),
    body: () => ({ label: 'x' }),
    own: [200],
    foreign: NO_KEY,
  },
  listOperations: get('viewer', at('/v1/operations'), 'empty'),
  getOperation: get('viewer', (ids) => `/v1/operations/${ids.operationId}`, NO_OPERATION),
  createSigningRequest: post('requester', at('/v1/signing-requests'), tx, [201], NO_KEY),
  listSigningRequests: get('viewer', at('/v1/signing-requests'), 'empty'),
  getSigningRequest: get('viewer', request(''), NO_REQUEST),
  listAttempts: get('viewer', request('/attempts'), NO_REQUEST),
  getStatement: get('viewer', request('/statement'), NO_REQUEST),
  // The fake nodes keep no log that a receipt could be made of.
  getReceipt: get('viewer', request('/receipt'), NO_REQUEST, [503]),
  approveSigningRequest: post('viewer', request('/approvals'), () => APPROVAL, [409], NO_REQUEST),
  cancelSigningRequest: post('requester', request(':cancel'), undefined, [409], NO_REQUEST),
  createApiKey: post('admin', at('/v1/api-keys'), (n) => ({ name: `made-${n}`, role: 'viewer' }), [201], 'same'),
  listApiKeys: get('admin', at('/v1/api-keys'), 'empty'),
  getApiKey: get('admin', at('/v1/api-keys/sample'), missing('API_KEY_NOT_FOUND')),
  rotateApiKey: post('admin', at('/v1/api-keys/sample:rotate'), undefined, [200], missing('API_KEY_NOT_FOUND')),
  revokeApiKey: { role: 'admin', method: 'DELETE', path: at('/v1/api-keys/sample'), own: [200], foreign: missing('API_KEY_NOT_FOUND') },
  listApiCalls: get('admin', at('/v1/api-calls?caller=admin'), 'empty'),
  streamEvents: get('viewer', at('/v1/events'), 'same'),
  streamSigningRequestEvents: get('viewer', request('/events'), NO_REQUEST),
  createWebhook: post('admin', at('/v1/webhooks'), () => HOOK, [201], 'same'),
  listWebhooks: get('admin', at('/v1/webhooks'), 'empty'),
  getWebhook: get('admin', hook(''), NO_WEBHOOK),
  changeWebhook: { role: 'admin', method: 'PATCH', path: hook(''), body: () => ({ label: 'x' }), own: [200], foreign: NO_WEBHOOK },
  rotateWebhookSecret: post('admin', hook(':rotate'), undefined, [200], NO_WEBHOOK),
  testWebhook: post('admin', hook(':test'), undefined, [201], NO_WEBHOOK),
  listDeliveries: get('admin', hook('/deliveries'), NO_WEBHOOK),
  resendDelivery: post('admin', (ids) => hook(`/deliveries/${ids.deliveryId}:resend`)(ids), undefined, [201], NO_WEBHOOK),
  deleteWebhook: { role: 'admin', method: 'DELETE', path: hook(''), own: [200], foreign: NO_WEBHOOK },
  listPolicies: get('viewer', at('/v1/policies'), 'same'),
  listApprovers: get('viewer', at('/v1/approvers'), 'same'),
  simulate: post('viewer', at('/v1/policies:simulate'), tx, [200], NO_KEY),
  listFreezes: get('viewer', at('/v1/freezes'), 'empty'),
  listNodes: get('viewer', at('/v1/nodes'), 'same'),
  getNode: get('viewer', at('/v1/nodes/1'), 'same'),
  getLogCheckpoint: get('viewer', at('/v1/nodes/1/log/checkpoint'), 'same'),
  getLogTile: get('viewer', at('/v1/nodes/1/log/tile/0/000.p/1'), 'same'),
  getMetrics: get('viewer', at('/metrics'), 'same'),
  getHealth: get('nobody', at('/healthz'), 'same'),
  getReadiness: get('nobody', at('/readyz'), 'same'),
}

const ROLES = ['nobody', 'viewer', 'requester', 'admin'] as const
const TENANTS = ['main', 'acme'] as const

describe('authorization matrix', () => {
  let h: Harness
  let contract: Contract
  let ids: Ids
  let count = 0
  /** Secrets by tenant and role, all from the database but those of the operator. */
  const secrets = new Map<string, string>()

  before(async () => {
    h = await Harness.start()
    contract = await h.contract()
    for (const tenant of TENANTS) {
      for (const role of ['viewer', 'requester', 'admin']) {
        const made = await h.post<{ secret: string }>('/v1/api-keys', { name: `${tenant}-${role}`, role, tenant })
        secrets.set(`${tenant} ${role}`, made.body.secret)
      }
    }
    await h.post('/v1/api-keys', { name: 'sample', role: 'viewer' })
    const requestId = await h.request(5)
    await h.ended(requestId)
    const operationId = await h.renew('refresh')
    await h.operationEnded(operationId)
    const { webhookId } = (await h.post<{ webhookId: string }>('/v1/webhooks', HOOK)).body
    const { deliveryId } = (await h.post<{ deliveryId: string }>(`/v1/webhooks/${webhookId}:test`, undefined)).body
    ids = { requestId, operationId, webhookId, deliveryId }
  })
  after(() => h[Symbol.asyncDispose]())

  const call = async ({ method, path, body }: Cell, tenant: string, role: (typeof ROLES)[number]) => {
    const headers = { 'idempotency-key': `matrix-${++count}` }
    const authorization = role === 'nobody' ? {} : { authorization: `Bearer ${secrets.get(`${tenant} ${role}`)}` }
    const options: Call = { as: null, headers: { ...headers, ...authorization }, ...(body === undefined ? {} : { body: body(count) }) }
    return await h.exchange(method, path(ids), options)
  }
  const rank = (role: (typeof ROLES)[number]) => ROLES.indexOf(role)

  it('every operation of the document is in it, and nothing else', () => {
    const operations = Object.values(contract.document.paths).flatMap((methods) => Object.values(methods).map((o) => o.operationId))
    expect(Object.keys(CELLS).sort()).deep.equal(operations.sort())
  })

  for (const [operation, cell] of Object.entries(CELLS)) {
    it(`${operation}: ${cell.role} and above, of the own tenant`, async () => {
      const described = contract.operation(cell.method, cell.path(ids)) as { operationId: string; description?: string } | undefined
      expect(described?.operationId).equal(operation)
      expect(described?.description).include(`Role: ${cell.role}.`)
      for (const tenant of TENANTS) {
        for (const role of ROLES) {
          const where = `${operation} as ${role} of ${tenant}`
          const { status, text } = await call(cell, tenant, role)
          const { code, items } = text.startsWith('{')
            ? (JSON.parse(text) as ProblemAnswer & { items?: readonly unknown[] })
            : { code: '', items: undefined }
          if (rank(role) < rank(cell.role)) {
            const refusal = role === 'nobody' ? { status: 401, code: 'UNAUTHENTICATED' } : { status: 403, code: 'FORBIDDEN' }
            expect({ status, code }, where).deep.equal(refusal)
          } else if (tenant === 'main' || cell.foreign === 'same') {
            expect(cell.own, `${where}: ${text.slice(0, 200)}`).include(status)
          } else if (cell.foreign === 'empty') {
            expect(status, where).equal(200)
            const others = (items ?? []).filter((item) => !JSON.stringify(item).includes('acme'))
            expect(others, where).deep.equal([])
          } else expect({ status, code }, where).deep.equal(cell.foreign)
        }
      }
    })
  }

  it('a key that a tenant makes is its own, with everything that comes of it', async () => {
    const as = (tenant: string, role = 'admin'): Call => ({
      as: null,
      headers: { authorization: `Bearer ${secrets.get(`${tenant} ${role}`)}` },
    })
    const made = await h.post<{ operationId: string }>('/v1/keys', { keyId: 'vault' }, as('acme'))
    const { operationId } = made.body
    expect((await h.get(`/v1/operations/${operationId}?waitMs=30000`, as('acme'))).body).include({ state: 'succeeded' })
    expect((await h.get('/v1/keys/vault', as('acme'))).body).include({ tenant: 'acme' })
    expect((await h.get('/v1/keys/vault', as('main'))).body.code).equal('KEY_NOT_FOUND')
    expect((await h.get('/v1/keys/vault')).body.code).equal('KEY_NOT_FOUND')
    expect((await h.get(`/v1/operations/${operationId}`, as('main'))).body.code).equal('OPERATION_NOT_FOUND')
    const body = { keyId: 'vault', payload: { type: 'evm.tx', bytes: payment(9) } }
    const asked = await h.post<{ requestId: string }>('/v1/signing-requests', body, as('acme', 'requester'))
    expect((await h.get(`/v1/signing-requests/${asked.body.requestId}?waitMs=30000`, as('acme'))).body).include({ state: 'signed' })
    expect((await h.get(`/v1/signing-requests/${asked.body.requestId}`, as('main'))).body.code).equal('REQUEST_NOT_FOUND')
    expect((await h.post<ProblemAnswer>('/v1/signing-requests', body, as('main'))).body.code).equal('KEY_NOT_FOUND')
    expect((await h.post<ProblemAnswer>('/v1/keys', { keyId: 'vault' }, as('main'))).body.code).equal('KEY_EXISTS')
    const namesAt = async (call: Call) => {
      const { items } = (await h.get<{ items: readonly { status: { keys: readonly { keyId: string }[] } | null }[] }>('/v1/nodes', call))
        .body
      return items[0]?.status?.keys.map((k) => k.keyId)
    }
    expect([await namesAt(as('acme')), await namesAt(as('main'))]).deep.equal([['vault'], ['main']])
  })
})
