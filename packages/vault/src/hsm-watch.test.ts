import { codeOf, toHex } from '@conclave/core'
import { expect } from 'chai'
import type { VaultCode } from './codes.ts'
import { CONFORMANCE_CONTEXT as CONTEXT, opened, refusal, CONFORMANCE_SECRET as SECRET } from './conformance.ts'
import { CHECK_FIRST_MS, CHECK_MAX_MS } from './hsm-watch.ts'
import type { KeyVault } from './key-vault.ts'
import { ManualClock } from './manual-clock.fixture.ts'
import { MemoryDevice } from './memory-hsm.ts'
import { memoryVault } from './memory-vault.ts'
import { parseRecord } from './record.ts'
import type { VaultEvent } from './vault-events.ts'

/** What is under way, timers and answers of memory devices, has happened after this. */
const settled = () => new Promise(setImmediate)

interface Rig {
  readonly clock: ManualClock
  readonly primary: MemoryDevice
  readonly backup: MemoryDevice
  readonly vault: KeyVault
  readonly record: Uint8Array
  readonly events: VaultEvent[]
}

async function rig(): Promise<Rig> {
  const clock = new ManualClock()
  const [primary, backup] = [new MemoryDevice({ name: 'primary' }), new MemoryDevice({ name: 'backup' })]
  const vault = await memoryVault({ devices: [primary, backup], clock })
  const record = await vault.seal(CONTEXT, SECRET)
  const events: VaultEvent[] = []
  vault.watch((event) => events.push(event))
  return { clock, primary, backup, vault, record, events }
}

/** The calls that a device gets during `act`. */
async function callsOf(device: MemoryDevice, act: () => Promise<unknown>): Promise<number> {
  const before = device.calls
  await act()
  return device.calls - before
}

const opens = async ({ vault, record }: Rig) => expect(await opened(vault.open(CONTEXT, record))).to.equal(toHex(SECRET))
const stateOf = async ({ vault }: Rig, name: string) => (await vault.health()).find((h) => h.name === name)?.state

describe('health of an HSM', () => {
  it('watch: a healthy primary is asked alone, and nothing is set up to check it', async () => {
    const r = await rig()
    expect(await callsOf(r.backup, () => opens(r))).to.equal(0)
    expect(r.clock.pending).to.equal(0)
  })

  for (const code of ['TIMEOUT', 'AGENT_DIED', 'TOKEN_LOST'] as const) {
    it(`watch: after one ${code} others are asked first, until a check in the background succeeds`, async () => {
      const r = await rig()
      r.primary.fail(code)
      await opens(r)
      expect(await callsOf(r.primary, async () => Promise.all(Array.from({ length: 20 }, () => opens(r))))).to.equal(0)
      r.primary.heal()
      expect(await callsOf(r.primary, () => opens(r))).to.equal(0)
      r.clock.advance(CHECK_FIRST_MS)
      await settled()
      expect(await callsOf(r.backup, () => opens(r))).to.equal(0)
      expect(r.clock.pending).to.equal(0)
    })
  }

  it('watch: checks come at growing distances up to 5 s, one at a time, however many requests fail', async () => {
    const r = await rig()
    r.primary.fail('TOKEN_LOST')
    await Promise.all(Array.from({ length: 10 }, () => opens(r)))
    for (let waitMs = CHECK_FIRST_MS; waitMs < 4 * CHECK_MAX_MS; waitMs *= 2) {
      const nextMs = Math.min(waitMs, CHECK_MAX_MS)
      expect(r.clock.pending).to.equal(1)
      const check = async (ms: number) => {
        r.clock.advance(ms)
        await settled()
      }
      expect(await callsOf(r.primary, () => check(nextMs - 1))).to.equal(0)
      expect(await callsOf(r.primary, () => check(1))).to.equal(1)
    }
  })

  it('watch: nobody waits for an HSM that let a request time out, also when there is no other', async () => {
    const r = await rig()
    for (const device of [r.primary, r.backup]) device.fail('TIMEOUT')
    await refusal(r.vault.open(CONTEXT, r.record))
    const asked = async () => {
      const acts = [() => r.vault.open(CONTEXT, r.record), () => r.vault.seal(CONTEXT, SECRET), () => r.vault.random(8)]
      for (const act of acts) expect([(await refusal(act())).code, (await refusal(act())).retriable]).to.deep.equal(['TIMEOUT', true])
      await r.vault.health()
    }
    expect(await callsOf(r.primary, asked)).to.equal(0)
    r.backup.heal()
    r.clock.advance(CHECK_FIRST_MS)
    await settled()
    await opens(r)
  })

  it('watch: one that failed quickly is asked all the same when there is no other, and serves at once when it is back', async () => {
    const r = await rig()
    for (const device of [r.primary, r.backup]) device.fail('AGENT_DIED')
    expect((await refusal(r.vault.open(CONTEXT, r.record))).code).to.equal('AGENT_DIED')
    r.primary.heal()
    await opens(r)
    expect(await stateOf(r, 'primary')).to.equal('up')
  })

  it('watch: a seal asks every HSM that may answer, so that one that is back becomes a recipient at once', async () => {
    const r = await rig()
    r.backup.fail('TOKEN_LOST')
    await r.vault.seal(CONTEXT, SECRET)
    r.backup.heal()
    expect(parseRecord(await r.vault.seal(CONTEXT, SECRET)).recipients).to.have.length(2)
  })

  for (const code of ['PIN_INCORRECT', 'PIN_LOCKED', 'PIN_FINAL_TRY', 'PIN_SOURCE'] satisfies VaultCode[]) {
    it(`watch: after ${code} an HSM is never asked again, until its operator says so`, async () => {
      const r = await rig()
      r.primary.fail(code)
      await opens(r)
      const everything = async () => {
        await opens(r)
        await r.vault.seal(CONTEXT, SECRET)
        expect((await r.vault.health())[0]).to.include({ state: 'refused', ok: false, code })
        r.clock.advance(10 * CHECK_MAX_MS)
        await settled()
      }
      expect(await callsOf(r.primary, everything)).to.equal(0)
      expect(r.clock.pending).to.equal(0)
      expect(await callsOf(r.primary, () => r.vault.hsm('primary').retry())).to.equal(1)
      expect(await stateOf(r, 'primary')).to.equal('refused')
      r.primary.heal()
      expect(await r.vault.hsm('primary').retry()).to.include({ state: 'up', lastCode: code })
      expect(await callsOf(r.backup, () => opens(r))).to.equal(0)
    })
  }

  it('watch: a few BUSY are load and not a fault; one too many in a row is', async () => {
    const r = await rig()
    r.primary.fail('BUSY')
    for (let i = 0; i < 3; i++) await opens(r)
    expect(r.events).to.deep.equal([])
    await opens(r)
    expect(r.events[0]).to.deep.equal({ kind: 'hsm.failed', details: { hsm: 'primary', code: 'BUSY' } })
  })

  it('events: failure, failover and return are told once each, and a record that lacks a wrap each time', async () => {
    const r = await rig()
    r.primary.fail('TOKEN_LOST')
    for (let i = 0; i < 3; i++) await opens(r)
    await r.vault.seal(CONTEXT, SECRET)
    r.clock.advance(CHECK_FIRST_MS - 1)
    r.primary.heal()
    r.clock.advance(1)
    await settled()
    await opens(r)
    const { recordType, keyId, epoch } = CONTEXT
    expect(r.events).to.deep.equal([
      { kind: 'hsm.failed', details: { hsm: 'primary', code: 'TOKEN_LOST' } },
      { kind: 'hsm.failover', details: { from: 'primary', to: 'backup', code: 'TOKEN_LOST' } },
      { kind: 'record.short', details: { hsm: 'primary', code: 'TOKEN_LOST', recordType, keyId, epoch } },
      { kind: 'hsm.returned', details: { hsm: 'primary', awayMs: CHECK_FIRST_MS } },
    ])
  })

  it('events: a record without a wrap for a primary that is well is no failover', async () => {
    const r = await rig()
    r.primary.fail('TOKEN_LOST')
    const short = await r.vault.seal(CONTEXT, SECRET)
    r.primary.heal()
    await r.vault.health()
    const before = r.events.length
    await opened(r.vault.open(CONTEXT, short))
    await opens(r)
    expect(r.events).to.have.length(before)
    expect([r.vault.missingFrom(short), r.vault.missingFrom(r.record)]).to.deep.equal([['primary'], []])
  })

  it('health: tells the state, since when, the last code, the failures and the median latency', async () => {
    const r = await rig()
    r.clock.advance(500)
    r.primary.fail('SESSION_LOST')
    await opens(r)
    const [primary, backup] = await r.vault.health()
    expect(primary).to.include({
      name: 'primary',
      ok: false,
      state: 'down',
      sinceMs: 500,
      code: 'SESSION_LOST',
      failures: 2,
      missedSeals: 0,
    })
    expect(backup).to.include({ name: 'backup', ok: true, state: 'up', sinceMs: 0, failures: 0, latencyMs: 0 })
    expect([backup?.code, backup?.lastCode]).to.deep.equal([undefined, undefined])
  })

  it('control: one that is taken out serves nobody, whatever it could, and serves again when it is put back', async () => {
    const r = await rig()
    r.vault.hsm('primary').takeOut()
    const away = async () => {
      await opens(r)
      expect(parseRecord(await r.vault.seal(CONTEXT, SECRET)).recipients.map((x) => x.name)).to.deep.equal(['backup'])
      expect((await r.vault.health())[0]).to.include({ state: 'out', code: 'TAKEN_OUT' })
      expect((await refusal(r.vault.identity.sign(SECRET))).code).to.equal('TAKEN_OUT')
      await r.vault.hsm('primary').retry()
    }
    expect(await callsOf(r.primary, away)).to.equal(0)
    expect(await r.vault.hsm('primary').putBack()).to.include({ state: 'up', ok: true })
    expect(await callsOf(r.backup, () => opens(r))).to.equal(0)
  })

  it('control: one that is put back broken is down, and checked', async () => {
    const r = await rig()
    r.vault.hsm('primary').takeOut()
    r.primary.fail('AGENT_DIED')
    expect(await r.vault.hsm('primary').putBack()).to.include({ state: 'down', code: 'AGENT_DIED' })
    expect(r.clock.pending).to.equal(1)
    await r.vault.close()
    expect(r.clock.pending).to.equal(0)
  })

  it('control: an HSM that the node does not have is UNKNOWN_HSM', async () => {
    const { vault } = await rig()
    try {
      vault.hsm('third')
      expect.fail('it was found')
    } catch (error) {
      expect(codeOf(error)).to.equal('UNKNOWN_HSM')
    }
  })
})
