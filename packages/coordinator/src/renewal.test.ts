import { toHex } from '@conclave/core'
import { expect } from 'chai'

import type { KeyBody } from './schemas.ts'

import { Harness } from './testing/harness.ts'

async function ask(h: Harness, action: 'refresh' | 'reshare', body?: unknown): Promise<string> {
  const answer = await h.post<{ operationId: string }>(`/v1/keys/main:${action}`, body)
  expect(answer.status, JSON.stringify(answer.body)).equal(202)
  return answer.body.operationId
}
const keyOf = async (h: Harness) => (await h.get<KeyBody>('/v1/keys/main')).body
const epochs = (h: Harness) => h.cluster.nodes.map((n) => n.keys.get('main')?.epoch)

describe('key refresh', () => {
  it('every party deals, the epoch rises and the key stays', async () => {
    await using h = await Harness.start()
    const before = await keyOf(h)
    h.clock.advance(60_000)
    const operation = await h.operationEnded(await ask(h, 'refresh'))
    expect(operation).include({ state: 'succeeded', kind: 'key.refresh', keyId: 'main', requestedBy: 'admin', error: null })
    expect(epochs(h)).deep.equal([1, 1, 1, 1, 1])
    const after = await keyOf(h)
    expect(operation.result).deep.equal(after)
    expect(after).deep.equal({ ...before, epoch: 1, refreshedAt: new Date(h.clock.nowMs()).toISOString() })
    const told = h.cluster.world.renewals.map((r) => r.renew)
    expect(told).lengthOf(5)
    expect(new Set(told.map((r) => toHex(r.nonce))).size).equal(1)
    expect(told[0]).deep.include({
      kind: 'refresh',
      fromEpoch: 0,
      epoch: 1,
      threshold: 3,
      parties: [1, 2, 3, 4, 5],
      dealers: [1, 2, 3, 4, 5],
    })
  })
})
