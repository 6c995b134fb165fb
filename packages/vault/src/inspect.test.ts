import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { systemClock } from '@conclave/core'
import { expect } from 'chai'
import { riskOfLogin } from './agent/inspect-token.ts'
import { inspectHsm } from './inspect.ts'
import { KEK_LABEL } from './pkcs11-hsm.ts'
import type { HsmSettings } from './settings.ts'
import { emptyToken, provisionSoftHsm, SOFTHSM_MISSING, type SoftHsm, softHsm, temporaryDirectory } from './softhsm-rig.fixture.ts'

const salt = randomBytes(16)
const OPTIONS = { names: [], salt, files: [], login: true, clock: systemClock }

describe('HSM inspection', () => {
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>
  let hsm: SoftHsm
  let serial: string

  before(async function () {
    if (SOFTHSM_MISSING !== undefined) this.skip()
    directory = await temporaryDirectory()
    hsm = await softHsm(directory.path, 'primary')
    serial = (await provisionSoftHsm(hsm)).tokenSerial
  })
  after(() => directory?.remove())

  /** Settings with a PIN file of their own. */
  function withPin(name: string, pin: string, mode = 0o400): HsmSettings {
    const file = join(directory.path, name)
    writeFileSync(file, `${pin}\n`)
    chmodSync(file, mode)
    return { ...hsm.settings, pin: { file } }
  }

  it('inspection: a token with its keys, as they are kept', async () => {
    const found = await inspectHsm(hsm.settings, OPTIONS)
    expect(found.module.ok && found.module.value.description).to.match(/SoftHSM/)
    const [token] = found.tokens.filter((t) => t.initialised)
    expect(token).to.deep.equal({
      label: 'token-primary',
      serial,
      initialised: true,
      hasPin: true,
      countLow: false,
      finalTry: false,
      locked: false,
    })
    if (!found.keys.ok) throw new Error(found.keys.why)
    expect(found.keys.value.map((k) => k.kind)).to.deep.equal(['kek', 'identity', 'checkpoint'])
    for (const key of found.keys.value)
      expect(key).to.include({ extractable: false, sensitive: true, neverExtractable: true, local: true, copyable: false })
    expect(found.keys.value[0]?.uses).to.deep.equal(['encrypt', 'decrypt'])
    expect(found.identity.ok && found.identity.value.publicKey.length).to.equal(32)
    expect(found.leaks).to.deep.equal({ ok: true, value: [] })
    expect(found.pin.ok && found.pin.value).to.include({
      isDefault: false,
      isShort: false,
      isOneClass: false,
      isSoPin: undefined,
      refusal: undefined,
    })
  })

  it('inspection: no object of the token is added, changed or removed', async () => {
    const objects = () => {
      const files = readdirSync(hsm.tokens, { recursive: true }).map((f) => join(hsm.tokens, String(f)))
      // SoftHSM counts every login in the object of the token itself.
      const kept = files.filter((f) => statSync(f).isFile() && !/token\.object|generation/.test(f)).sort()
      return kept.map((f) => [f, readFileSync(f).toString('base64')])
    }
    const before = objects()
    await inspectHsm(hsm.settings, OPTIONS)
    expect(objects()).to.deep.equal(before)
    expect(before.some(([file]) => file?.endsWith('.object'))).to.equal(true)
  })

  it('inspection: the PIN is in nothing that comes out, a fingerprint for each salt is', async () => {
    const pin = readFileSync((hsm.settings.pin as { file: string }).file, 'utf8').trim()
    const found = await inspectHsm(hsm.settings, OPTIONS)
    expect(JSON.stringify(found)).to.not.include(pin)
    const other = await inspectHsm(hsm.settings, { ...OPTIONS, salt: randomBytes(16) })
    expect(found.pin.ok && other.pin.ok && found.pin.value.fingerprint !== other.pin.value.fingerprint).to.equal(true)
  })

  it('inspection: a wrong PIN is tried once, and a token that counted it is not logged in to again', async () => {
    const other = await softHsm(directory.path, 'counting')
    await provisionSoftHsm(other)
    const wrong = { ...other.settings, pin: withPin('wrong', 'not-the-pin').pin }
    expect((await inspectHsm(wrong, OPTIONS)).keys).to.include({ ok: false, code: 'PIN_INCORRECT' })
    for (const settings of [wrong, other.settings]) {
      const again = await inspectHsm(settings, OPTIONS)
      expect(again.tokens.filter((t) => t.initialised).map((t) => t.countLow)).to.deep.equal([true])
      expect(again.keys).to.include({ ok: false, code: 'NOT_TRIED' })
    }
  })

  it('inspection: no login to a token that is locked, at its final try, counting, without a PIN, or not clearly meant', () => {
    const sound = {
      slot: Buffer.alloc(8),
      label: 't',
      serial: 's',
      initialised: true,
      hasPin: true,
      countLow: false,
      finalTry: false,
      locked: false,
    }
    const token = { ...sound, pinMin: 4, pinMax: 255 }
    const risk = (...tokens: readonly Partial<typeof token>[]) =>
      riskOfLogin(
        tokens.map((t) => ({ ...token, ...t })),
        { token: 't', serial: undefined },
      )
    expect(risk({})).to.equal(undefined)
    expect(risk({ locked: true })).to.match(/locked/)
    expect(risk({ finalTry: true })).to.match(/would lock/)
    expect(risk({ countLow: true })).to.match(/counts a wrong PIN/)
    expect(risk({ hasPin: false })).to.match(/no user PIN/)
    expect(risk({}, { serial: 's2' })).to.match(/several tokens/)
    expect(risk()).to.match(/no token/)
  })

  it('inspection: a KEK that may leave the token is shown as it is', async () => {
    const weak = await softHsm(directory.path, 'weak')
    emptyToken(weak)
    const { module, token, pin, env } = weak.settings
    const script = fileURLToPath(new URL('./agent/weak-key.fixture.ts', import.meta.url))
    const args = [script, module, token, KEK_LABEL, JSON.stringify(pin)]
    execFileSync(process.execPath, args, { env: { PATH: process.env.PATH, ...env } })
    const { keys, identity } = await inspectHsm(weak.settings, OPTIONS)
    const [kek, second] = keys.ok ? keys.value : []
    expect(kek).to.include({ kind: 'kek', id: 'f00d', extractable: true, sensitive: false, neverExtractable: false, copyable: true })
    expect(kek?.uses).to.include.members(['decrypt', 'wrap'])
    expect([second, identity.ok]).to.deep.equal([undefined, false])
  })

  it('inspection: without a login the keys are not tried, and say so', async () => {
    const found = await inspectHsm(hsm.settings, { ...OPTIONS, login: false })
    expect([found.keys, found.identity, found.leaks].map((f) => !f.ok && f.code)).to.deep.equal(['NOT_TRIED', 'NOT_TRIED', 'NOT_TRIED'])
    expect(found.tokens.some((t) => t.serial === serial)).to.equal(true)
  })

  it('inspection: a PIN that the agent would refuse to read is judged and not used', async () => {
    const found = await inspectHsm(withPin('open', '12345678', 0o644), OPTIONS)
    expect(found.pin.ok && found.pin.value).to.include({ isDefault: true })
    expect(found.pin.ok && found.pin.value.refusal).to.match(/read by others/)
    expect(found.keys).to.include({ ok: false, code: 'NOT_TRIED' })
  })

  it("inspection: a PIN that is the security officer's, or stands in a file, is told", async () => {
    const notes = join(directory.path, 'notes')
    writeFileSync(notes, 'remember: primary-so-pin')
    const settings = withPin('same', 'primary-so-pin')
    const found = await inspectHsm(settings, { ...OPTIONS, login: false, soPin: hsm.soPin, files: [notes, join(directory.path, 'none')] })
    expect(found.pin.ok && found.pin.value).to.deep.include({ isSoPin: true, heldBy: [notes] })
    const good = await inspectHsm(hsm.settings, { ...OPTIONS, login: false, soPin: hsm.soPin, files: [notes] })
    expect(good.pin.ok && good.pin.value).to.deep.include({ isSoPin: false, heldBy: [] })
  })

  it('inspection: a PIN that only the service has is elsewhere, a missing file is a bad source', async () => {
    const at = (pin: HsmSettings['pin']) => inspectHsm({ ...hsm.settings, pin }, OPTIONS)
    expect((await at({ credential: 'hsm-pin' })).pin).to.include({ ok: false, code: 'PIN_ELSEWHERE' })
    expect((await at({ prompt: true })).pin).to.include({ ok: false, code: 'PIN_ELSEWHERE' })
    expect((await at({ env: 'CONCLAVE_TEST_NO_SUCH_PIN' })).pin).to.include({ ok: false, code: 'PIN_ELSEWHERE' })
    expect((await at({ file: join(directory.path, 'no-pin') })).pin).to.include({ ok: false, code: 'PIN_SOURCE' })
  })

  it('inspection: a module that is missing, or is none, and a token that is not there', async () => {
    const missing = await inspectHsm({ ...hsm.settings, module: '/nonexistent/libhsm.so' }, OPTIONS)
    expect(missing.module).to.include({ ok: false, code: 'MODULE_MISSING' })
    const none = await inspectHsm({ ...hsm.settings, module: (hsm.settings.pin as { file: string }).file }, OPTIONS)
    expect(none.module).to.include({ ok: false, code: 'MODULE_MISSING' })
    const other = await inspectHsm({ ...hsm.settings, token: 'nobody' }, OPTIONS)
    expect(other.keys).to.include({ ok: false, code: 'NOT_TRIED' })
    expect(other.tokens.map((t) => t.label)).to.include('token-primary')
  })

  it('inspection: several tokens of one label are not logged in to, unless the serial tells', async () => {
    const twin = await softHsm(directory.path, 'twin')
    const { tokenSerial } = await provisionSoftHsm(twin)
    // The rig makes no second token of one label by itself.
    emptyToken(twin)
    expect((await inspectHsm(twin.settings, OPTIONS)).keys).to.include({ ok: false, code: 'NOT_TRIED' })
    expect((await inspectHsm({ ...twin.settings, serial: tokenSerial }, OPTIONS)).keys.ok).to.equal(true)
  })

  it('inspection: one that takes too long is given up', async () => {
    const late = { ...OPTIONS, timeoutMs: 1 }
    expect((await inspectHsm(hsm.settings, late)).module).to.include({ ok: false, code: 'TIMEOUT' })
  })

  it('inspection: a module that ends its process is a finding', async () => {
    const preload = { NODE_OPTIONS: '--no-such-option-of-node' }
    const found = await inspectHsm({ ...hsm.settings, env: { ...hsm.settings.env, ...preload } }, OPTIONS)
    expect(found.module).to.include({ ok: false, code: 'AGENT_DIED' })
  })
})
