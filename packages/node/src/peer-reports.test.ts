import { type Clock, systemClock } from '@conclave/core'
import { MemoryDevice, memoryVault } from '@conclave/vault'
import { expect } from 'chai'
import { Calls } from './calls.ts'
import type { Checkup } from './checkup.ts'
import { type Rig, TestCluster } from './cluster.fixture.ts'
import { known } from './doctor/finding.ts'
import { findingsOf } from './doctor/results.fixture.ts'
import { checkTwins } from './doctor/twin-check.ts'
import { hsmMark, PeerReports } from './peer-reports.ts'
import { pairsReady } from './requests.fixture.ts'

const AHEAD_MS = 7_000

/** The node's clock is wrong; its timers run. */
const skewed: Rig = (parts) => {
  const clock: Clock = { nowMs: () => parts.clock.nowMs() + AHEAD_MS, after: (delayMs, fire) => parts.clock.after(delayMs, fire) }
  return { ...parts, clock }
}

const word = (checkup: Checkup, name: string) => {
  const found = checkup.peers.find((p) => p.name === name)?.word
  return found === null || found === undefined || typeof found === 'string' ? expect.fail(`${name} said ${found}`) : found
}

describe('peer reports', () => {
  let cluster: TestCluster

  before(async () => {
    cluster = await TestCluster.create(3, 2)
    await cluster.start(['n1', 'n2'])
    await cluster.start(['n3'], { rig: skewed })
    await pairsReady(cluster, [1, 2, 3])
  })
  after(() => cluster.close())

  it('checkup: a clock that is ahead is found from both sides, within what the round trip allows', async () => {
    const [ours, theirs] = [await cluster.node('n1').admin.checkUp(), await cluster.node('n3').admin.checkUp()]
    const near = (offset: number, roundTripMs: number, wanted: number) =>
      expect(Math.abs(offset - wanted)).to.be.at.most(roundTripMs / 2 + 2)
    for (const [checkup, peer, wanted] of [
      [ours, 'n3', AHEAD_MS],
      [ours, 'n2', 0],
      [theirs, 'n1', -AHEAD_MS],
    ] as const) {
      const { offsetMs, roundTripMs } = word(checkup, peer)
      near(offsetMs, roundTripMs, wanted)
    }
  })

  it('checkup: every node announces a mark of its own for its HSM, and no serial', async () => {
    const checkup = await cluster.node('n1').admin.checkUp()
    const marks = [checkup.hsms[0]?.mark, ...word(checkup, 'n2').hsms, ...word(checkup, 'n3').hsms]
    expect(new Set(marks).size).to.equal(3)
    expect((await cluster.node('n2').admin.checkUp()).hsms.map((h) => h.mark)).to.deep.equal(word(checkup, 'n2').hsms)
    expect(checkup).to.deep.include({ pid: process.pid })
    expect(checkup.hsms).to.deep.equal([{ name: 'primary', missedSeals: 0, mark: checkup.hsms[0]?.mark, unopenable: 0 }])
  })

  it('mark: of one key of one token in one cluster; none while the HSM is down, or of an id that others may have', () => {
    const key = { tokenSerial: 's', kekId: 'ab'.repeat(8) }
    const cluster = 'ab'.repeat(32)
    const marks = [
      hsmMark(cluster, { key }),
      hsmMark('cd'.repeat(32), { key }),
      hsmMark(cluster, { key: { ...key, kekId: 'cd'.repeat(8) } }),
      hsmMark(cluster, { key: { ...key, tokenSerial: 't' } }),
      hsmMark(cluster, { key: { tokenSerial: `s${'ab'.repeat(2)}`, kekId: 'ab'.repeat(8) } }),
      hsmMark(cluster, { key: { tokenSerial: 's', kekId: 'ab'.repeat(10) } }),
    ]
    expect(new Set(marks).size).to.equal(marks.length)
    expect(hsmMark(cluster, { key })).to.equal(marks[0])
    expect(hsmMark(cluster, { key: undefined })).to.equal(undefined)
    expect(hsmMark(cluster, { key: { ...key, kekId: 'ab'.repeat(7) } })).to.equal(undefined)
  })

  it('checkup: a peer that is down is not asked, and why is told', async () => {
    await cluster.kill('n2')
    const checkup = await cluster.node('n1').admin.checkUp()
    expect(checkup.peers.find((p) => p.name === 'n2')).to.deep.include({ isLinkUp: false, word: null })
    await cluster.start(['n2'])
  })

  it('checkup: two nodes on one token are found by each of them', async () => {
    const device = new MemoryDevice({ name: 'shared' })
    const shared = await memoryVault({ devices: [device] })
    const rig: Rig = (parts) => ({ ...parts, vault: { ...parts.vault, health: () => shared.health() } })
    for (const name of ['n1', 'n2']) await cluster.kill(name)
    await cluster.start(['n1', 'n2'], { rig })
    await pairsReady(cluster, [1, 2, 3])
    for (const [name, other] of [
      ['n1', 'n2'],
      ['n2', 'n1'],
    ] as const) {
      const results = checkTwins(known([]), known([]), known(await cluster.node(name).admin.checkUp()))
      expect(findingsOf(results).map((f) => [f.code, f.subject])).to.deep.equal([['PEER_SHARES_TOKEN', other]])
    }
    await cluster.kill('n2')
    await cluster.start(['n2'])
    await shared.close()
  })

  it('checkup: a record that the HSM cannot open is counted', async () => {
    const device = new MemoryDevice({ name: 'other' })
    const other = await memoryVault({ devices: [device] })
    const rig: Rig = (parts) => ({ ...parts, vault: { ...parts.vault, health: () => other.health() } })
    await cluster.kill('n1')
    await cluster.start(['n1'], { rig })
    await pairsReady(cluster, [1, 3])
    const { hsms } = await cluster.node('n1').admin.checkUp()
    const pairs = (await cluster.store('n1').list('pair')).length
    expect(pairs).to.be.above(0)
    expect(hsms.map((h) => [h.name, h.unopenable])).to.deep.equal([['other', pairs]])
    await other.close()
  })
})

describe('peer reports without a cluster', () => {
  it('peer: whatever hostile numbers it answers, the report is a number', async () => {
    const calls = new Calls(systemClock, (peer, { id }) => {
      const body = { peerReport: { clock: new Uint8Array(8).fill(255), heldMs: 2 ** 32 - 1, version: 'x', hsms: [] } }
      queueMicrotask(() => calls.answered(peer, { id, body }))
    })
    const reports = new PeerReports({ clusterId: 'ab'.repeat(32), vault: undefined as never, calls, clock: systemClock })
    const answer = await reports.ask(2)
    expect(answer).to.include({ roundTripMs: 0, version: 'x' })
    expect(Number.isFinite((answer as { offsetMs: number }).offsetMs)).to.equal(true)
  })

  it('peer: of three answers the quickest counts, and half of its way and what the peer took itself are taken off', async () => {
    let nowMs = 1_000
    const clock: Clock = { nowMs: () => nowMs, after: () => () => undefined }
    const ways = [100, 40, 300]
    const calls = new Calls(clock, (peer, { id }) => {
      // Sixty milliseconds of every exchange are the peer's own; its clock is 5 s ahead, read after the first half of the way.
      const way = ways.shift() ?? 0
      const bytes = new Uint8Array(8)
      new DataView(bytes.buffer).setBigUint64(0, BigInt(nowMs + way / 2 + 60 + 5_000))
      nowMs += way + 60
      queueMicrotask(() => calls.answered(peer, { id, body: { peerReport: { clock: bytes, heldMs: 60, version: 'x', hsms: [] } } }))
    })
    const reports = new PeerReports({ clusterId: 'ab'.repeat(32), vault: undefined as never, calls, clock })
    expect(await reports.ask(2)).to.include({ offsetMs: 5_000, roundTripMs: 40 })
    expect(ways).to.deep.equal([])
  })

  it('peer: one that answers something else is told by a code', async () => {
    const calls = new Calls(systemClock, (peer, { id }) => {
      queueMicrotask(() => calls.answered(peer, { id, body: { pairAccept: { pairEpoch: 1, agreed: true } } }))
    })
    const reports = new PeerReports({ clusterId: 'ab'.repeat(32), vault: undefined as never, calls, clock: systemClock })
    expect(await reports.ask(2)).to.equal('UNEXPECTED_ANSWER')
  })
})
