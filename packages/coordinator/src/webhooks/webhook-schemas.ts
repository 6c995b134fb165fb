import { type Static, Type } from 'typebox'
import { OVERLAP_MS_DEFAULT, PageFields } from '../access-schemas.ts'
import { DELIVERY_STATES } from '../database/event-tables.ts'
import { EventBody } from '../events/event-body.ts'
import { EVENT_FILTERS } from '../events/event-types.ts'
import { closed, OrNull, Time } from '../schemas.ts'

const OVERLAP_MS_MAX = 30 * 86_400_000
const URL_CHARS_MAX = 2048
const LABEL_CHARS_MAX = 256

export const WebhookPath = Type.Object({ webhookId: Type.String({ maxLength: 64 }) })
export const DeliveryPath = Type.Object({ webhookId: Type.String({ maxLength: 64 }), deliveryId: Type.String({ maxLength: 64 }) })

const Url = Type.String({ maxLength: URL_CHARS_MAX, description: 'https, to an address of the internet, unless the settings allow others' })
const Types = OrNull(
  Type.Array(Type.Enum([...EVENT_FILTERS]), {
    minItems: 1,
    maxItems: EVENT_FILTERS.length,
    uniqueItems: true,
    description: 'Types of events, or `signing_request.*`; null for all',
  }),
)
const KeyFilter = OrNull(Type.String({ maxLength: 64, description: 'Only events of this key' }))
const Label = OrNull(Type.String({ maxLength: LABEL_CHARS_MAX }))
const State = Type.Enum(['enabled', 'disabled'])

export const CreateWebhookBody = Type.Object(
  { url: Url, types: Type.Optional(Types), keyId: Type.Optional(KeyFilter), label: Type.Optional(Label) },
  { ...closed, title: 'CreateWebhook' },
)
export const ChangeWebhookBody = Type.Object(
  {
    url: Type.Optional(Url),
    types: Type.Optional(Types),
    keyId: Type.Optional(KeyFilter),
    label: Type.Optional(Label),
    state: Type.Optional(State),
  },
  { ...closed, title: 'ChangeWebhook' },
)
export const RotateWebhookBody = Type.Union([
  Type.Object(
    {
      overlapMs: Type.Optional(
        Type.Integer({
          minimum: 0,
          maximum: OVERLAP_MS_MAX,
          description: `How long what is sent is signed by the secret before, too; ${OVERLAP_MS_DEFAULT} without it`,
        }),
      ),
    },
    { ...closed, title: 'RotateWebhook' },
  ),
  Type.Null(),
])

const WebhookFields = {
  webhookId: Type.String(),
  url: Type.String(),
  types: OrNull(Type.Array(Type.String())),
  keyId: OrNull(Type.String()),
  label: OrNull(Type.String()),
  state: State,
  disabledCode: OrNull(Type.String({ description: 'FAILING: nothing was delivered for days. GONE: it answered 410. BY_HAND' })),
  failingSince: OrNull(Time),
  oldSecretUntil: OrNull(Time),
  createdBy: Type.String(),
  createdAt: Time,
}
export const WebhookBody = Type.Object(WebhookFields, { title: 'Webhook' })
export type WebhookBody = Static<typeof WebhookBody>
export const NewWebhookBody = Type.Object(
  { ...WebhookFields, secret: Type.String({ description: 'Told once. What is sent is signed by it (Standard Webhooks)' }) },
  { title: 'NewWebhook' },
)
export const WebhooksQuery = Type.Object(PageFields, closed)
export const WebhookListBody = Type.Object({ items: Type.Array(WebhookBody), nextCursor: OrNull(Type.String()) }, { title: 'WebhookList' })

const DeliveryStateBody = Type.Enum([...DELIVERY_STATES], {
  description: 'pending: an attempt is under way, or `nextAt`. failed: there is no further attempt',
})
export const DeliveryBody = Type.Object(
  {
    deliveryId: Type.String(),
    webhookId: Type.String(),
    state: DeliveryStateBody,
    attempts: Type.Integer(),
    nextAt: OrNull(Time),
    lastAt: OrNull(Time),
    lastStatus: OrNull(Type.Integer({ description: 'That the receiver answered' })),
    lastCode: OrNull(
      Type.String({ description: 'CONNECT_FAILED TIMEOUT REDIRECTED BAD_STATUS GONE WEBHOOK_ADDRESS; null when it was delivered' }),
    ),
    endedAt: OrNull(Time),
    createdAt: Time,
    event: EventBody,
  },
  { title: 'Delivery' },
)
export type DeliveryBody = Static<typeof DeliveryBody>
export const DeliveriesQuery = Type.Object({ ...PageFields, state: Type.Optional(Type.Enum([...DELIVERY_STATES])) }, closed)
export const DeliveryListBody = Type.Object(
  { items: Type.Array(DeliveryBody), nextCursor: OrNull(Type.String()) },
  { title: 'DeliveryList' },
)
