import { expect } from 'chai'
import { STATUS_INTERVAL_MS } from './cluster-view.ts'
import type { KeyBody } from './key-schemas.ts'
import type { NodeBody } from './node-schemas.ts'
import type { FakeShare } from './testing/fake-renewal.ts'
import { eventually, Harness } from './testing/harness.ts'

const keyOf = async (h: Harness) => (await h.get<KeyBody>('/v1/keys/main')).body

/** These nodes hold this from now on, and the coordinator has heard so of every node. */
async function hold(h: Harness, nodes: readonly number[], change: Partial<FakeShare>): Promise<void> {
  for (const i of nodes) h.cluster.node(i).changeShare('main', change)
  const sinceMs = h.clock.nowMs()
  await h.passing(STATUS_INTERVAL_MS, async () => {
    const { items } = (await h.get<{ items: NodeBody[] }>('/v1/nodes')).body
    return items.every((n) => n.status !== null && Date.parse(n.status.reportedAt) > sinceMs)
  })
}

describe('a known key and what nodes report of it', () => {
  it('a higher epoch with another committee replaces it, and stays over a restart', async () => {
    await using h = await Harness.start()
    await hold(h, [1, 2, 4, 5], { epoch: 3, threshold: 4, parties: [1, 2, 4, 5] })
    expect(await keyOf(h)).deep.include({ epoch: 3, threshold: 4, parties: [1, 2, 4, 5] })
    for (const node of h.cluster.nodes) node.kill()
    await h.crashAndRestart()
    expect(await keyOf(h)).deep.include({ epoch: 3, threshold: 4, parties: [1, 2, 4, 5] })
  })

  it('as long as too few of the new committee report it, it stays as it is', async () => {
    await using h = await Harness.start()
    await hold(h, [1, 2], { epoch: 1, threshold: 2 })
    expect(await keyOf(h)).include({ epoch: 0, threshold: 3 })
    await hold(h, [1, 2, 3], { epoch: 1, threshold: 4 })
    expect(await keyOf(h)).include({ epoch: 0, threshold: 3 })
    await hold(h, [1, 2, 3, 4], { epoch: 1, threshold: 4 })
    expect(await keyOf(h)).include({ epoch: 1, threshold: 4 })
  })

  it('another committee at the known epoch is ignored, and it never goes back', async () => {
    await using h = await Harness.start()
    await hold(h, [1, 2, 3, 4, 5], { epoch: 2 })
    expect(await keyOf(h)).include({ epoch: 2 })
    await hold(h, [1, 2, 3, 4], { threshold: 4 })
    expect(await keyOf(h)).include({ epoch: 2, threshold: 3 })
    expect(h.log.some((line) => line.includes('another committee for a known epoch'))).equal(true)
    await hold(h, [1, 2, 3, 4, 5], { epoch: 1, threshold: 3 })
    expect(await keyOf(h)).include({ epoch: 2 })
    await hold(h, [1, 2, 3, 4, 5], { epoch: 1, threshold: 4 })
    expect(await keyOf(h)).include({ epoch: 2, threshold: 3 })
  })

  it('a coordinator that knows nothing takes the higher of two confirmed committees', async () => {
    await using h = await Harness.prepare({}, { required: 2, of: 4 })
    h.cluster.addKey('main')
    for (const i of [3, 4]) h.cluster.node(i).changeShare('main', { epoch: 1, parties: [3, 4] })
    await h.run()
    await eventually(async () => (await h.get<KeyBody>('/v1/keys/main')).body.epoch === 1)
    expect((await keyOf(h)).parties).deep.equal([3, 4])
  })
})
