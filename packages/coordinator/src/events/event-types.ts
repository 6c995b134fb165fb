import { TEST_EVENT } from '../database/event-tables.ts'

/** Every type of event. Types may be added: clients pass over those that they do not know. */
export const EVENT_TYPES = [
  'signing_request.created',
  'signing_request.decoded',
  'signing_request.pending_approval',
  'signing_request.queued',
  'signing_request.signing',
  'signing_request.signed',
  'signing_request.denied',
  'signing_request.rejected',
  'signing_request.expired',
  'signing_request.failed',
  'signing_request.cancelled',
  'key.active',
  'key.renewed',
  'key.phase_changed',
  'operation.created',
  'operation.running',
  'operation.succeeded',
  'operation.failed',
  'node.able',
  'node.unable',
  'webhook.disabled',
  TEST_EVENT,
] as const
export type EventType = (typeof EVENT_TYPES)[number]

/** What a filter names: a type, or all of one subject. */
export const EVENT_FILTERS = [...EVENT_TYPES, ...new Set(EVENT_TYPES.map((type) => `${type.split('.')[0]}.*`))] as const

/** Whether no other event of the same signing request follows. */
export function isLastOfRequest(type: string): boolean {
  return ENDS.has(type)
}

const ENDS: ReadonlySet<string> = new Set(
  ['signed', 'denied', 'rejected', 'expired', 'failed', 'cancelled'].map((state) => `signing_request.${state}`),
)
