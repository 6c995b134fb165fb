import { type Static, Type } from 'typebox'
import { OrNull, Time } from '../schemas.ts'
import type { EventRecord } from './event-store.ts'
import { EVENT_TYPES, type EventType } from './event-types.ts'

/** What a stream tells and a webhook is sent. */
export const EventBody = Type.Object(
  {
    id: Type.String({ description: 'The same wherever and however often the event is told' }),
    type: Type.Enum([...EVENT_TYPES]),
    timestamp: Time,
    subject: Type.String({ description: 'The id of what it happened to' }),
    keyId: OrNull(Type.String()),
    data: Type.Object({}, { additionalProperties: true, description: 'As the subject was then, without payloads' }),
  },
  { title: 'Event' },
)
export type EventBody = Static<typeof EventBody>

export function eventBody({ eventId, atMs, type, subject, keyId, data }: EventRecord): EventBody {
  return { id: eventId, type: type as EventType, timestamp: new Date(atMs).toISOString(), subject, keyId, data }
}

/** Equal texts for one event, whenever they are made. */
export function eventText(event: EventRecord): string {
  return JSON.stringify(eventBody(event))
}
