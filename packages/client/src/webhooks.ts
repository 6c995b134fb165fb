import type { Connection } from './connection.ts'
import type { components, operations } from './generated/api.ts'

type Schemas = components['schemas']
type PageOf<O extends 'listWebhooks' | 'listDeliveries'> = NonNullable<operations[O]['parameters']['query']>

/** Something that has happened, as a stream tells it and a webhook is sent it. */
export type ConclaveEvent = Schemas['Event']
export type Webhook = Schemas['Webhook']
/** With the secret that what is sent is signed with: told once. */
export type NewWebhook = Schemas['NewWebhook']
export type CreateWebhook = Schemas['CreateWebhook']
export type ChangeWebhook = Schemas['ChangeWebhook']
/** An event on its way to a webhook. */
export type Delivery = Schemas['Delivery']

interface Page<T> {
  readonly items: readonly T[]
  readonly nextCursor: string | null
}

/** Webhooks of a tenant; an administrator's. Every method throws {@link ConclaveApiError}. */
export class Webhooks {
  readonly #api: Connection

  constructor(api: Connection) {
    this.#api = api
  }

  create(body: CreateWebhook): Promise<NewWebhook> {
    return this.#api.call('post', '/v1/webhooks', { body })
  }

  list(query: PageOf<'listWebhooks'> = {}): Promise<Page<Webhook>> {
    return this.#api.call('get', '/v1/webhooks', { query })
  }

  get(webhookId: string): Promise<Webhook> {
    return this.#api.call('get', '/v1/webhooks/{webhookId}', { params: { webhookId } })
  }

  change(webhookId: string, body: ChangeWebhook): Promise<Webhook> {
    return this.#api.call('patch', '/v1/webhooks/{webhookId}', { params: { webhookId }, body })
  }

  delete(webhookId: string): Promise<Webhook> {
    return this.#api.call('delete', '/v1/webhooks/{webhookId}', { params: { webhookId } })
  }

  /** What is sent is signed by the secret before, too, for `overlapMs`; a day without it. */
  rotate(webhookId: string, body: { readonly overlapMs?: number } = {}): Promise<NewWebhook> {
    return this.#api.call('post', '/v1/webhooks/{webhookId}:rotate', { params: { webhookId }, body })
  }

  /** Sends an event of the type `webhook.test`. */
  test(webhookId: string): Promise<Delivery> {
    return this.#api.call('post', '/v1/webhooks/{webhookId}:test', { params: { webhookId } })
  }

  /** Newest first. */
  deliveries(webhookId: string, query: PageOf<'listDeliveries'> = {}): Promise<Page<Delivery>> {
    return this.#api.call('get', '/v1/webhooks/{webhookId}/deliveries', { params: { webhookId }, query })
  }

  /** The same event once more, under the same event id. */
  resend(webhookId: string, deliveryId: string): Promise<Delivery> {
    return this.#api.call('post', '/v1/webhooks/{webhookId}/deliveries/{deliveryId}:resend', { params: { webhookId, deliveryId } })
  }
}
