import type { NodeMember } from '@conclave/core'
import type { Transport } from '@conclave/transport'
import { decode, Frame, type NodeStatus } from '@conclave/wire'
import { expect } from 'chai'
import { pino } from 'pino'
import { ClusterView } from './cluster-view.ts'
import { NodeCalls } from './node-calls.ts'
import { FakeClock, FakeCluster } from './testing/harness.ts'
import { sharedController } from './wait.ts'

describe('ClusterView', () => {
  it('news is what decides who can sign; counters and stocks of correlations are none', async () => {
    const cluster = await FakeCluster.start()
    const member = cluster.lock.nodes[0] as NodeMember
    const node = cluster.node(1)
    const clock = new FakeClock()
    let status: NodeStatus = node.status()
    const calls: NodeCalls = new NodeCalls(
      {
        send(to: NodeMember, frame: Uint8Array) {
          const { body } = decode(Frame, frame)
          if ('request' in body) queueMicrotask(() => calls.answered(to, { id: body.request.id, body: { status } }))
        },
      } as Transport,
      clock,
    )
    const view = new ClusterView({ lock: cluster.lock, calls, clock, logger: pino({ level: 'silent' }), signal: sharedController().signal })
    view.linkUp(member)
    await view.refresh([1])
    let news = 0
    view.changed.subscribe(() => {
      news++
    })
    const after = async (change: () => void): Promise<number> => {
      const before = news
      change()
      status = { ...node.status(), cpuMs: status.cpuMs + 1 }
      await view.refresh([1])
      return news - before
    }
    expect(await after(() => undefined)).to.equal(0)
    const fewer = () => {
      node.stock--
    }
    expect(await after(fewer)).to.equal(0)
    expect(view.report(1)?.status.pairs[0]?.stock).to.equal(node.stock)
    expect(await after(() => node.pairs.set(2, 'missing'))).to.equal(1)
  })
})
