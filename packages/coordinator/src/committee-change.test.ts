import { writeFile } from 'node:fs/promises'
import { formatLock } from '@conclave/core'
import { expect } from 'chai'
import type { KeyBody, OperationBody } from './key-schemas.ts'
import { LOOK_MS } from './renewal-driver.ts'
import { eventually, FakeCluster, Harness } from './testing/harness.ts'

const operation = async (h: Harness, id: string) => (await h.get<OperationBody>(`/v1/operations/${id}`)).body

async function ended(h: Harness, id: string): Promise<OperationBody> {
  await h.passing(LOOK_MS, async () => (await operation(h, id)).endedAt !== null)
  return await operation(h, id)
}

/** The coordinator is killed and comes back under a lock without node 5, which is not there any more. */
async function withoutNode5(h: Harness): Promise<void> {
  const { lock } = await FakeCluster.start({ of: 4 })
  await writeFile(h.settings.cluster.lock, formatLock(lock))
  await h.crashAndRestart()
  await eventually(async () => (await h.get<{ nodesUp: number }>('/readyz')).body.nodesUp === 4)
}

describe('coordinator under the next lock', () => {
  it('a key is reshared to the nodes of the present lock, and signs before and after', async () => {
    await using h = await Harness.start()
    h.cluster.node(5).kill()
    await withoutNode5(h)
    expect((await h.get<KeyBody>('/v1/keys/main')).body.parties).deep.equal([1, 2, 3, 4, 5])
    expect((await h.ended(await h.request(1))).state).equal('signed')
    const error = (await ended(h, await h.renew('refresh'))).error
    expect(error).include({ code: 'RESHARE_NEEDED', retriable: false })
    expect(error?.detail).contain('have left the cluster: 5')
    expect((await ended(h, await h.renew('reshare'))).state).equal('succeeded')
    const [told] = h.cluster.world.renewals
    expect(told?.renew).deep.include({ kind: 'reshare', threshold: 3, parties: [1, 2, 3, 4], dealers: [1, 2, 3] })
    expect((await h.get<KeyBody>('/v1/keys/main')).body).deep.include({ epoch: 1, parties: [1, 2, 3, 4] })
    h.cluster.node(1).kill()
    expect((await h.ended(await h.request(2))).signers).deep.equal([2, 3, 4])
  })

  it('COMMITTEE_CHANGED: a reshare that was asked under the lock before', async () => {
    await using h = await Harness.start()
    h.cluster.node(5).kill()
    const id = await h.renew('reshare')
    await withoutNode5(h)
    expect((await ended(h, id)).error).include({ code: 'COMMITTEE_CHANGED', retriable: false })
    expect(h.cluster.world.renewals).deep.equal([])
  })

  it('an open request goes on, whatever the node that left had said of it', async () => {
    await using h = await Harness.start()
    const denial = { allowed: false, code: 'DENIED_HERE', reason: 'no', rule: '', digests: [] }
    h.cluster.node(5).intercept = async (_, honest) => {
      const answer = await honest()
      return 'verdict' in answer ? { verdict: { ...answer.verdict, ...denial } } : answer
    }
    for (const i of [1, 2]) h.cluster.node(i).kill()
    const id = await h.request()
    await eventually(async () => (await h.signing(id)).nodeVerdicts.some((v) => v.node === 5))
    h.cluster.node(5).kill()
    for (const i of [1, 2]) await h.cluster.node(i).start()
    await withoutNode5(h)
    expect((await h.ended(id)).state).equal('signed')
  })
})
