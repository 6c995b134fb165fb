import { expect } from 'chai'
import { type ConformanceWorld, Stage, testCluster, transportConformance } from './conformance.ts'
import { MemoryHub } from './memory-hub.ts'
import { memoryTransport } from './memory-transport.ts'

function world(hub: MemoryHub): ConformanceWorld {
  return { transport: (init) => memoryTransport(hub, init), close: async () => undefined }
}

transportConformance('memory', () => world(new MemoryHub()))

function drain(hub: MemoryHub): void {
  while (hub.step());
}

const text = (frame: Uint8Array) => new TextDecoder().decode(frame)
const frame = (s: string) => new TextEncoder().encode(s)

describe('memory hub', () => {
  const cluster = testCluster(3)
  const [n1, n2, n3] = cluster.lock.nodes as [
    (typeof cluster.lock.nodes)[0],
    (typeof cluster.lock.nodes)[0],
    (typeof cluster.lock.nodes)[0],
  ]
  let hub: MemoryHub
  let stage: Stage
  beforeEach(async () => {
    hub = new MemoryHub({ delivery: 'manual' })
    stage = new Stage(world(hub), cluster)
    await stage.start('node-1', 'node-2', 'node-3')
  })
  afterEach(async () => stage.close())

  it('manual: nothing moves but by step, one direction stays in order whatever is picked', () => {
    expect(stage.seen).to.deep.equal([])
    expect(hub.pending()).to.have.length(6)
    drain(hub)
    expect(stage.seen).to.have.length(6)
    for (const s of ['a', 'b', 'c']) {
      stage.send('node-1', 'node-2', frame(s))
      stage.send('node-3', 'node-2', frame(s))
    }
    expect(hub.pending()).to.deep.equal([
      { from: 'node-1', to: 'node-2', kind: 'frame' },
      { from: 'node-3', to: 'node-2', kind: 'frame' },
    ])
    while (hub.step(1) || hub.step(0));
    expect(stage.frames('node-2', 'node-3').map(text)).to.deep.equal(['a', 'b', 'c'])
    expect(stage.frames('node-2', 'node-1').map(text)).to.deep.equal(['a', 'b', 'c'])
    expect(hub.step()).to.equal(false)
  })

  it('manual: the same calls and picks give the same run', async () => {
    const run = async () => {
      const h = new MemoryHub({ delivery: 'manual' })
      const s = new Stage(world(h), cluster)
      await s.start('node-1', 'node-2', 'node-3')
      for (let i = 0; i < 500; i++) {
        if (i % 5 === 4) h.cut(n1, n2)
        if (i % 5 === 0) h.heal(n1, n2)
        if (s.status('node-1', 'node-2').up) s.send('node-1', 'node-2', frame(`${i}`))
        h.step((i * 7) % Math.max(1, h.pending().length))
      }
      await s.close()
      return s.seen
    }
    expect(await run()).to.deep.equal(await run())
  })

  it('cut: takes both sides down and loses what was on the way; heal brings the link back', () => {
    drain(hub)
    stage.send('node-1', 'node-2', frame('lost'))
    hub.cut(n1, n2)
    drain(hub)
    expect(stage.status('node-1', 'node-2').downReason).to.equal('LINK_CUT')
    expect(() => stage.send('node-1', 'node-2', frame('x'))).to.throw('down')
    expect(stage.isUp('node-1', 'node-3')).to.equal(true)
    hub.heal(n1, n2)
    drain(hub)
    stage.send('node-1', 'node-2', frame('new'))
    drain(hub)
    expect(stage.frames('node-2', 'node-1').map(text)).to.deep.equal(['new'])
    expect(stage.status('node-2', 'node-1').reconnects).to.equal(1)
  })

  it('kill: peers see CONNECTION_LOST, the dead side sees nothing, a new one may come', async () => {
    drain(hub)
    const before = stage.seen.length
    hub.kill(n2)
    drain(hub)
    expect(stage.seen.slice(before).map((s) => [s.at, s.reason])).to.deep.equal([
      ['node-1', 'CONNECTION_LOST'],
      ['node-3', 'CONNECTION_LOST'],
    ])
    await stage.start('node-2')
    drain(hub)
    expect(stage.isUp('node-1', 'node-2') && stage.isUp('node-2', 'node-3')).to.equal(true)
  })

  it('loses: a frame is lost while the link stays up', () => {
    drain(hub)
    hub.loses = (from, to) => from === n1 && to === n2
    stage.send('node-1', 'node-2', frame('lost'))
    stage.send('node-1', 'node-3', frame('kept'))
    drain(hub)
    hub.loses = () => false
    stage.send('node-1', 'node-2', frame('kept'))
    drain(hub)
    expect([stage.frames('node-2', 'node-1'), stage.frames('node-3', 'node-1')].map((f) => f.map(text))).to.deep.equal([['kept'], ['kept']])
    expect(stage.ups('node-2', 'node-1')).to.equal(1)
    expect(n3.name).to.equal('node-3')
  })

  it('attach: one member runs once', async () => {
    await stage
      .make('node-1')
      .start(stage.events('node-1'))
      .then(
        () => expect.fail('started twice'),
        (error: unknown) => expect(error).to.have.property('code', 'ALREADY_ATTACHED'),
      )
  })
})
