import { expect } from 'chai'
import { EventReader } from '../testing/event-reader.ts'
import { eventually, Harness } from '../testing/harness.ts'
import { LASTS_MS } from './observer.ts'

describe('observer', () => {
  it('tells of a node that is unable for a while, and able again; not of what it first sees, nor of a moment', async () => {
    await using h = await Harness.start()
    await using stream = await EventReader.open(h, '/v1/events?from=oldest&type=node.*')
    const isAble = async (able: boolean) =>
      (await h.get<{ availability: { able: boolean } }>('/v1/nodes/2')).body.availability.able === able
    const pass = async (ms: number) => {
      const untilMs = h.clock.nowMs() + ms
      await h.passing(5_000, () => h.clock.nowMs() >= untilMs)
    }
    await pass(LASTS_MS + 10_000)
    h.cluster.node(2).kill()
    await eventually(() => isAble(false))
    await pass(5_000)
    await h.cluster.node(2).start()
    await eventually(() => isAble(true))
    await pass(LASTS_MS + 10_000)
    expect(stream.events).deep.equal([])
    h.cluster.node(2).kill()
    await eventually(() => isAble(false))
    await h.passing(5_000, () => stream.events.length === 1)
    expect(stream.events[0]).include({ type: 'node.unable', subject: h.cluster.node(2).member.name })
    expect(stream.events[0]?.data).deep.include({ index: 2, able: false, reasons: ['LINK_DOWN'] })
    await h.cluster.node(2).start()
    await eventually(() => isAble(true))
    await h.passing(5_000, () => stream.events.length === 2)
    expect(stream.events[1]).include({ type: 'node.able' })
  })
})
