import { createHmac } from 'node:crypto'
import type { Random } from '@conclave/core'

const PREFIX = 'whsec_'
const SECRET_BYTES = 32

/** A secret in the text of Standard Webhooks. */
export function newWebhookSecret(random: Random): string {
  return PREFIX + Buffer.from(random.bytes(SECRET_BYTES)).toString('base64')
}

export interface SignedBody {
  /** Of the event: the same in every attempt and every delivery. */
  readonly id: string
  readonly atMs: number
  readonly body: string
}

/** The headers of Standard Webhooks, with a signature by each secret. */
export function webhookHeaders({ id, atMs, body }: SignedBody, secrets: readonly string[]): Readonly<Record<string, string>> {
  const timestamp = String(Math.floor(atMs / 1000))
  const sign = (secret: string) => {
    const key = Buffer.from(secret.slice(PREFIX.length), 'base64')
    return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`
  }
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': secrets.map(sign).join(' ') }
}
