import { type AuditEvent, type Clock, fromHex } from '@conclave/core'
import { parsePolicy } from '@conclave/policy'
import { MemoryDevice, memoryVault } from '@conclave/vault'
import { expect } from 'chai'
import { TestCluster } from '../cluster.fixture.ts'
import type { ApproverNode } from '../node.ts'
import { refusal } from '../refusal.fixture.ts'
import { type Body, newKey, pairsReady, requestId, signedIn, TERMS, until, verdictIn } from '../requests.fixture.ts'
import { drillBody, type HsmDrillReport, parseReport, signReport, verifyReport } from './drill-report.ts'
import { type BegunDrill, DRILL_MS } from './hsm-drill.ts'

const KEY = 'treasury-1'
const POLICY = parsePolicy('version: 1\nsequence: 1\nrules:\n  - { name: drill, effect: allow, when: { payload: drill } }\n')

describe('HSM drill', () => {
  let cluster: TestCluster
  let backup: MemoryDevice
  let events: AuditEvent[]
  let deadlines: (() => void)[]
  let requests = 0

  beforeEach(async () => {
    cluster = await TestCluster.create(3, 2)
    backup = new MemoryDevice({ name: 'backup' })
    events = []
    deadlines = []
    const vault = await memoryVault({ devices: [cluster.device('n1'), backup] })
    const record = async (event: AuditEvent) => void events.push(event)
    /** The node's clock, but deadlines of drills come when the test says so. */
    const held = (clock: Clock): Clock => ({
      nowMs: () => clock.nowMs(),
      after(ms, fire) {
        if (ms !== DRILL_MS) return clock.after(ms, fire)
        deadlines.push(fire)
        return () => undefined
      },
    })
    await cluster.start(['n1'], { policy: POLICY, rig: (parts) => ({ ...parts, vault, journal: { record }, clock: held(parts.clock) }) })
    await cluster.start(['n2', 'n3'], { policy: POLICY })
    await newKey(cluster, KEY)
    await pairsReady(cluster)
    events.length = 0
  })
  afterEach(() => cluster.close())

  const node = (): ApproverNode => cluster.node('n1')
  const stateOf = async (name: string) => (await node().admin.status()).hsm.find((h) => h.name === name)?.state
  const told = () => events.filter((e) => e.kind.startsWith('hsm.dril'))

  /** A coordinator that has the payload of a drill signed. */
  const sign = async ({ payload }: BegunDrill, signers: readonly number[]): Promise<Body[]> => {
    const id = requestId(++requests)
    const propose = {
      requestId: id,
      keyId: KEY,
      payloadType: 'drill',
      items: [{ payload: fromHex(payload.slice(2)), path: [] }],
      terms: TERMS,
    }
    for (const j of signers) expect(verdictIn(await cluster.ask(j, { propose })).code).to.equal('ALLOWED')
    return Promise.all(signers.map((j) => cluster.ask(j, { sign: { requestId: id, attempt: 0, signers, epoch: 0 } })))
  }

  it('drill: every record opens and the node signs without the HSM, which then serves again; the report can be checked', async () => {
    const begun = await node().drills.begin('primary', KEY)
    expect(begun.recordsOpened).to.equal(3)
    expect(await stateOf('primary')).to.equal('out')
    const calls = cluster.device('n1').calls
    // Not by this node: that shows nothing.
    await sign(begun, [2, 3])
    expect(node().drills.progress(begun.drillId)).to.deep.equal({ signed: false })
    const answers = await sign(begun, [1, 3])
    expect(node().drills.progress(begun.drillId)).to.deep.equal({ signed: true })
    expect(cluster.device('n1').calls).to.equal(calls)
    const report = await node().drills.finish(begun.drillId, undefined)
    expect(report).to.deep.include({ hsm: 'primary', keyId: KEY, recordsOpened: 3, restored: true, problem: null })
    expect(report.others).to.deep.equal([{ name: 'backup', state: 'up' }])
    expect(report.signed?.signers).to.deep.equal([1, 3])
    expect(report.signed?.signature).to.equal(Buffer.from(signedIn(answers[0]!).items[0]!.signature).toString('hex'))
    verifyReport(parseReport(JSON.stringify(report)), cluster.lock)
    expect(await stateOf('primary')).to.equal('up')
    expect(told().map((e) => e.kind)).to.deep.equal(['hsm.drill-begun', 'hsm.drilled'])
    expect(told()[1]?.details).to.include({ hsm: 'primary', isSigned: true, restored: true, problem: null })
  })

  it('drill: without a signature it has failed, says why, and the HSM is back', async () => {
    const begun = await node().drills.begin('backup', KEY)
    const report = await node().drills.finish(begun.drillId, 'nobody wanted to')
    expect(report).to.deep.include({ hsm: 'backup', signed: null, restored: true, problem: 'nobody wanted to' })
    verifyReport(report, cluster.lock)
    expect(await stateOf('backup')).to.equal('up')
  })

  it('drill: whoever began it may be gone: at the deadline the HSM is put back, and nothing is reported any more', async () => {
    const begun = await node().drills.begin('primary', KEY)
    for (const fire of deadlines) fire()
    await until('its return', async () => (await stateOf('primary')) === 'up')
    expect(await refusal(async () => node().drills.finish(begun.drillId, undefined))).to.equal('NO_DRILL')
    await until('the event', () => told().length === 2)
    expect(told()[1]?.details).to.include({ isSigned: false, restored: true, problem: 'the deadline of the drill has passed' })
    const again = await node().drills.begin('primary', KEY)
    expect(again.drillId).not.to.equal(begun.drillId)
  })

  it('drill: is refused where there is nothing to fall back on, and nothing is taken out', async () => {
    const begin = (hsm: string, key = KEY) => refusal(async () => node().drills.begin(hsm, key))
    expect([await begin('third'), await begin('primary', 'no-such-key')]).to.deep.equal(['UNKNOWN_HSM', 'UNKNOWN_KEY'])
    expect(await refusal(async () => cluster.node('n2').drills.begin('primary', KEY))).to.equal('NO_BACKUP')
    backup.fail('TOKEN_LOST')
    expect(await begin('primary')).to.equal('NO_BACKUP')
    expect(await begin('backup')).to.equal('HSM_NOT_UP')
    backup.heal()
    await node().admin.status()
    expect([await stateOf('primary'), await stateOf('backup')]).to.deep.equal(['up', 'up'])
    const { drillId } = await node().drills.begin('primary', KEY)
    expect([await begin('primary'), await begin('backup')]).to.deep.equal(['DRILL_RUNNING', 'DRILL_RUNNING'])
    await node().drills.finish(drillId, undefined)
  })

  it('drill: a record that needs the HSM is named, and the HSM is back at once', async () => {
    backup.fail('TOKEN_LOST')
    await newKey(cluster, 'second')
    backup.heal()
    await node().admin.status()
    const error = await node()
      .drills.begin('primary', KEY)
      .catch((e: unknown) => e)
    expect(error).to.include({ code: 'RECORD_DEPENDS' })
    expect(String(error)).to.match(/share of key second.*conclave hsm rewrap/)
    expect(await stateOf('primary')).to.equal('up')
    expect(told().map((e) => e.details.problem ?? null)).to.satisfy(([, problem]: string[]) => /second/.test(problem ?? ''))
  })

  it('drill: an HSM that does not come back is reported as it is', async () => {
    const begun = await node().drills.begin('backup', KEY)
    await sign(begun, [1, 2])
    backup.fail('AGENT_DIED')
    const report = await node().drills.finish(begun.drillId, undefined)
    expect(report).to.include({ restored: false, problem: 'the HSM is not used again' })
  })

  it('drill: a journal that refuses ends it before anything is taken out', async () => {
    await cluster.kill('n2')
    const vault = await memoryVault({ devices: [cluster.device('n2'), new MemoryDevice({ name: 'backup' })] })
    const record = () => Promise.reject(new Error('no disk'))
    await cluster.start(['n2'], { rig: (parts) => ({ ...parts, vault, journal: { record } }) })
    const out: string[] = []
    const before = vault.hsm
    vault.hsm = (name) => ({ ...before(name), takeOut: () => void out.push(name) })
    await cluster
      .node('n2')
      .drills.begin('backup', KEY)
      .then(
        () => expect.fail('it began'),
        () => undefined,
      )
    expect(out).to.deep.equal([])
  })

  describe('report', () => {
    let report: HsmDrillReport
    beforeEach(async () => {
      const begun = await node().drills.begin('primary', KEY)
      await sign(begun, [1, 2])
      report = await node().drills.finish(begun.drillId, undefined)
    })
    const verdictOf = (change: Partial<HsmDrillReport>) => refusal(async () => verifyReport({ ...report, ...change }, cluster.lock))

    it('report: a change of any field is found', async () => {
      const changes: Partial<HsmDrillReport>[] = [
        { node: 'n2', index: 2 },
        { hsm: 'backup' },
        { others: [] },
        { keyId: 'other' },
        { publicKey: `02${'11'.repeat(32)}` },
        { startedAt: '2020-01-01T00:00:00.000Z' },
        { endedAt: '2020-01-01T00:00:00.000Z' },
        { recordsOpened: 4 },
        { payload: `${report.payload}00` },
        { signed: null },
        { restored: false },
        { problem: 'none' },
        { signed: { ...report.signed!, signers: [1, 3] } },
      ]
      for (const change of changes) expect(await verdictOf(change), JSON.stringify(change)).to.equal('WRONG_SIGNATURE')
      expect(await verdictOf({ clusterId: '00'.repeat(32) })).to.equal('WRONG_CLUSTER')
      expect(await verdictOf({ node: 'n9' })).to.equal('NOT_A_MEMBER')
      const identity = { ...report.identity, signature: report.identity.signature.replace(/^../, (b) => (b === '00' ? '01' : '00')) }
      expect(await verdictOf({ identity })).to.equal('WRONG_SIGNATURE')
    })

    it('report: what the node itself signed must hold together: its own drill, its own signature', async () => {
      const vault = await memoryVault({ devices: [cluster.device('n1')] })
      const { identity: _, format: __, ...body } = report
      const signedWith = async (change: Partial<typeof body>) =>
        refusal(async () => verifyReport(await signReport(drillBody({ ...body, ...change }), vault.identity), cluster.lock))
      expect(await signedWith({ hsm: 'backup' })).to.equal('WRONG_DRILL')
      expect(await signedWith({ startedAt: body.endedAt === body.startedAt ? '2020-01-01T00:00:00.000Z' : body.endedAt })).to.equal(
        'WRONG_DRILL',
      )
      const signed = report.signed!
      expect(await signedWith({ signed: { ...signed, signers: [2, 3] } })).to.equal('WRONG_DRILL')
      const other = signed.signature.replace(/^../, (b) => (b === '00' ? '01' : '00'))
      expect(await signedWith({ signed: { ...signed, signature: other } })).to.equal('WRONG_DRILL')
    })

    it('report: its JSON may be laid out in any way, and what is no report is refused', async () => {
      const shuffled = Object.fromEntries(Object.entries(report).reverse())
      const text = JSON.stringify({ ...shuffled, signed: Object.fromEntries(Object.entries(report.signed!).reverse()) }, null, 7)
      verifyReport(parseReport(text), cluster.lock)
      for (const bad of ['', 'null', '{}', text.replace('"hsm"', '"hsn"'), text.replace('{', '{"more":1,'), ' '.repeat(70_000)])
        expect(await refusal(async () => parseReport(bad))).to.equal('BAD_REPORT')
    })
  })
})
