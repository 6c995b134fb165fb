import { expect } from 'chai'
import { type Database, sqlOf } from '../database/database.ts'
import { onEveryDatabase } from '../testing/databases.ts'
import { type Claimed, DeliveryStore } from './delivery-store.ts'
import { WEBHOOKS_MAX, WebhookStore } from './webhook-store.ts'

const WEBHOOK = {
  ...{ url: 'https://hook.invalid/', types: null, keyId: null, label: null, isEnabled: true, disabledCode: null, failingSinceMs: null },
  ...{ oldUntilMs: null, createdBy: 'test', createdAtMs: 0 },
}
const DELIVERED = { status: 200, code: null, nowMs: 5, nextAtMs: null, disable: undefined }

onEveryDatabase('delivery store', (borrow) => {
  const withStore = async (test: (store: DeliveryStore, webhookId: string, database: Database) => Promise<void>) => {
    await using borrowed = await borrow()
    const { database } = borrowed
    const added = await new WebhookStore(database).add('main', WEBHOOK, 'whsec_x')
    const values = Array.from({ length: 20 }, (_, n) => ({ tenant: 'main', type: 'node.able', subject: `${n}`, key_id: null, data: '{}' }))
    await database.run([sqlOf.insertInto('event').values(values).compile()])
    await test(new DeliveryStore(database), added?.webhookId ?? '', database)
  }
  const claim = (store: DeliveryStore, nowMs: number, limit = 4, except: readonly string[] = []): Promise<readonly Claimed[]> =>
    store.claim({ limit, nowMs, leaseUntilMs: nowMs + 100, except })

  it('each attempt is begun by one, and by another when its lease is over', () =>
    withStore(async (store, webhookId) => {
      const claimed = (await Promise.all(Array.from({ length: 6 }, () => claim(store, 1)))).flat()
      expect(new Set(claimed.map((c) => c.deliveryId)).size).equal(20)
      expect(claimed.map((c) => c.attempt)).deep.equal(Array(20).fill(1))
      expect([await claim(store, 100), await store.nextAtMs([])]).deep.equal([[], 101])
      expect([await claim(store, 101, 4, [webhookId]), await store.nextAtMs([webhookId])]).deep.equal([[], undefined])
      expect((await claim(store, 101)).map((c) => c.attempt)).deep.equal([2, 2, 2, 2])
    }))

  it('who was too late writes nothing', () =>
    withStore(async (store, webhookId) => {
      const [first] = await claim(store, 1, 1)
      const again = (await claim(store, 101, 20)).find((c) => c.deliveryId === first?.deliveryId)
      if (first === undefined || again === undefined) expect.fail()
      await store.settle(first, { ...DELIVERED, code: 'TIMEOUT', status: null })
      await store.release(first, 0)
      const stateOf = async () =>
        (await store.list(webhookId, { limit: 20, beyond: undefined })).items.find((d) => d.deliveryId === first.deliveryId)
      expect(await stateOf()).include({ state: 'pending', attempts: 2, nextAtMs: 201, lastCode: null })
      await store.settle(again, DELIVERED)
      expect(await stateOf()).include({ state: 'delivered', lastStatus: 200, endedAtMs: 5 })
      await store.settle(again, { ...DELIVERED, code: 'TIMEOUT', status: null })
      expect(await stateOf()).include({ state: 'delivered' })
    }))

  it('a webhook that is disabled is not sent to, and is told nothing of what happens then', () =>
    withStore(async (store, webhookId, database) => {
      const webhooks = new WebhookStore(database)
      await webhooks.change('main', webhookId, { isEnabled: false })
      expect([await claim(store, 1), await store.nextAtMs([])]).deep.equal([[], undefined])
      await database.run([
        sqlOf.insertInto('event').values({ tenant: 'main', type: 'node.able', subject: 'x', key_id: null, data: '{}' }).compile(),
      ])
      await webhooks.change('main', webhookId, { isEnabled: true })
      expect(await claim(store, 1, 50)).lengthOf(20)
    }))

  it('a tenant has so many webhooks and no more', () =>
    withStore(async (_, __, database) => {
      const webhooks = new WebhookStore(database)
      for (let n = 1; n < WEBHOOKS_MAX; n++) expect(await webhooks.add('main', WEBHOOK, 'x')).not.equal(undefined)
      expect(await webhooks.add('main', WEBHOOK, 'x')).equal(undefined)
      expect(await webhooks.add('other', WEBHOOK, 'x')).not.equal(undefined)
    }))
})
