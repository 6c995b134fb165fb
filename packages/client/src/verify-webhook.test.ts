import { createHmac } from 'node:crypto'
import { codeOf } from '@conclave/core'
import { expect } from 'chai'
import { verifyWebhook } from './verify-webhook.ts'

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const AT_MS = 1_614_265_330_000

function sent(body: string, id = 'evt_1') {
  const timestamp = String(AT_MS / 1000)
  const signature = createHmac('sha256', Buffer.from(SECRET.slice(6), 'base64'))
    .update(`${id}.${timestamp}.${body}`)
    .digest('base64')
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` }
}

const codeAt = (...args: Parameters<typeof verifyWebhook>): string => {
  try {
    return verifyWebhook(...args).id
  } catch (error) {
    return codeOf(error)
  }
}

describe('verifyWebhook', () => {
  const body = '{"id":"evt_1","type":"key.active"}'
  const headers = sent(body)

  it('gives the event, from headers of either kind, and by any of several signatures', () => {
    expect(verifyWebhook(headers, body, SECRET, AT_MS)).deep.equal({ id: 'evt_1', type: 'key.active' })
    expect(verifyWebhook(new Headers(headers), body, SECRET, AT_MS).id).equal('evt_1')
    const several = { ...headers, 'webhook-signature': `v1a,x v1,${'A'.repeat(44)} ${headers['webhook-signature']}` }
    expect(verifyWebhook(several, body, SECRET, AT_MS).id).equal('evt_1')
  })

  it('takes the signature of the example in the specification', () => {
    const example = {
      ...{ 'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek', 'webhook-timestamp': '1614265330' },
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    }
    // Signed, and no event of ours.
    expect(codeAt(example, '{"test": 2432232314}', SECRET, AT_MS)).equal('BAD_WEBHOOK')
    expect(codeAt(example, '{"test": 2432232315}', SECRET, AT_MS)).equal('WEBHOOK_FORGED')
  })

  it('refuses what is not signed, is signed by another secret, has changed, is old, or is no event', () => {
    expect(codeAt({ ...headers, 'webhook-signature': undefined }, body, SECRET, AT_MS)).equal('WEBHOOK_UNSIGNED')
    expect(codeAt({ ...headers, 'webhook-signature': 'v1,' }, body, SECRET, AT_MS)).equal('WEBHOOK_FORGED')
    expect(codeAt({ ...headers, 'webhook-signature': headers['webhook-signature'].replace('v1,', 'v2,') }, body, SECRET, AT_MS)).equal(
      'WEBHOOK_FORGED',
    )
    expect(codeAt(headers, body, `whsec_${'A'.repeat(43)}=`, AT_MS)).equal('WEBHOOK_FORGED')
    expect(codeAt(headers, `${body} `, SECRET, AT_MS)).equal('WEBHOOK_FORGED')
    expect(codeAt({ ...headers, 'webhook-id': 'evt_2' }, body, SECRET, AT_MS)).equal('WEBHOOK_FORGED')
    expect(codeAt(headers, body, 'secret', AT_MS)).equal('BAD_SECRET')
    for (const offMs of [-300_001, 300_001]) expect(codeAt(headers, body, SECRET, AT_MS + offMs)).equal('WEBHOOK_EXPIRED')
    for (const offMs of [-300_000, 300_000]) expect(codeAt(headers, body, SECRET, AT_MS + offMs)).equal('evt_1')
    expect(codeAt({ ...headers, 'webhook-timestamp': 'NaN' }, body, SECRET, AT_MS)).equal('WEBHOOK_EXPIRED')
    for (const text of ['{', 'null', '7', '{"id":"evt_2"}']) expect(codeAt(sent(text), text, SECRET, AT_MS)).equal('BAD_WEBHOOK')
  })
})
