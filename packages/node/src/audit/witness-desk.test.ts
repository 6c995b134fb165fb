import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  AuditLog,
  encodeEntry,
  formatCheckpoint,
  formatNote,
  keysFromLocks,
  openCheckpoint,
  originOf,
  parseNote,
  parseSignatureLine,
  signText,
} from '@conclave/audit'
import { type AuditEvent, type Clock, codeOf, type NodeMember, utf8 } from '@conclave/core'
import { silentLogger } from '@conclave/transport'
import { type KeyVault, memoryVault } from '@conclave/vault'
import type { Cosigned } from '@conclave/wire'
import { expect } from 'chai'
import { TestCluster } from '../cluster.fixture.ts'
import { until } from '../requests.fixture.ts'
import type { Store } from '../store/store.ts'
import { WitnessDesk } from './witness-desk.ts'

/** n2 watches the log of n1, whose keys this test holds. */
describe('witness', () => {
  let cluster: TestCluster
  let dir: string
  let store: Store
  let [own, other]: KeyVault[] = []
  let events: AuditEvent[]
  let desk: WitnessDesk
  let opened: AuditLog[]
  let laterMs: number
  const clock: Clock = { nowMs: () => Date.now() + laterMs, after: () => () => undefined }

  const member = (name: string) => cluster.lock.nodes.find((n) => n.name === name) as NodeMember
  const origin = () => originOf(cluster.lock.clusterId, 'n1')
  const openDesk = () =>
    new WitnessDesk({
      ...{ self: member('n2'), lock: cluster.lock, store, signer: (own as KeyVault).checkpointSigner, clock, log: silentLogger },
      journal: { record: async (event) => void events.push(event) },
    })

  /** A log of n1 with so many entries, of which the last few can be others. */
  async function logOf(size: number, told = 'yes', from = size): Promise<AuditLog> {
    const log = await AuditLog.open(await mkdtemp(join(dir, 'log-')), origin())
    opened.push(log)
    for (let i = 0; i < size; i++) {
      await log.append(encodeEntry({ node: 'n1', timeMs: i, kind: 'test.counted', details: { i, told: i < from ? 'yes' : told } }))
    }
    return log
  }

  async function checkpointOf(log: AuditLog, size = log.size, as = other as KeyVault): Promise<Uint8Array> {
    const text = formatCheckpoint({ origin: origin(), size, root: await log.rootAt(size) })
    return formatNote({ text, signatures: [await signText(text, origin(), as.checkpointSigner)] })
  }

  async function show(log: AuditLog, oldSize: number, size = log.size): Promise<Cosigned> {
    return desk.answer(member('n1'), { checkpoint: await checkpointOf(log, size), oldSize, proof: await log.consistency(oldSize, size) })
  }

  beforeEach(async () => {
    cluster = await TestCluster.create(3, 2)
    dir = await mkdtemp(join(tmpdir(), 'conclave-witness-'))
    store = await cluster.openStore('n2')
    own = await memoryVault({ devices: [cluster.device('n2')] })
    other = await memoryVault({ devices: [cluster.device('n1')] })
    events = []
    opened = []
    laterMs = 0
    desk = openDesk()
  })
  afterEach(async () => {
    for (const log of opened) await log.close()
    await store.close()
    await own?.close()
    await other?.close()
    await cluster.close()
    await rm(dir, { recursive: true, force: true })
  })

  it('a log that goes on: is cosigned each time, and what is known is on the disk', async () => {
    const log = await logOf(9)
    for (const [oldSize, size] of [
      [0, 0],
      [0, 4],
      [4, 4],
      [4, 9],
    ] as const) {
      const { signature, code } = await show(log, oldSize, size)
      expect(code).to.equal('')
      const { text, signatures } = parseNote(await checkpointOf(log, size))
      const note = formatNote({ text, signatures: [...signatures, parseSignatureLine(signature)] })
      const keys = keysFromLocks([cluster.lock], 'n1', { required: 1, nowS: clock.nowMs() / 1000 })
      expect(openCheckpoint(note, keys, { strict: true }).cosigners.map((c) => c.name)).to.deep.equal([
        originOf(cluster.lock.clusterId, 'n2'),
      ])
      // A restart forgets nothing.
      desk = openDesk()
    }
    expect((await desk.witnessed()).map((l) => l.node)).to.deep.equal(['n1'])
    expect(events).to.deep.equal([])
  })

  it('the same checkpoint again: has the same cosignature, and costs the HSM nothing', async () => {
    const log = await logOf(3)
    const first = await show(log, 0)
    cluster.device('n2').fail('TOKEN_LOST')
    expect(await show(log, 3)).to.deep.equal(first)
    cluster.device('n2').heal()
  })

  it('another base: is answered with what is known, and nothing is wrong', async () => {
    const log = await logOf(9)
    await show(log, 0, 4)
    const answer = await show(log, 3)
    expect([answer.code, answer.signature]).to.deep.equal(['OLD_SIZE', ''])
    expect(openCheckpoint(answer.known, keysFromLocks([cluster.lock], 'n1', { required: 0, nowS: 0 })).size).to.equal(4)
    expect((await show(log, 4)).code).to.equal('')
    expect(events).to.deep.equal([])
  })

  it('a fork: is refused under every size, recorded once, kept as evidence over a restart, and what is known stays', async () => {
    const log = await logOf(9)
    await show(log, 0)
    const forked = await logOf(12, 'no', 5)
    for (const [oldSize, size] of [
      [9, 9],
      [9, 12],
    ] as const) {
      const { code, signature } = await show(forked, oldSize, size)
      expect([code, signature]).to.deep.equal(['AUDIT_FORKED', ''])
    }
    await until('the event', () => events.length > 0)
    expect(events.map((e) => [e.kind, e.details.log, e.details.code, e.details.knownSize, e.details.size])).to.deep.equal([
      ['audit.fork_detected', 'n1', 'AUDIT_FORKED', 9, 9],
    ])
    desk = openDesk()
    const [known] = await desk.witnessed()
    expect(known?.conflict?.checkpoint).to.deep.equal(await checkpointOf(forked, 9))
    expect(known?.checkpoint).to.deep.equal(await checkpointOf(log))
    expect((await show(await logOf(10), 9)).code).to.equal('')
    // Another one, a minute later: it is told, and the first one stays.
    laterMs += 60_001
    expect((await show(await logOf(10, 'other', 2), 9)).code).to.equal('AUDIT_FORKED')
    await until('the event', () => events.length === 2)
    expect((await desk.witnessed())[0]?.conflict?.checkpoint).to.deep.equal(await checkpointOf(forked, 9))
  })

  it('a shorter log: is refused, also when it was right once', async () => {
    const log = await logOf(9)
    await show(log, 0, 4)
    await show(log, 4)
    for (const size of [0, 4, 8]) expect((await show(log, 0, size)).code).to.equal('AUDIT_ROLLED_BACK')
  })

  it('a checkpoint of another node, of a stranger, or of none: is no checkpoint of this log', async () => {
    const log = await logOf(3)
    const refused = async (checkpoint: Uint8Array, from = 'n1') =>
      desk.answer(member(from), { checkpoint, oldSize: 0, proof: [] }).then(() => '', codeOf)
    expect(await refused(await checkpointOf(log), 'n3')).to.equal('BAD_CHECKPOINT')
    expect(await refused(await checkpointOf(log, 3, own as KeyVault))).to.equal('CHECKPOINT_UNSIGNED')
    expect(await refused(utf8('nothing\n'))).to.equal('BAD_NOTE')
    expect(await desk.witnessed()).to.deep.equal([])
  })

  it('forgotten: the next checkpoint is the first one again', async () => {
    await show(await logOf(9), 0)
    await desk.forget(member('n1'))
    expect(await desk.witnessed()).to.deep.equal([])
    expect((await show(await logOf(2, 'no', 0), 0)).code).to.equal('')
  })
})
