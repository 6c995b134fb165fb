import type { AuditEvent } from '@conclave/core'
import type { TransportEvents } from '@conclave/transport'
import { expect } from 'chai'
import { TestCluster } from './cluster.fixture.ts'

describe('unproved identities', () => {
  let cluster: TestCluster
  afterEach(() => cluster.close())

  it('unproved: a peer that did not prove its identity is written down by name; a journal that refuses stops nothing', async () => {
    cluster = await TestCluster.create(2, 2)
    const events: AuditEvent[] = []
    let fails = false
    let heard: TransportEvents | undefined
    await cluster.start(['n1'], {
      rig: (parts) => ({
        ...parts,
        transport: {
          ...parts.transport,
          start(handlers) {
            heard = handlers
            return parts.transport.start(handlers)
          },
        },
        journal: {
          async record(event) {
            if (fails) throw new Error('no disk')
            events.push(event)
          },
        },
      }),
    })
    const member = cluster.member('n2')
    heard?.unproved?.(member)
    fails = true
    heard?.unproved?.(member)
    await new Promise((resolve) => setImmediate(resolve))
    expect(events.filter((e) => e.kind === 'identity.unproved')).to.deep.equal([
      { kind: 'identity.unproved', details: { member: 'n2', peerId: member.peerId } },
    ])
  })
})
