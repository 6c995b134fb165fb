import { type ClusterLock, codeOf, u32 } from '@conclave/core'
import { expect } from 'chai'
import { clusterOf, type TestCluster, testCluster, testNode } from './conformance-cluster.ts'
import { type ConformanceWorld, Stage, wellFormed } from './conformance-stage.ts'
import { identityTests } from './identity-conformance.ts'
import { BACKLOG_BYTES_MAX, FRAME_BYTES_MAX, PREFIX_BYTES } from './transport.ts'

export {
  clusterOf,
  type TestCluster,
  testCluster,
  testCoordinator,
  testNode,
  testP256Signer,
  testSigner,
  withProvers,
} from './conformance-cluster.ts'
export { type ConformanceWorld, type Seen, Stage, wellFormed } from './conformance-stage.ts'

/** Frame `i` of a series: its number, then bytes that depend on it. */
function numbered(i: number, length: number): Uint8Array {
  const frame = new Uint8Array(length).fill(i % 251)
  frame.set(u32(i))
  return frame
}

function codeThrownBy(call: () => unknown): string {
  try {
    call()
  } catch (error) {
    return codeOf(error)
  }
  return 'NOTHING_THROWN'
}

async function codeRejectedBy(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => 'NOTHING_THROWN',
    (error: unknown) => codeOf(error),
  )
}

/** Every ordered pair of different names. */
function pairs(names: readonly string[]): (readonly [string, string])[] {
  return names.flatMap((a) => names.filter((b) => b !== a).map((b) => [a, b] as const))
}

/**
 * Declares the mocha tests that every transport must pass.
 *
 * @param newWorld - a fresh network; its `close` is called after the transports have stopped.
 */
export function transportConformance(name: string, newWorld: () => ConformanceWorld): void {
  describe(`${name}: transport conformance`, () => {
    let stage: Stage
    const beginWith = (cluster: TestCluster) => {
      stage = new Stage(newWorld(), cluster)
      return stage
    }
    const begin = (nodes: number, coordinators = 0) => beginWith(testCluster(nodes, coordinators))
    afterEach(async () => stage.close())
    frameTests(begin)
    membershipTests(begin)
    lifetimeTests(begin)
    identityTests(beginWith)
  })
}

type Begin = (nodes: number, coordinators?: number) => Stage

function frameTests(begin: Begin): void {
  it('frames: arrive in order, both ways at once', async () => {
    const stage = begin(2)
    await stage.start('node-1', 'node-2')
    await stage.untilUp(['node-1', 'node-2'])
    const count = 300
    for (let i = 0; i < count; i++) {
      stage.send('node-1', 'node-2', numbered(i, 4 + ((i * 997) % 20_000)))
      stage.send('node-2', 'node-1', numbered(i, 4 + ((i * 613) % 20_000)))
    }
    for (const [at, from] of pairs(['node-1', 'node-2'])) {
      await stage.until(() => stage.frames(at, from).length === count, `${count} frames at ${at}`)
      const step = at === 'node-2' ? 997 : 613
      for (const [i, frame] of stage.frames(at, from).entries()) expect(frame).to.deep.equal(numbered(i, 4 + ((i * step) % 20_000)))
      expect(stage.status(at, from).bytesReceived).to.equal(stage.status(from, at).bytesSent)
    }
    const sizes = Array.from({ length: count }, (_, i) => PREFIX_BYTES + 4 + ((i * 997) % 20_000))
    expect(stage.status('node-1', 'node-2').bytesSent).to.equal(sizes.reduce((a, b) => a + b))
  })

  it('frames: the largest passes, one byte more and none at all are refused', async () => {
    const stage = begin(2)
    await stage.start('node-1', 'node-2')
    await stage.untilUp(['node-1', 'node-2'])
    stage.send('node-1', 'node-2', numbered(7, FRAME_BYTES_MAX))
    expect(codeThrownBy(() => stage.send('node-1', 'node-2', new Uint8Array(FRAME_BYTES_MAX + 1)))).to.equal('FRAME_TOO_LARGE')
    expect(codeThrownBy(() => stage.send('node-1', 'node-2', new Uint8Array(0)))).to.equal('FRAME_EMPTY')
    stage.send('node-1', 'node-2', numbered(8, 4))
    await stage.until(() => stage.frames('node-2', 'node-1').length === 2, 'both frames')
    expect(stage.frames('node-2', 'node-1')).to.deep.equal([numbered(7, FRAME_BYTES_MAX), numbered(8, 4)])
    expect(stage.ups('node-2', 'node-1')).to.equal(1)
  })

  it('frames: are copies on both sides', async () => {
    const stage = begin(2)
    await stage.start('node-1', 'node-2')
    await stage.untilUp(['node-1', 'node-2'])
    const frame = numbered(1, 1000)
    stage.send('node-1', 'node-2', frame)
    frame.fill(0)
    stage.send('node-1', 'node-2', numbered(2, 1000))
    await stage.until(() => stage.frames('node-2', 'node-1').length === 2, 'both frames')
    const [first, second] = stage.frames('node-2', 'node-1')
    expect(first).to.deep.equal(numbered(1, 1000))
    first?.fill(0)
    expect(second).to.deep.equal(numbered(2, 1000))
  })

  it('backlog: is bounded, and what was accepted arrives', async () => {
    const stage = begin(2)
    await stage.start('node-1', 'node-2')
    await stage.untilUp(['node-1', 'node-2'])
    let accepted = 0
    const most = (2 * BACKLOG_BYTES_MAX) / FRAME_BYTES_MAX
    const code = codeThrownBy(() => {
      for (; accepted < most; accepted++) stage.send('node-1', 'node-2', numbered(accepted, FRAME_BYTES_MAX))
    })
    expect(code).to.equal('BACKLOG_FULL')
    expect(accepted).to.be.at.least(BACKLOG_BYTES_MAX / FRAME_BYTES_MAX - 1)
    await stage.until(() => stage.frames('node-2', 'node-1').length === accepted, 'the backlog')
    stage.send('node-1', 'node-2', numbered(accepted, 4))
    await stage.until(() => stage.frames('node-2', 'node-1').length === accepted + 1, 'one more')
    for (const [i, frame] of stage.frames('node-2', 'node-1').entries()) expect(frame.subarray(0, 4)).to.deep.equal(u32(i))
  })

  it('handlers: one that throws or rejects is logged and the link stays up', async () => {
    const stage = begin(2)
    const bad = stage.events('node-2')
    await stage.start('node-1')
    await stage.make('node-2').start({
      ...bad,
      linkUp: (member) => {
        bad.linkUp(member)
        throw new Error('handler')
      },
      frame: async (member, frame) => {
        bad.frame(member, frame)
        throw new Error('async handler')
      },
    })
    await stage.untilUp(['node-1', 'node-2'])
    for (let i = 0; i < 3; i++) stage.send('node-1', 'node-2', numbered(i, 10))
    await stage.until(() => stage.logged.filter((l) => l.level === 'error').length === 4, 'four logged failures')
    expect(stage.frames('node-2', 'node-1')).to.have.length(3)
    expect(stage.isUp('node-1', 'node-2')).to.equal(true)
  })
}

function membershipTests(begin: Begin): void {
  it('membership: five members and a coordinator, all at once', async () => {
    const stage = begin(5, 2)
    const nodes = stage.cluster.lock.nodes.map((n) => n.name)
    const links = [...pairs(nodes), ...nodes.flatMap((n) => pairs([n, 'coordinator-1']))]
    await stage.start(...nodes, 'coordinator-1', 'coordinator-2')
    await stage.untilUp(...links)
    const count = 30
    for (let i = 0; i < count; i++) for (const [from, to] of links) stage.send(from, to, numbered(i, 500))
    for (const [from, at] of links) {
      await stage.until(() => stage.frames(at, from).length === count, `frames from ${from} at ${at}`)
      for (const [i, frame] of stage.frames(at, from).entries()) expect(frame).to.deep.equal(numbered(i, 500))
      expect(stage.ups(at, from)).to.equal(1)
    }
    const { member } = stage.cluster
    expect(
      stage
        .of('coordinator-1')
        .links()
        .map((l) => l.member.name),
    ).to.deep.equal(nodes)
    expect(codeThrownBy(() => stage.send('coordinator-1', 'coordinator-2', numbered(0, 4)))).to.equal('UNKNOWN_MEMBER')
    expect(codeThrownBy(() => stage.of('node-1').send(member('node-1'), numbered(0, 4)))).to.equal('UNKNOWN_MEMBER')
  })

  it('membership: an outsider who forged a lock is refused', async () => {
    const stage = begin(3)
    const { lock } = stage.cluster
    // The outsider takes the place of node-3 and has no address, so that it is the one who dials.
    const outsider = testNode(3, 'outsider', [])
    const forged = clusterOf({ ...lock, nodes: [...lock.nodes.slice(0, 2), outsider] })
    await stage.start('node-1', 'node-2')
    await stage.make('outsider', forged.lock).start(stage.events('outsider'))
    await stage.until(() => ['node-1', 'node-2'].every((n) => stage.status('outsider', n).failures > 0), 'the outsider was refused twice')
    await stage.untilUp(['node-1', 'node-2'])
    stage.send('node-1', 'node-2', numbered(0, 4))
    await stage.until(() => stage.frames('node-2', 'node-1').length === 1, 'a frame between members')
    expect(stage.seen.filter((s) => s.at === 'outsider' || s.from === 'outsider')).to.deep.equal([])
    expect(stage.status('outsider', 'node-1').downReason).to.not.equal(undefined)
    expect(codeThrownBy(() => stage.of('node-1').send(outsider, numbered(0, 4)))).to.equal('UNKNOWN_MEMBER')
  })

  it('membership: members with different locks never come up', async () => {
    const stage = begin(3)
    const other: ClusterLock = { ...stage.cluster.lock, version: 2 }
    await stage.start('node-1', 'node-2')
    await stage.make('node-3', other).start(stage.events('node-3'))
    for (const n of ['node-1', 'node-2']) {
      await stage.until(() => stage.status(n, 'node-3').failures + stage.status('node-3', n).failures > 0, `node-3 and ${n} disagree`)
    }
    await stage.untilUp(['node-1', 'node-2'])
    expect([stage.status('node-1', 'node-3').downReason, stage.status('node-3', 'node-1').downReason]).to.include('LOCK_MISMATCH')
    expect(stage.seen.filter((s) => s.at === 'node-3' || s.from === 'node-3')).to.deep.equal([])
    expect(codeThrownBy(() => stage.send('node-1', 'node-3', numbered(0, 4)))).to.equal('PEER_UNREACHABLE')
  })
}

function lifetimeTests(begin: Begin): void {
  for (const [stays, restarts] of pairs(['node-1', 'node-2'])) {
    it(`restart: of ${restarts}, the link to ${stays} comes back`, async () => {
      const stage = begin(2)
      await stage.start('node-1', 'node-2')
      await stage.untilUp(['node-1', 'node-2'])
      await stage.of(restarts).stop()
      await stage.until(() => !stage.status(stays, restarts).up, `${stays} saw ${restarts} go`)
      expect(stage.seen.filter((s) => s.at === stays).map((s) => s.reason ?? s.kind)).to.deep.equal(['up', 'CLOSED_BY_PEER'])
      expect(codeThrownBy(() => stage.send(stays, restarts, numbered(0, 4)))).to.equal('PEER_UNREACHABLE')
      await stage.start(restarts)
      await stage.untilUp(['node-1', 'node-2'])
      expect(stage.status(stays, restarts).reconnects).to.equal(1)
      expect(stage.status(restarts, stays).reconnects).to.equal(0)
      stage.send(stays, restarts, numbered(1, 4))
      stage.send(restarts, stays, numbered(2, 4))
      await stage.until(() => stage.frames(stays, restarts).length + stage.frames(restarts, stays).length === 2, 'frames on the new link')
      expect(wellFormed(stage.seen, stays, stage.cluster.member(restarts))).to.equal(true)
    })
  }

  it('send: to a member that was never there is PEER_UNREACHABLE', async () => {
    const stage = begin(2)
    expect(codeThrownBy(() => stage.make('node-1').send(stage.cluster.member('node-2'), numbered(0, 4)))).to.equal('PEER_UNREACHABLE')
    await stage.start('node-1')
    expect(codeThrownBy(() => stage.send('node-1', 'node-2', numbered(0, 4)))).to.equal('PEER_UNREACHABLE')
    expect(stage.status('node-1', 'node-2').up).to.equal(false)
  })

  it('stop: reports STOPPED once, is idempotent, and no event follows', async () => {
    const stage = begin(3)
    await stage.start('node-1', 'node-2', 'node-3')
    await stage.untilUp(...pairs(['node-1', 'node-2', 'node-3']))
    for (let i = 0; i < 50; i++) stage.send('node-2', 'node-1', numbered(i, 10_000))
    await Promise.all([stage.of('node-1').stop(), stage.of('node-1').stop()])
    const before = stage.seen.filter((s) => s.at === 'node-1').length
    expect(stage.seen.filter((s) => s.at === 'node-1' && s.kind === 'down').map((s) => s.reason)).to.deep.equal(['STOPPED', 'STOPPED'])
    await stage.until(() => !stage.status('node-2', 'node-1').up && !stage.status('node-3', 'node-1').up, 'the others saw it')
    await stage.of('node-1').stop()
    expect(stage.seen.filter((s) => s.at === 'node-1')).to.have.length(before)
    expect(codeThrownBy(() => stage.send('node-1', 'node-2', numbered(0, 4)))).to.equal('PEER_UNREACHABLE')
    expect(stage.isUp('node-2', 'node-3')).to.equal(true)
  })

  it('stop: before start and during start hangs nothing, and a transport starts once', async () => {
    const stage = begin(2)
    const never = stage.make('node-1')
    await never.stop()
    expect(await codeRejectedBy(never.start(stage.events('node-1')))).to.equal('ALREADY_STARTED')
    const early = stage.make('node-2')
    const starting = early.start(stage.events('node-2'))
    expect(await codeRejectedBy(early.start(stage.events('node-2')))).to.equal('ALREADY_STARTED')
    await early.stop()
    await starting
    expect(early.addresses()).to.deep.equal([])
  })
}
