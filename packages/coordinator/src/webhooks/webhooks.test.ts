import { createHmac } from 'node:crypto'
import { expect } from 'chai'
import { rowsOf, sqlOf } from '../database/database.ts'
import { EventReader } from '../testing/event-reader.ts'
import { eventually, Harness } from '../testing/harness.ts'
import { type Received, Receiver } from '../testing/receiver.ts'
import type { DeliveryBody, WebhookBody } from './webhook-schemas.ts'

type NewWebhook = WebhookBody & { readonly secret: string }
interface List<T> {
  readonly items: readonly T[]
  readonly nextCursor: string | null
}

/** As the document of Standard Webhooks says, and with nothing of ours. */
function isSignedBy(secret: string, { headers, body }: Received): boolean {
  const content = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`
  const expected = createHmac('sha256', Buffer.from(secret.replace('whsec_', ''), 'base64'))
    .update(content)
    .digest('base64')
  return headers['webhook-signature']?.split(' ').includes(`v1,${expected}`) === true
}

describe('webhooks', () => {
  let h: Harness
  let receiver: Receiver
  beforeEach(async () => {
    receiver = await Receiver.start()
    h = await Harness.prepare()
    h.cluster.addKey('main')
    settle({})
    await h.run()
    await eventually(async () => (await h.get('/v1/keys/main')).status === 200)
  })
  afterEach(async () => {
    await h[Symbol.asyncDispose]()
    await receiver[Symbol.asyncDispose]()
  })

  function settle(change: Partial<Harness['settings']['webhooks']>): void {
    const webhooks = { ...h.settings.webhooks, networks: ['127.0.0.0/8'], retryAfterMs: [10_000, 40_000], ...change }
    h.settings = { ...h.settings, webhooks }
  }

  async function create(body: object = {}): Promise<NewWebhook> {
    const answer = await h.post<NewWebhook>('/v1/webhooks', { url: receiver.url, types: ['signing_request.signed'], ...body })
    expect(answer.status, JSON.stringify(answer.body)).equal(201)
    return answer.body
  }

  async function deliveries({ webhookId }: WebhookBody, query = ''): Promise<readonly DeliveryBody[]> {
    return (await h.get<List<DeliveryBody>>(`/v1/webhooks/${webhookId}/deliveries${query}`)).body.items
  }

  const passed = (holds: () => boolean | Promise<boolean>) => h.passing(5_000, holds)

  it('an event is sent once, signed by the secret that was told once, and as the stream tells it', async () => {
    const webhook = await create()
    const id = await h.request()
    await eventually(async () => (await deliveries(webhook)).at(0)?.state === 'delivered')
    expect(receiver.types).deep.equal(['signing_request.signed'])
    const [received] = receiver.received
    if (received === undefined) expect.fail()
    expect(received.event.subject).equal(id)
    expect(isSignedBy(webhook.secret, received)).equal(true)
    expect(isSignedBy(webhook.secret, { ...received, body: received.body.replace('main', 'mian') })).equal(false)
    expect(received.headers['content-type']).equal('application/json')
    await using stream = await EventReader.open(h, `/v1/signing-requests/${id}/events`)
    await eventually(() => stream.isEnded)
    expect(stream.events.at(-1)).deep.equal(received.event)
    expect(received.headers['webhook-id']).equal(received.event.id)
    const shown = JSON.stringify([await h.get(`/v1/webhooks/${webhook.webhookId}`), await deliveries(webhook), h.log])
    expect(shown).not.include(webhook.secret.slice(6))
  })

  it('what was not taken is sent again later and later, under the same id, until it is', async () => {
    const webhook = await create()
    receiver.status(500)
    await h.ended(await h.request())
    await eventually(async () => (await deliveries(webhook)).at(0)?.lastCode === 'BAD_STATUS')
    const [first] = await deliveries(webhook)
    expect(first).include({ state: 'pending', attempts: 1, lastStatus: 500 })
    expect(Date.parse(first?.nextAt ?? '') - h.clock.nowMs()).within(5_000, 10_000)
    expect((await h.get<WebhookBody>(`/v1/webhooks/${webhook.webhookId}`)).body.failingSince).not.equal(null)
    await passed(() => receiver.received.length === 2)
    await eventually(async () => (await deliveries(webhook)).at(0)?.attempts === 2 && (await deliveries(webhook)).at(0)?.lastCode !== null)
    receiver.status(200)
    await passed(async () => (await deliveries(webhook)).at(0)?.state === 'delivered')
    expect(new Set(receiver.received.map((r) => `${r.headers['webhook-id']} ${r.body}`)).size).equal(1)
    expect((await h.get<WebhookBody>(`/v1/webhooks/${webhook.webhookId}`)).body.failingSince).equal(null)
  })

  it('after the last attempt it has failed, and is sent again when somebody asks for it', async () => {
    const webhook = await create()
    receiver.status(503)
    await h.ended(await h.request())
    await passed(async () => (await deliveries(webhook)).at(0)?.state === 'failed')
    expect(receiver.received.length).equal(3)
    receiver.status(200)
    const [failed] = await deliveries(webhook)
    const path = `/v1/webhooks/${webhook.webhookId}/deliveries`
    const resent = await h.post<DeliveryBody>(`${path}/${failed?.deliveryId}:resend`, undefined)
    expect([resent.status, resent.body.state, resent.body.event.id]).deep.equal([201, 'pending', failed?.event.id])
    await eventually(async () => (await deliveries(webhook)).at(0)?.state === 'delivered')
    expect((await deliveries(webhook)).map((d) => d.state)).deep.equal(['delivered', 'failed'])
    expect((await deliveries(webhook, '?state=failed')).map((d) => d.deliveryId)).deep.equal([failed?.deliveryId])
    const page = (await h.get<List<DeliveryBody>>(`${path}?limit=1`)).body
    const rest = (await h.get<List<DeliveryBody>>(`${path}?limit=1&cursor=${page.nextCursor}`)).body
    expect([page.items[0]?.state, rest.items[0]?.state, rest.nextCursor]).deep.equal(['delivered', 'failed', null])
    expect((await h.post(`${path}/dlv_0:resend`, undefined)).body.code).equal('DELIVERY_NOT_FOUND')
  })

  it('a kill at any moment loses no delivery', async () => {
    const webhook = await create({ types: ['signing_request.created', 'signing_request.signed'] })
    const reached = Promise.withResolvers<void>()
    // The attempt is under way, and nobody will ever hear what became of it.
    receiver.answer = () => reached.resolve()
    const ids = [await h.request(1), await h.request(2)]
    await reached.promise
    await h.crashAndRestart()
    receiver.status(200)
    for (const id of ids) await h.ended(id)
    await passed(async () => (await deliveries(webhook)).filter((d) => d.state === 'delivered').length === 4)
    const told = new Set(receiver.received.map(({ event }) => `${event.type} ${event.subject}`))
    expect([...told].sort()).deep.equal(ids.flatMap((id) => [`signing_request.created ${id}`, `signing_request.signed ${id}`]).sort())
  })

  it('a webhook is told of its types, its key and its tenant', async () => {
    await create({ types: ['signing_request.*'], keyId: 'other' })
    const all = await create({ types: null })
    const some = await create({ types: ['signing_request.created', 'signing_request.signed'], keyId: 'main' })
    await h.ended(await h.request())
    const isDone = async (webhook: WebhookBody) =>
      (await deliveries(webhook, '?state=delivered')).some((d) => d.event.type.endsWith('.signed'))
    await eventually(async () => (await isDone(all)) && (await isDone(some)))
    await eventually(async () => (await deliveries(some, '?state=delivered')).length === 2)
    expect((await deliveries(some)).map((d) => d.event.type)).deep.equal(['signing_request.signed', 'signing_request.created'])
    const listed = (await h.get<List<WebhookBody>>('/v1/webhooks')).body.items
    expect(await Promise.all(listed.map(async (webhook) => (await deliveries(webhook)).length > 0))).deep.equal([true, true, false])
    const { body } = await h.post<{ secret: string }>('/v1/api-keys', { name: 'others', role: 'admin', tenant: 'others' })
    const others = { headers: { authorization: `Bearer ${body.secret}` }, as: null }
    expect((await h.get<List<WebhookBody>>('/v1/webhooks', others)).body.items).deep.equal([])
    expect((await h.get(`/v1/webhooks/${all.webhookId}`, others)).body.code).equal('WEBHOOK_NOT_FOUND')
    expect((await h.get(`/v1/webhooks/${all.webhookId}/deliveries`, others)).body.code).equal('WEBHOOK_NOT_FOUND')
    expect((await h.call('DELETE', `/v1/webhooks/${all.webhookId}`, others)).body.code).equal('WEBHOOK_NOT_FOUND')
  })

  it('a test is sent to this one webhook; a deleted one is told nothing more', async () => {
    const webhook = await create()
    const other = await create({ types: null })
    const { status, body } = await h.post<DeliveryBody>(`/v1/webhooks/${webhook.webhookId}:test`, undefined)
    expect([status, body.event.type]).deep.equal([201, 'webhook.test'])
    await eventually(async () => (await deliveries(webhook)).at(0)?.state === 'delivered')
    expect((await deliveries(other)).filter((d) => d.event.type === 'webhook.test')).deep.equal([])
    expect((await h.call('DELETE', `/v1/webhooks/${webhook.webhookId}`)).status).equal(200)
    expect((await h.post(`/v1/webhooks/${webhook.webhookId}:test`, undefined)).body.code).equal('WEBHOOK_NOT_FOUND')
    const left = await rowsOf(
      h.database,
      sqlOf.selectFrom('delivery').select('delivery_id').where('webhook_id', '=', webhook.webhookId).compile(),
    )
    expect(left).deep.equal([])
  })

  it('after a rotation both secrets sign for a while, and then the new one alone', async () => {
    const webhook = await create()
    const path = `/v1/webhooks/${webhook.webhookId}`
    const { secret } = (await h.post<NewWebhook>(`${path}:rotate`, { overlapMs: 60_000 })).body
    expect(secret).not.equal(webhook.secret)
    const tested = async (): Promise<Received> => {
      const before = receiver.received.length
      await h.post(`${path}:test`, undefined)
      await eventually(() => receiver.received.length > before)
      return receiver.received.at(-1) as Received
    }
    const during = await tested()
    expect([isSignedBy(secret, during), isSignedBy(webhook.secret, during)]).deep.equal([true, true])
    h.clock.advance(60_000)
    const after = await tested()
    expect([isSignedBy(secret, after), isSignedBy(webhook.secret, after)]).deep.equal([true, false])
  })

  it('one that fails for days, or says that it is gone, is disabled with an event, and goes on when it is enabled', async () => {
    settle({ disableAfterDays: 1, retryAfterMs: [5_000, 86_400_000, 5_000] })
    await h.stop()
    await h.run()
    const webhook = await create()
    receiver.status(500)
    const watching = await create({ url: receiver.url, types: ['webhook.disabled'] })
    await h.ended(await h.request())
    await passed(async () => (await deliveries(webhook)).at(0)?.attempts === 2 && (await deliveries(webhook)).at(0)?.lastCode !== null)
    h.clock.advance(86_400_000)
    const one = async ({ webhookId }: WebhookBody) => (await h.get<WebhookBody>(`/v1/webhooks/${webhookId}`)).body
    await passed(async () => (await one(webhook)).state === 'disabled')
    expect((await one(webhook)).disabledCode).equal('FAILING')
    expect((await deliveries(watching)).map((d) => d.event.subject)).deep.equal([webhook.webhookId])
    receiver.status(200)
    expect((await h.call<WebhookBody>('PATCH', `/v1/webhooks/${webhook.webhookId}`, { body: { state: 'enabled' } })).body.state).equal(
      'enabled',
    )
    await passed(async () => (await deliveries(webhook)).at(0)?.state === 'delivered')
    receiver.status(410)
    await h.ended(await h.request(2))
    await eventually(async () => (await one(webhook)).disabledCode === 'GONE')
    expect((await deliveries(webhook)).at(0)).include({ state: 'failed', lastCode: 'GONE', attempts: 1 })
  })

  it('a receiver that does not answer is left, and keeps no other waiting', async () => {
    settle({ timeoutMs: 500, parallel: 8 })
    await h.stop()
    await h.run()
    await using slow = await Receiver.start()
    slow.answer = () => undefined
    const stuck = await create({ url: slow.url, types: null })
    const quick = await create()
    const ids = await Promise.all(Array.from({ length: 6 }, (_, n) => h.request(n)))
    for (const id of ids) await h.ended(id)
    await eventually(async () => (await deliveries(quick, '?state=delivered')).length === 6)
    await eventually(async () => (await deliveries(stuck)).some((d) => d.lastCode === 'TIMEOUT'))
  })

  it('an endless answer is cut, and a redirect is not followed', async () => {
    // So that it is not the timeout that cuts it.
    settle({ timeoutMs: 600_000 })
    await h.stop()
    await h.run()
    const webhook = await create()
    const closed = Promise.withResolvers<void>()
    receiver.answer = (response) => {
      response.on('close', closed.resolve).writeHead(200)
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(65_536)));
      }
      response.on('drain', more)
      more()
    }
    await h.ended(await h.request(1))
    await eventually(async () => (await deliveries(webhook)).at(0)?.state === 'delivered')
    await closed.promise
    await using inner = await Receiver.start()
    receiver.status(302, { location: inner.url })
    await h.ended(await h.request(2))
    await eventually(async () => (await deliveries(webhook)).at(0)?.lastCode === 'REDIRECTED')
    expect(inner.received).deep.equal([])
  })

  it('an address that is not of the internet is refused, by its name too, when it is connected to', async () => {
    settle({ networks: [] })
    await h.stop()
    await h.run()
    const refused = await h.post('/v1/webhooks', { url: receiver.url })
    expect([refused.status, refused.body.code]).deep.equal([400, 'BAD_WEBHOOK_URL'])
    const named = await create({ url: receiver.url.replace('127.0.0.1', 'localhost') })
    await h.ended(await h.request())
    await eventually(async () => (await deliveries(named)).at(0)?.lastCode === 'WEBHOOK_ADDRESS')
    expect(receiver.received).deep.equal([])
    for (const url of [
      'http://example.org/',
      'ftp://example.org/',
      'https://169.254.169.254/',
      'https://[::ffff:10.0.0.1]/',
      'https://u:p@example.org/',
      'x',
    ]) {
      expect((await h.post('/v1/webhooks', { url })).body.code, url).equal('BAD_WEBHOOK_URL')
      expect((await h.call('PATCH', `/v1/webhooks/${named.webhookId}`, { body: { url } })).body.code, url).equal('BAD_WEBHOOK_URL')
    }
  })
})
