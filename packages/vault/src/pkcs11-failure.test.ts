import { type ChildProcess, fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type IdentityKey, toHex } from '@conclave/core'
import { expect } from 'chai'
import { CONFORMANCE_CONTEXT as CONTEXT, opened, refusal, CONFORMANCE_SECRET as SECRET } from './conformance.ts'
import type { KeyVault } from './key-vault.ts'
import { memoryHolds } from './memory-search.fixture.ts'
import { openPkcs11Vault } from './pkcs11-vault.ts'
import type { HsmSettings, Pkcs11VaultSettings } from './settings.ts'
import {
  agentPid,
  hasAgent,
  isRunning,
  provisionSoftHsm,
  SOFTHSM_MISSING,
  type SoftHsm,
  type SoftHsmRig,
  softHsm,
  softHsmRig,
  until,
} from './softhsm-rig.fixture.ts'

const HOLDER = fileURLToPath(new URL('./holder.fixture.ts', import.meta.url))

/** SoftHSM keeps one file an object, beside those of the token itself. */
function objectFiles(hsm: SoftHsm): string[] {
  return readdirSync(hsm.tokens, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.object') && !path.endsWith('token.object'))
    .map((path) => join(hsm.tokens, path))
}

describe(`PKCS#11 vault, failures, SoftHSM2${SOFTHSM_MISSING === undefined ? '' : ` (skipped: ${SOFTHSM_MISSING})`}`, () => {
  let rig: SoftHsmRig
  const vaults: KeyVault[] = []
  const holders: ChildProcess[] = []

  before(async function () {
    if (SOFTHSM_MISSING !== undefined) this.skip()
    rig = await softHsmRig()
  })

  afterEach(async () => {
    for (const holder of holders.splice(0)) holder.kill('SIGKILL')
    await Promise.all(vaults.splice(0).map((v) => v.close()))
  })

  after(() => rig?.dispose())

  async function open(settings: Pkcs11VaultSettings = rig.settings): Promise<KeyVault> {
    const vault = await openPkcs11Vault(settings)
    vaults.push(vault)
    return vault
  }

  const only = (hsm: SoftHsm, change: Partial<HsmSettings> = {}): Pkcs11VaultSettings => ({ hsms: [{ ...hsm.settings, ...change }] })

  async function hold(settings: Pkcs11VaultSettings): Promise<{ child: ChildProcess; report: Record<string, unknown> }> {
    const child = fork(HOLDER, [JSON.stringify(settings)], { execArgv: [] })
    holders.push(child)
    const [report] = (await once(child, 'message')) as [Record<string, unknown>]
    return { child, report }
  }

  it('agent: killed while idle, the next request gets a fresh one', async () => {
    const vault = await open(only(rig.hsms.primary))
    const record = await vault.seal(CONTEXT, SECRET)
    const pid = agentPid(rig.hsms.primary)
    process.kill(pid, 'SIGKILL')
    // Gone and reaped: until our process has heard of it, a request would count as in flight.
    await until(() => !existsSync(`/proc/${pid}`))
    expect(await opened(vault.open(CONTEXT, record))).to.equal(toHex(SECRET))
    expect(agentPid(rig.hsms.primary)).not.to.equal(pid)
  })

  it('agent: killed in the middle of a request is AGENT_DIED, and the next request is served', async () => {
    const vault = await open(only(rig.hsms.primary))
    const record = await vault.seal(CONTEXT, SECRET)
    const pid = agentPid(rig.hsms.primary)
    // Stopped, it cannot answer; so the request is in flight when it dies.
    process.kill(pid, 'SIGSTOP')
    const refused = refusal(vault.open(CONTEXT, record))
    await new Promise(setImmediate)
    process.kill(pid, 'SIGKILL')
    const { code, retriable } = await refused
    expect([code, retriable]).to.deep.equal(['AGENT_DIED', true])
    expect(await opened(vault.open(CONTEXT, record))).to.equal(toHex(SECRET))
  })

  it('agent: killed in the middle of a request, the backup opens the record', async () => {
    const vault = await open()
    const record = await vault.seal(CONTEXT, SECRET)
    const pid = agentPid(rig.hsms.primary)
    process.kill(pid, 'SIGSTOP')
    const secret = opened(vault.open(CONTEXT, record))
    await new Promise(setImmediate)
    process.kill(pid, 'SIGKILL')
    expect(await secret).to.equal(toHex(SECRET))
    expect((await vault.health()).map((h) => h.ok)).to.deep.equal([true, true])
  })

  it('agent: one that hangs is TIMEOUT, fails over, is killed and replaced', async () => {
    const [primary, backup] = rig.settings.hsms as [HsmSettings, HsmSettings]
    const vault = await open({ ...rig.settings, hsms: [{ ...primary, requestTimeoutMs: 1500 }, backup] })
    const record = await vault.seal(CONTEXT, SECRET)
    const pid = agentPid(rig.hsms.primary)
    process.kill(pid, 'SIGSTOP')
    expect((await refusal(vault.identity.sign(SECRET))).code).to.equal('TIMEOUT')
    await until(() => !isRunning(pid))
    // Nobody waits for it now; a check in the background starts another agent.
    await until(async () => (await vault.health()).every((h) => h.ok))
    process.kill(agentPid(rig.hsms.primary), 'SIGSTOP')
    expect(await opened(vault.open(CONTEXT, record))).to.equal(toHex(SECRET))
  })

  it('agent: a wrong PIN is never tried again in this process, not even when it was corrected', async () => {
    const hsm = await softHsm(rig.path, 'mistyped')
    await provisionSoftHsm(hsm)
    const path = join(hsm.home, 'typed-pin')
    await writeFile(path, 'mistyped-pin', { mode: 0o600 })
    const settings = only(hsm, { pin: { file: path } })
    const first = await refusal(openPkcs11Vault(settings))
    expect([first.code, first.retriable]).to.deep.equal(['PIN_INCORRECT', false])
    expect(hasAgent(hsm)).to.equal(false)
    await writeFile(path, 'mistyped-pin-4711')
    expect((await refusal(openPkcs11Vault(settings))).code).to.equal('PIN_INCORRECT')
    expect(hasAgent(hsm)).to.equal(false)
    // Another process is what an operator's restart makes.
    expect((await hold(settings)).report).not.to.have.property('code')
  })

  it('open: a backup with a wrong PIN refuses to start, and so does a wrong one of any other kind', async () => {
    const { primary, backup } = rig.hsms
    const wrong = join(rig.path, 'wrong-pin')
    const broad = join(rig.path, 'broad-pin')
    const text = join(rig.path, 'text.so')
    await writeFile(wrong, 'not-this-one', { mode: 0o400 })
    await writeFile(broad, 'backup-pin-4711', { mode: 0o640 })
    await writeFile(text, 'no module')
    const cases: [Partial<HsmSettings>, string][] = [
      [{ pin: { file: wrong } }, 'PIN_INCORRECT'],
      [{ pin: { file: broad } }, 'PIN_SOURCE'],
      [{ pin: { env: 'CONCLAVE_NO_SUCH_PIN' } }, 'PIN_SOURCE'],
      [{ module: '/nowhere/libhsm.so' }, 'MODULE_MISSING'],
      [{ module: text }, 'MODULE_MISSING'],
      [{ kek: { label: 'no-such-kek' } }, 'KEY_MISSING'],
      [{ kek: { id: '00'.repeat(16) } }, 'KEY_MISSING'],
    ]
    for (const [change, code] of cases) {
      const error = await refusal(openPkcs11Vault({ hsms: [primary.settings, { ...backup.settings, ...change }] }))
      expect([error.code, error.message.includes('\n')], JSON.stringify(change)).to.deep.equal([code, false])
      expect([hasAgent(primary), hasAgent(backup)]).to.deep.equal([false, false])
    }
  })

  it('open: a token that is not there is TOKEN_LOST; beside one that works it is only reported', async () => {
    const { primary, backup } = rig.hsms
    expect((await refusal(openPkcs11Vault(only(primary, { token: 'elsewhere' })))).code).to.equal('TOKEN_LOST')
    expect((await refusal(openPkcs11Vault(only(primary, { serial: '0123456789abcdef' })))).code).to.equal('TOKEN_LOST')
    const vault = await open({ hsms: [primary.settings, { ...backup.settings, token: 'elsewhere' }] })
    expect((await vault.health()).map((h) => h.code)).to.deep.equal([undefined, 'TOKEN_LOST'])
  })

  it('open: with the primary away, a known identity is enough to start; another one is refused', async () => {
    const { identity: _, ...unknown } = rig.settings
    await rig.kill('primary')
    try {
      expect((await refusal(openPkcs11Vault(unknown))).code).to.equal('TOKEN_LOST')
      const vault = await open()
      expect(vault.identity.key).to.deep.equal(rig.settings.identity!.key)
      expect((await refusal(vault.identity.sign(SECRET))).retriable).to.equal(true)
      await opened(vault.open(CONTEXT, await vault.seal(CONTEXT, SECRET)))
      await rig.revive('primary')
      await vault.identity.sign(SECRET)
    } finally {
      await rig.revive('primary').catch(() => undefined)
    }
    const other = await refusal(openPkcs11Vault({ ...rig.settings, identity: { ...rig.settings.identity, hsm: 'backup' } }))
    expect(other.code).to.equal('WRONG_IDENTITY')
  })

  it('checkpoints: only the keys that the lock lists sign, and a vault without one of them does not open', async () => {
    const all = await open()
    const [first, second] = all.checkpointSigner.keys as [IdentityKey, IdentityKey]
    const onlySecond = await openPkcs11Vault({ ...rig.settings, checkpointKeys: [second] })
    expect((await onlySecond.checkpointSigner.sign(SECRET)).key).to.deep.equal(second)
    await rig.kill('backup')
    try {
      expect((await refusal(onlySecond.checkpointSigner.sign(SECRET))).retriable).to.equal(true)
      expect((await all.checkpointSigner.sign(SECRET)).key).to.deep.equal(first)
      // Its HSM is away, and may hold it.
      const later = await openPkcs11Vault({ ...rig.settings, checkpointKeys: [second] })
      await rig.revive('backup')
      await later.health()
      expect((await later.checkpointSigner.sign(SECRET)).key).to.deep.equal(second)
      await later.close()
    } finally {
      await rig.revive('backup').catch(() => undefined)
      await onlySecond.close()
    }
    const strange = openPkcs11Vault({ ...rig.settings, checkpointKeys: [all.identity.key] })
    expect((await refusal(strange)).code).to.equal('KEY_MISSING')
  })

  it('open: one token under two names is not a backup', async () => {
    const { settings } = rig.hsms.primary
    const error = await openPkcs11Vault({ hsms: [settings, { ...settings, name: 'second' }] }).catch((e: unknown) => e)
    expect((error as { code: string }).code).to.equal('BAD_HSM_SETTINGS')
  })

  it('KEK: erased while the node runs is KEY_MISSING, and is never made again', async () => {
    const hsm = await softHsm(rig.path, 'erased')
    await provisionSoftHsm(hsm)
    const vault = await open(only(hsm))
    const record = await vault.seal(CONTEXT, SECRET)
    const before = objectFiles(hsm)
    // The objects go, the token stays.
    await Promise.all(before.map((path) => rm(path)))
    const refused = [vault.open(CONTEXT, record), vault.seal(CONTEXT, SECRET), openPkcs11Vault(only(hsm))]
    expect((await Promise.all(refused.map(refusal))).map((e) => e.code)).to.deep.equal(Array(3).fill('KEY_MISSING'))
    expect((await vault.health())[0]!.code).to.equal('KEY_MISSING')
    // The KEK, and both halves of two signing keys.
    expect([before.length, objectFiles(hsm).length]).to.deep.equal([5, 0])
  })

  it('token: erased and made again with the same name is another token', async () => {
    const hsm = await softHsm(rig.path, 'replaced')
    await provisionSoftHsm(hsm)
    const vault = await open(only(hsm))
    const record = await vault.seal(CONTEXT, SECRET)
    await rm(hsm.tokens, { recursive: true })
    await mkdir(hsm.tokens, { mode: 0o700 })
    await provisionSoftHsm(hsm)
    expect((await refusal(vault.open(CONTEXT, record))).code).to.equal('TOKEN_LOST')
    process.kill(agentPid(hsm), 'SIGKILL')
    await refusal(vault.seal(CONTEXT, SECRET))
    // The fresh agent does not take it for the old one either.
    expect((await refusal(vault.seal(CONTEXT, SECRET))).code).to.equal('TOKEN_LOST')
    expect((await vault.health())[0]!.code).to.equal('TOKEN_LOST')
    const restarted = await open(only(hsm))
    expect((await refusal(restarted.open(CONTEXT, record))).code).to.equal('KEY_MISSING')
  })

  it('agent: ends when its parent is killed', async () => {
    const { child, report } = await hold({ hsms: rig.settings.hsms })
    expect(report).not.to.have.property('code')
    const pids = [rig.hsms.primary, rig.hsms.backup].map((hsm) => agentPid(hsm, child.pid))
    child.kill('SIGKILL')
    await until(() => pids.every((pid) => !isRunning(pid)))
  })

  it("agent: a terminal's or a service manager's signal does not end it before its parent", async () => {
    const vault = await open(only(rig.hsms.primary))
    const pid = agentPid(rig.hsms.primary)
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.kill(pid, signal)
    await vault.health()
    expect(agentPid(rig.hsms.primary)).to.equal(pid)
  })

  it('PIN: is in the memory of the agent only, and in no arguments or environment', async function () {
    const pin = randomBytes(12).toString('hex')
    const hsm = await softHsm(rig.path, 'secretive', pin)
    await provisionSoftHsm(hsm)
    const { child, report } = await hold(only(hsm))
    const agent = agentPid(hsm, child.pid)
    for (const pid of [child.pid!, agent]) {
      for (const file of ['cmdline', 'environ']) expect(readFileSync(`/proc/${pid}/${file}`, 'latin1')).not.to.include(pin)
    }
    expect(report).to.deep.equal({ modules: 0 })
    const inAgent = memoryHolds(agent, Buffer.from(pin))
    if (inAgent === undefined) this.skip()
    // The search does find it where it has to be.
    expect(inAgent).to.equal(true)
    expect(memoryHolds(child.pid!, Buffer.from(pin))).to.equal(false)
  })
})
