import { type AuditEvent, sameIdentity, utf8, verifyIdentity } from '@conclave/core'
import { type KeyVault, MemoryDevice, memoryVault } from '@conclave/vault'
import { expect } from 'chai'
import type { AdminHsm } from './admin-hsm.ts'
import { TestCluster } from './cluster.fixture.ts'
import { createKey, expectSignature, failureIn, newKey, pairsReady, sign, signTransfer, statusOf, until } from './requests.fixture.ts'

describe('HSMs of a node', () => {
  let cluster: TestCluster
  let publicKey: Uint8Array
  let backup: MemoryDevice
  let events: AuditEvent[]
  let firstVault: KeyVault
  let requests = 0

  /** n1 has a second HSM and a journal that the test reads. */
  const startFirst = async (): Promise<void> => {
    const vault = await memoryVault({ devices: [cluster.device('n1'), backup] })
    firstVault = vault
    const record = async (event: AuditEvent) => void events.push(event)
    await cluster.start(['n1'], { rig: (parts) => ({ ...parts, vault, journal: { record } }) })
  }

  beforeEach(async () => {
    cluster = await TestCluster.create(2, 2)
    backup = new MemoryDevice({ name: 'backup' })
    events = []
    await Promise.all([startFirst(), cluster.start(['n2'])])
    publicKey = await newKey(cluster)
    await pairsReady(cluster)
  })
  afterEach(() => cluster.close())

  const hsmEvents = () => events.filter((e) => e.kind.startsWith('hsm.'))
  const hsms = async (): Promise<readonly AdminHsm[]> => (await cluster.node('n1').admin.status()).hsm
  const signs = async () => expectSignature(await signTransfer(cluster, ++requests, [1, 2]), publicKey)

  it('hsm health: with the primary gone signing goes on, and status, coordinator and journal tell it; it returns by itself', async () => {
    cluster.device('n1').fail('TOKEN_LOST')
    await signs()
    const [primary] = await hsms()
    expect(primary).to.include({ name: 'primary', ok: false, state: 'down', code: 'TOKEN_LOST', short: 0 })
    const { hsmOk, hsms: reported } = await statusOf(cluster, 1)
    expect(hsmOk).to.equal(true)
    expect(reported.map(({ name, state, code }) => [name, state, code])).to.deep.equal([
      ['primary', 'down', 'TOKEN_LOST'],
      ['backup', 'up', ''],
    ])
    expect(hsmEvents().map((e) => e.kind)).to.deep.equal(['hsm.failed', 'hsm.failover'])
    cluster.device('n1').heal()
    await until('its return', async () => (await hsms())[0]?.ok === true)
    await until('the event', () => hsmEvents().at(-1)?.kind === 'hsm.returned')
    expect((await hsms())[0]).to.include({ code: null, lastCode: 'TOKEN_LOST' })
    await signs()
  })

  it('hsm health: without any HSM a signing is refused as retriable, and works again without a restart', async () => {
    for (const device of [cluster.device('n1'), backup]) device.fail('TOKEN_LOST')
    const refused = await signTransfer(cluster, ++requests, [1, 2])
    const { code, retriable } = failureIn(refused[0]!)
    expect([code, retriable]).to.deep.equal(['TOKEN_LOST', true])
    expect((await statusOf(cluster, 1)).hsmOk).to.equal(false)
    for (const device of [cluster.device('n1'), backup]) device.heal()
    expectSignature(await sign(cluster, requests, [1, 2], 1), publicKey)
  })

  it('hsm health: while the HSM of the identity is away new keys are refused as retriable; signatures and checkpoints are made', async () => {
    cluster.device('n1').fail('TOKEN_LOST')
    const { code, retriable } = failureIn((await createKey(cluster, 'second'))[0]!)
    expect([code, retriable]).to.deep.equal(['TOKEN_LOST', true])
    await signs()
    const { key, signature } = await firstVault.checkpointSigner.sign(utf8('checkpoint'))
    expect([sameIdentity(key, firstVault.checkpointSigner.keys[1]!), verifyIdentity(key, utf8('checkpoint'), signature)]).to.deep.equal([
      true,
      true,
    ])
    cluster.device('n1').heal()
    await until('its return', async () => (await hsms())[0]?.ok === true)
    await newKey(cluster, 'third')
  })

  it('hsm health: records sealed without an HSM are counted, now and after a restart', async () => {
    backup.fail('TIMEOUT')
    await signs()
    await newKey(cluster, 'second')
    expect(events.filter((e) => e.kind === 'record.short').map((e) => e.details)).to.deep.equal([
      { hsm: 'backup', code: 'TIMEOUT', recordType: 'key-share', keyId: 'second', epoch: 0 },
    ])
    expect((await hsms())[1]).to.include({ state: 'down', missed: 1, short: 1 })
    expect((await statusOf(cluster, 1)).hsms[1]).to.include({ missed: 1, short: 1 })
    backup.heal()
    await cluster.kill('n1')
    await startFirst()
    expect((await hsms())[1]).to.include({ state: 'up', missed: 0, short: 1 })
  })

  it('hsm health: one that is away when the node starts is told, and so is its return', async () => {
    await cluster.kill('n1')
    events = []
    const vault = await memoryVault({ devices: [cluster.device('n1'), backup] })
    backup.fail('SESSION_LOST')
    const record = async (event: AuditEvent) => void events.push(event)
    await cluster.start(['n1'], { rig: (parts) => ({ ...parts, vault, journal: { record } }) })
    expect(hsmEvents()).to.deep.equal([{ kind: 'hsm.failed', details: { hsm: 'backup', code: 'SESSION_LOST' } }])
    backup.heal()
    await until('the event', () => hsmEvents().at(-1)?.kind === 'hsm.returned')
  })

  it('hsm health: a journal that refuses stops nothing that has happened', async () => {
    await cluster.kill('n1')
    const vault = await memoryVault({ devices: [cluster.device('n1'), backup] })
    const record = async ({ kind }: AuditEvent) => {
      if (kind.startsWith('hsm.')) throw new Error('no disk')
    }
    await cluster.start(['n1'], { rig: (parts) => ({ ...parts, vault, journal: { record } }) })
    await pairsReady(cluster)
    cluster.device('n1').fail('AGENT_DIED')
    await signs()
  })
})
