import { createHmac, timingSafeEqual } from 'node:crypto'
import { InvalidArgument } from '@conclave/core'
import type { ConclaveEvent } from './webhooks.ts'

/** Older and newer ones are refused, so that nobody can send one again for ever. */
const TOLERANCE_S = 300
const SIGNATURES_MAX = 16
const SECRET = /^whsec_([A-Za-z0-9+/]{32,88}={0,2})$/

/** Header values, as `node:http` or `fetch` has them. */
export type WebhookHeaders = Headers | Readonly<Record<string, string | readonly string[] | undefined>>

function headerOf(headers: WebhookHeaders, name: string): string {
  const value = headers instanceof Headers ? headers.get(name) : headers[name]
  if (typeof value !== 'string') throw new InvalidArgument('WEBHOOK_UNSIGNED', `the header ${name} is missing`)
  return value
}

/**
 * The event in a webhook, when it was signed with this secret within the last five minutes (Standard Webhooks, `v1`).
 *
 * It may come more than once: go by its `id`. And it is a hint: before money moves, ask the coordinator for the request.
 *
 * @param headers - names in lower case, as Node has them.
 * @param body - exactly as it came, before anything has read it as JSON.
 * @throws {InvalidArgument} WEBHOOK_UNSIGNED, WEBHOOK_EXPIRED, WEBHOOK_FORGED; BAD_SECRET; BAD_WEBHOOK for what is signed and no event.
 */
export function verifyWebhook(headers: WebhookHeaders, body: string, secret: string, nowMs = Date.now()): ConclaveEvent {
  const [id, timestamp, signature] = ['webhook-id', 'webhook-timestamp', 'webhook-signature'].map((name) => headerOf(headers, name)) as [
    string,
    string,
    string,
  ]
  const key = SECRET.exec(secret)?.[1]
  if (key === undefined) throw new InvalidArgument('BAD_SECRET', 'the secret of a webhook begins with whsec_')
  if (!/^\d{1,12}$/.test(timestamp) || Math.abs(nowMs / 1000 - Number(timestamp)) > TOLERANCE_S) {
    throw new InvalidArgument('WEBHOOK_EXPIRED', 'the webhook was not signed within the last five minutes')
  }
  const expected = createHmac('sha256', Buffer.from(key, 'base64')).update(`${id}.${timestamp}.${body}`).digest()
  const isSigned = signature
    .split(' ', SIGNATURES_MAX)
    .map((each) => Buffer.from(/^v1,(.{44})$/.exec(each)?.[1] ?? '', 'base64'))
    .some((each) => each.length === expected.length && timingSafeEqual(each, expected))
  if (!isSigned) throw new InvalidArgument('WEBHOOK_FORGED', 'the webhook was not signed with this secret')
  let event: unknown
  try {
    event = JSON.parse(body)
  } catch (cause) {
    throw new InvalidArgument('BAD_WEBHOOK', 'the webhook holds no JSON', {}, cause)
  }
  if (typeof event !== 'object' || event === null || !('id' in event) || event.id !== id) {
    throw new InvalidArgument('BAD_WEBHOOK', 'the webhook holds no event')
  }
  return event as ConclaveEvent
}
