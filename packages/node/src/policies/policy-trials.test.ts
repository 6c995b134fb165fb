import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { toHex, utf8 } from '@conclave/core'
import { parseOverlay } from '@conclave/policy'
import { silentLogger } from '@conclave/transport'
import { expect } from 'chai'
import { type AdminServer, openAdminServer } from '../admin-server.ts'
import { ALICE, approval, BOB, peoplePolicy, peopleText, signedProposal } from '../approvals/people.fixture.ts'
import { TestCluster } from '../cluster.fixture.ts'
import { SETTINGS_FILE } from '../init.ts'
import { refusal } from '../refusal.fixture.ts'
import { codeIn, KEY, newKey, pairsReady, transfer, verdictIn } from '../requests.fixture.ts'
import { policyPage, readPolicyStatus, replayPolicy, type Simulation, simulatePolicy, submitPolicy } from './ask-policy.ts'
import { payText, signedPolicy } from './authors.fixture.ts'
import { policyRoutes } from './policy-routes.ts'
import type { ReplayedRequest } from './policy-trials.ts'

const T0 = 1_700_000_000_000
const DAY = 86_400_000

describe('trials of a policy', () => {
  let cluster: TestCluster
  let dir: string
  let admin: AdminServer
  const file = (name: string) => join(dir, name)

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'conclave-trials-'))
    cluster = await TestCluster.create(2, 2)
    const overlay = parseOverlay(payText(1, 50_000), 'overlay')
    await cluster.start(undefined, { policy: peoplePolicy(7), rig: (parts) => (parts.name === 'n1' ? { ...parts, overlay } : parts) })
    await newKey(cluster)
    await pairsReady(cluster)
    admin = await openAdminServer(file('a.sock'), silentLogger)
    const { policies, trials } = cluster.node('n1')
    admin.serve(policyRoutes(policies, trials))
    const settings = `cluster: { lock: l.json }\nnode: { name: n1 }\nhsm: [{ name: h, module: /m, token: t, pin: { file: pin } }]\np2p: { listen: [/ip4/127.0.0.1/tcp/1] }\nstore: { path: s }\npolicy: { file: p.yaml }\nadmin: { socket: a.sock }\n`
    await writeFile(file(SETTINGS_FILE), settings)
  })
  after(async () => {
    await admin.close()
    await cluster.close()
    await rm(dir, { recursive: true })
  })

  let attempts = 0
  const asked = (wei: bigint, notBeforeMs = T0) =>
    signedProposal({ clusterId: cluster.lock.clusterId, keyId: KEY, payloads: [transfer(wei)], notBeforeMs })
  /** Proposed to both, approved by two if it waits for that, and signed if it is allowed. */
  const paid = async (wei: bigint) => {
    const propose = asked(wei)
    const said = [1, 2].map(async (j) => verdictIn(await cluster.ask(j, { propose })))
    const [first] = await Promise.all(said)
    if (first?.code === 'PENDING_APPROVAL')
      for (const by of [ALICE, BOB])
        for (const j of [1, 2]) await cluster.ask(j, { approval: approval(propose.requestId, first.statement, by) })
    const sign = { requestId: propose.requestId, attempt: attempts++, signers: [1, 2], epoch: 0 }
    const bodies = await Promise.all([1, 2].map((j) => cluster.ask(j, { sign })))
    for (const body of bodies) expect(codeIn(body)).to.equal('signed')
    return toHex(propose.requestId)
  }

  const simulation = async (wei: bigint, change: Partial<Simulation> = {}) => {
    const payloadFile = file(`${wei}.hex`)
    await writeFile(payloadFile, `0x${toHex(transfer(wei)).toUpperCase()}\n`)
    return simulatePolicy({
      ...{ dir, policyFile: undefined, payloadFile, payloadType: 'evm.tx', keyId: KEY, path: 'm', requester: undefined },
      ...{ approvedBy: [], atMs: undefined, nowMs: T0, ...change },
    })
  }

  it('simulate: would it pass here, by which rule, for whom, with whose approvals, and what of the overlay', async () => {
    expect(await simulation(5n)).to.deep.include({ allowed: true, code: 'ALLOWED', rule: 'pay' })
    expect((await simulation(5n)).summary.map((l) => l.label)).to.include('Chain id')
    expect(await simulation(5n, { requester: 'exchange' })).to.include({ allowed: true })
    expect(await simulation(5n, { requester: 'mallory' })).to.include({ allowed: false, code: 'UNKNOWN_REQUESTER' })
    expect(await simulation(2_000n)).to.include({ allowed: false, code: 'PENDING_APPROVAL', rule: 'pay-much' })
    expect(await simulation(2_000n, { approvedBy: ['alice', 'bob'] })).to.include({ allowed: true })
    // Nobody approves what he asks for.
    expect(await simulation(2_000n, { approvedBy: ['alice', 'dave'], requester: 'dave' })).to.include({ code: 'PENDING_APPROVAL' })
    expect(await simulation(60_000n, { approvedBy: ['alice', 'bob'] })).to.include({ code: 'AMOUNT_OVER_LIMIT', rule: 'overlay:pay' })
    expect(await refusal(() => simulation(5n, { keyId: 'nobody' }))).to.equal('UNKNOWN_KEY')
    expect(await refusal(() => simulation(5n, { path: 'm/x' }))).to.equal('BAD_PATH')
  })

  it('simulate: another policy in the place of the one in force, at a node and away from any', async () => {
    await writeFile(file('strict.yaml'), payText(8, 4))
    for (const at of [{ dir }, { dir: undefined }])
      expect(await simulation(5n, { ...at, policyFile: file('strict.yaml') })).to.deep.include({
        allowed: false,
        code: 'AMOUNT_OVER_LIMIT',
      })
    expect((await simulation(4n, { dir: undefined, policyFile: file('strict.yaml') })).policy.sequence).to.equal(8)
    expect(await refusal(() => simulation(5n, { dir: undefined }))).to.equal('BAD_OPTIONS')
    const psbt = { dir: undefined, policyFile: file('strict.yaml'), payloadType: 'btc.psbt' }
    expect(await refusal(() => simulation(5n, psbt))).to.equal('KEY_NEEDED')
    expect((await readPolicyStatus(dir)).inForce.sequence).to.equal(7)
  })

  it('simulate: a time is that of the question, and what is frozen does not pass', async () => {
    const office = payText(8, 10).replace('amountMaxWei', "times: [{ zone: UTC, days: [mon], from: '09:00', to: '17:00' }], amountMaxWei")
    await writeFile(file('office.yaml'), office)
    const monday = Date.UTC(2026, 2, 2, 12)
    expect(await simulation(5n, { policyFile: file('office.yaml'), atMs: monday })).to.include({ allowed: true })
    expect(await simulation(5n, { policyFile: file('office.yaml'), atMs: monday + DAY })).to.include({ code: 'TIME_NOT_ALLOWED' })
    const { freezes } = cluster.node('n1')
    await freezes.freezeHere(`child:${KEY}/m/9`, 'a test')
    expect(await simulation(5n, { path: 'm/9/1' })).to.include({ allowed: false, code: 'FROZEN' })
    expect(await simulation(5n, { path: 'm/8' })).to.include({ allowed: true })
  })

  const replayed = async (text: string, time = { fromMs: 0, toMs: Number.MAX_SAFE_INTEGER }) => {
    await writeFile(file('other.yaml'), text)
    const changed: ReplayedRequest[] = []
    let examined = 0
    for await (const page of replayPolicy(dir, file('other.yaml'), time)) {
      examined += page.examined
      changed.push(...page.changed)
    }
    return { examined, changed }
  }

  it('replay: what another policy would have answered otherwise, with the sums and the approvals of that time', async () => {
    const small = [await paid(3n), await paid(4n)]
    const large = await paid(2_000n)
    const onlyProposed = asked(900n, T0 - DAY)
    await cluster.ask(1, { propose: onlyProposed })

    expect(await replayed(peopleText(8))).to.deep.equal({ examined: 4, changed: [] })
    const strict = await replayed(payText(8, 100))
    expect(strict.examined).to.equal(4)
    expect(strict.changed.map((r) => [r.requestId, r.wasSigned, r.inForce.code, r.would.code]).sort()).to.deep.equal(
      [
        [large, true, 'ALLOWED', 'AMOUNT_OVER_LIMIT'],
        [toHex(onlyProposed.requestId), false, 'ALLOWED', 'AMOUNT_OVER_LIMIT'],
      ].sort(),
    )
    // 3 wei, then 4: by the second there was no room for both; by the first there was.
    const limited = payText(8, 5_000).replace('amountMaxWei', "limits: [{ window: 31d, amountMaxWei: '6' }], amountMaxWei")
    const tight = await replayed(limited, { fromMs: T0, toMs: Number.MAX_SAFE_INTEGER })
    expect(tight.changed.map((r) => [r.requestId, r.would.code]).sort()).to.deep.equal(
      [
        [small[1], 'SPENDING_LIMIT'],
        [large, 'SPENDING_LIMIT'],
      ].sort(),
    )
  })

  it('replay: only the time that is asked for; what waits for approvals under the other policy is said', async () => {
    expect((await replayed(payText(8, 1), { fromMs: T0 - 2 * DAY, toMs: T0 })).examined).to.equal(1)
    expect(await replayed(payText(8, 1), { fromMs: 0, toMs: 5 })).to.deep.equal({ examined: 0, changed: [] })
    const people = peopleText(8).replaceAll("amountMaxWei: '1000'", "amountMaxWei: '1000', approvals: { required: 1, of: [treasury] }")
    const asks = await replayed(people)
    expect(asks.changed.map((r) => r.would.code)).to.deep.equal(Array(3).fill('PENDING_APPROVAL'))
  })

  it('ask policy: what a file changes, and a policy that no author of this cluster can have signed', async () => {
    await writeFile(file('next.yaml'), payText(8, 4))
    await writeFile(file('before.yaml'), payText(7, 5))
    const page = await policyPage(file('next.yaml'), { against: file('before.yaml') })
    expect([page.sequence, page.against, page.lines.length]).to.deep.equal([8, 7, 2])
    expect((await policyPage(file('next.yaml'), { dir })).against).to.equal(null)
    const signed = signedPolicy(payText(8, 4), { clusterId: cluster.lock.clusterId })
    expect(await refusal(() => submitPolicy(dir, signed))).to.equal('NO_POLICY_AUTHORS')
    expect(await refusal(() => submitPolicy(dir, { ...signed, text: utf8('') }))).to.equal('BAD_BODY')
  })
})
