import { expect } from 'chai'
import { ANSWER_GRACE_MS } from './attempt.ts'
import { STATUS_INTERVAL_MS } from './cluster-view.ts'
import { LOOK_MS } from './renewal-driver.ts'
import { MOVES_FORGIVEN_MAX } from './signing-quorum.ts'
import { failure } from './testing/fake-node.ts'
import { eventually, Harness } from './testing/harness.ts'

/** A refresh that these nodes have prepared and have not gone on to yet; the coordinator has seen the others' reports. */
async function split(behind: readonly number[]): Promise<Harness> {
  const h = await Harness.start()
  for (const i of behind) h.cluster.node(i).holdsBack = true
  await h.renew('refresh')
  await h.passing(LOOK_MS, () => behind.every((i) => h.cluster.node(i).status().keys[0]?.prepared === 1))
  await eventually(async () => {
    const { items } = (await h.get<{ items: { status: { keys: { epoch: number }[] } | null }[] }>('/v1/nodes')).body
    if (h.clock.hasTimer(LOOK_MS)) h.clock.advance(LOOK_MS)
    return items.every((n, i) => n.status?.keys[0]?.epoch === (behind.includes(i + 1) ? 0 : 1))
  })
  return h
}
const epochsSigned = (h: Harness) => new Set(h.cluster.world.signs.map((s) => s.epoch))

describe('signing during a renewal', () => {
  it('two nodes have gone on: the other three sign under the epoch before', async () => {
    await using h = await split([3, 4, 5])
    expect((await h.ended(await h.request())).signers).deep.equal([3, 4, 5])
    expect(epochsSigned(h)).deep.equal(new Set([0]))
  })

  it('three nodes have gone on: they sign, under the new epoch', async () => {
    await using h = await split([4, 5])
    const body = await h.ended(await h.request())
    expect(body).deep.include({ state: 'signed', signers: [1, 2, 3] })
    expect(epochsSigned(h)).deep.equal(new Set([1]))
  })

  it('no epoch has a quorum: waits, says why when the deadline comes, signs when a node goes on', async () => {
    await using h = await split([4, 5])
    h.cluster.node(1).kill()
    await eventually(async () => (await h.get<{ nodesUp: number }>('/readyz')).body.nodesUp === 4)
    const late = await h.request(1, { deadlineMs: 1000 })
    const id = await h.request(2, { deadlineMs: 600_000 })
    await eventually(async () => (await h.signing(late)).state === 'queued' && (await h.signing(id)).state === 'queued')
    h.clock.advance(1000)
    const { error } = await h.ended(late)
    expect(error?.code).equal('QUORUM_UNREACHABLE')
    expect(error?.detail).contain('epochs: oslo 1, madrid 1, tokyo 0, quito 0')
    h.cluster.node(4).promote('main')
    await h.passing(1000, async () => (await h.signing(id)).endedAt !== null)
    expect(await h.signing(id)).deep.include({ state: 'signed', signers: [2, 3, 4] })
  })

  it('nodes that went on unseen answer STALE_EPOCH: looked at again, and signed, which counts as no attempt', async () => {
    await using h = await Harness.start({ maxAttempts: 1 })
    for (const node of h.cluster.nodes) {
      node.signsBefore = false
      node.changeShare('main', { epoch: 1, prepared: 1 })
    }
    const { state, attempts } = await h.ended(await h.request())
    expect(state).equal('signed')
    expect(attempts.map((a) => [a.outcome, a.code])).deep.equal([
      ['failed', 'STALE_EPOCH'],
      ['signed', null],
    ])
    expect(h.cluster.world.signs.map((s) => s.epoch)).deep.equal([0, 0, 0, 1, 1, 1])
  })

  it('nodes that take up another policy answer POLICY_STALE: asked again, and signed, which counts as no attempt', async () => {
    await using h = await Harness.start({ maxAttempts: 1 })
    for (const node of h.cluster.nodes)
      node.intercept = async (request, honest) =>
        'sign' in request && request.sign.attempt === 1 ? failure('POLICY_STALE', { retriable: true }) : await honest()
    const { state, attempts } = await h.ended(await h.request())
    expect(state).equal('signed')
    expect(attempts.map((a) => [a.outcome, a.code])).deep.equal([
      ['failed', 'POLICY_STALE'],
      ['signed', null],
    ])
  })

  it('a node that says STALE_EPOCH for ever does not keep a request alive for ever', async () => {
    await using h = await Harness.start({ maxAttempts: 2 })
    for (const i of [4, 5]) h.cluster.node(i).kill()
    await eventually(async () => (await h.get<{ nodesUp: number }>('/readyz')).body.nodesUp === 3)
    h.cluster.node(1).intercept = async (request, honest) => ('sign' in request ? failure('STALE_EPOCH') : await honest())
    const id = await h.request(0, { deadlineMs: 600_000 })
    await eventually(async () => {
      for (const ms of [ANSWER_GRACE_MS, 200, 400, 800, 1600, 3200]) if (h.clock.hasTimer(ms)) h.clock.advance(ms)
      return (await h.signing(id)).endedAt !== null
    })
    const { attempts, error } = await h.signing(id)
    expect(error?.code).equal('SIGNING_FAILED')
    expect(attempts).lengthOf(MOVES_FORGIVEN_MAX + 2)
  })

  it('a request that waits while the threshold rises is signed by as many as it is then', async () => {
    await using h = await Harness.start()
    for (const i of [1, 2, 3]) h.cluster.node(i).pairs.set(4, 'missing')
    for (const i of [1, 2]) for (const j of [3, 5]) h.cluster.node(i).pairs.set(j, 'missing')
    h.clock.advance(STATUS_INTERVAL_MS)
    await eventually(() => h.clock.hasTimer(STATUS_INTERVAL_MS))
    const id = await h.request(0, { deadlineMs: 600_000 })
    await eventually(async () => (await h.signing(id)).state === 'queued')
    const reshare = await h.renew('reshare', { quorum: { required: 4 } })
    expect((await h.operationEnded(reshare)).state).equal('succeeded')
    for (const node of h.cluster.nodes) for (const peer of [...node.pairs.keys()]) node.pairs.set(peer, 'ready')
    await h.passing(1000, async () => (await h.signing(id)).endedAt !== null)
    expect((await h.signing(id)).signers).lengthOf(4)
    expect(epochsSigned(h)).deep.equal(new Set([1]))
  })

  it('two nodes claim a higher epoch, alone: the others sign under the real one', async () => {
    await using h = await Harness.start()
    for (const i of [1, 2]) {
      h.cluster.node(i).intercept = async (_, honest) => {
        const answer = await honest()
        if (!('status' in answer)) return answer
        const keys = answer.status.keys.map((k) => ({ ...k, epoch: 9, threshold: 2, parties: [1, 2] }))
        return { status: { ...answer.status, keys } }
      }
    }
    h.clock.advance(STATUS_INTERVAL_MS)
    await eventually(() => h.clock.hasTimer(STATUS_INTERVAL_MS))
    const body = await h.ended(await h.request())
    expect(body).deep.include({ state: 'signed', signers: [3, 4, 5] })
    expect((await h.get('/v1/keys/main')).body).include({ epoch: 0, threshold: 3 })
  })
})
