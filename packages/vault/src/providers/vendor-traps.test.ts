import { toHex, utf8, verifyIdentity } from '@conclave/core'
import { expect } from 'chai'
import { CONFORMANCE_CONTEXT as CONTEXT, opened, refusal, CONFORMANCE_SECRET as SECRET } from '../conformance.ts'
import type { KeyVault } from '../key-vault.ts'
import { openPkcs11Vault } from '../pkcs11-vault.ts'
import { probeHsm, provisionHsm } from '../provision.ts'
import { parseRecord } from '../record.ts'
import { provisionSoftHsm, SOFTHSM_MISSING, type SoftHsm, softHsm, temporaryDirectory, withProfile } from '../softhsm-rig.fixture.ts'
import { COMPILER_MISSING, compileShim, type ShimWord, type VendorShim } from './vendor-shim.fixture.ts'

const MISSING = SOFTHSM_MISSING ?? COMPILER_MISSING

describe(`vendor traps, SoftHSM2 behind a shim${MISSING === undefined ? '' : ` (skipped: ${MISSING})`}`, () => {
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>
  let shim: VendorShim
  let plain: SoftHsm
  const vaults: KeyVault[] = []
  let made = 0

  before(async function () {
    if (MISSING !== undefined) this.skip()
    directory = await temporaryDirectory()
    shim = compileShim()
    plain = await softHsm(directory.path, 'plain')
    await provisionSoftHsm(plain)
  })

  afterEach(async () => {
    await Promise.all(vaults.splice(0).map((v) => v.close()))
  })

  after(async () => {
    shim?.remove()
    await directory?.remove()
  })

  async function open(hsm: SoftHsm): Promise<KeyVault> {
    const vault = await openPkcs11Vault({ hsms: [hsm.settings] })
    vaults.push(vault)
    return vault
  }

  /** A new token that was provisioned behind the shim. */
  async function provisioned(...words: ShimWord[]): Promise<SoftHsm> {
    const hsm = shim.wrap(await softHsm(directory.path, `vendor-${++made}`), ...words)
    await provisionSoftHsm(hsm)
    return hsm
  }

  async function sealsAndOpens(vault: KeyVault, times: number): Promise<void> {
    for (let i = 0; i < times; i++) expect(await opened(vault.open(CONTEXT, await vault.seal(CONTEXT, SECRET)))).to.equal(toHex(SECRET))
  }

  it('locking: the module is told that it may lock; one that needs it would abort the agent', async () => {
    await sealsAndOpens(await open(shim.wrap(plain, 'need-locking')), 1)
  })

  it('initialise: a module that somebody initialised already is success', async () => {
    await sealsAndOpens(await open(shim.wrap(plain, 'shared')), 1)
  })

  for (const [word, ivBytes] of [
    ['iv-param', 12],
    ['iv-tail', 16],
  ] as const) {
    it(`gcm-hsm-iv: is found by the probe where the HSM makes the IV (${word}), and each record has another of ${ivBytes} bytes`, async () => {
      const hsm = await provisioned(word)
      const vault = await open(hsm)
      await sealsAndOpens(vault, 2)
      const recipients = await Promise.all(
        Array.from({ length: 20 }, async () => parseRecord(await vault.seal(CONTEXT, SECRET)).recipients[0]!),
      )
      expect(recipients.every((r) => r.profile === 2 && r.iv.length === ivBytes)).to.equal(true)
      expect(new Set(recipients.map((r) => toHex(r.iv))).size).to.equal(20)
      const error = await refusal(openPkcs11Vault({ hsms: [withProfile(hsm, 'gcm').settings] }))
      expect([error.code, /IV of its own|another algorithm/.test(error.message)]).to.deep.equal(['UNSUPPORTED', true])
    })
  }

  it('gcm-hsm-iv: an HSM that makes the same IV again is refused, and the probe passes on to another profile', async () => {
    const hsm = shim.wrap(await softHsm(directory.path, 'stuck'), 'iv-stuck')
    const asked = await refusal(provisionHsm({ ...withProfile(hsm, 'gcm-hsm-iv').settings, createToken: { soPin: hsm.soPin } }))
    expect([asked.code, asked.message.includes('it uses one IV twice')]).to.deep.equal(['UNSUPPORTED', true])
    expect((await provisionHsm(hsm.settings)).profile).to.equal('cbc-hmac')
    expect((await probeHsm(hsm.settings)).profiles.find((p) => p.profile === 'gcm-hsm-iv')?.reason).to.equal('it uses one IV twice')
  })

  for (const [word, code] of [
    ['final-try', 'PIN_FINAL_TRY'],
    ['locked', 'PIN_LOCKED'],
  ] as const) {
    it(`PIN: a token that says "${word}" is not logged in to at all`, async () => {
      const hsm = shim.wrap(plain, word)
      const before = shim.calls(hsm, 'C_Login')
      const error = await refusal(openPkcs11Vault({ hsms: [hsm.settings] }))
      expect([error.code, error.retriable, shim.calls(hsm, 'C_Login') - before]).to.deep.equal([code, false, 0])
    })
  }

  for (const type of ['ed25519', 'secp256k1', 'p256'] as const) {
    it(`identity: an ${type} CKA_EC_POINT without its OCTET STRING is taken, of both keys`, async () => {
      const hsm = await softHsm(directory.path, `points-${type}`)
      const { identity, checkpointKey } = await provisionSoftHsm(hsm, type)
      const vault = await open(shim.wrap(hsm, 'bare-point'))
      expect([vault.identity.key, vault.checkpointSigner.keys]).to.deep.equal([identity, [checkpointKey]])
      expect(verifyIdentity(identity, utf8('x'), await vault.identity.sign(utf8('x')))).to.equal(true)
      const { key, signature } = await vault.checkpointSigner.sign(utf8('x'))
      expect(verifyIdentity(key, utf8('x'), signature)).to.equal(true)
    })
  }

  it('throttling: CKR_DEVICE_ERROR of a healthy token is BUSY, retriable, and never tampering', async () => {
    const vault = await open(shim.wrap(plain, 'throttle'))
    let [sealed, busy] = [0, 0]
    for (let i = 0; i < 60; i++) {
      const code = await vault.seal(CONTEXT, SECRET).then(
        () => 'OK',
        (error: { code: string; retriable: boolean }) => `${error.code} ${error.retriable}`,
      )
      expect(['OK', 'BUSY true']).to.include(code)
      if (code === 'OK') sealed++
      else busy++
    }
    expect([sealed > 40, busy > 0]).to.deep.equal([true, true])
  })

  it('sessions: three are enough, whatever is refused', async () => {
    const vault = await open(shim.wrap(plain, 'few-sessions'))
    const record = await vault.seal(CONTEXT, SECRET)
    const { wrapped } = parseRecord(record).recipients[0]!
    const changed = record.slice()
    changed[wrapped.byteOffset - record.byteOffset]! ^= 1
    for (let i = 0; i < 20; i++) expect((await refusal(vault.open(CONTEXT, changed))).code).to.equal('TAMPER')
    await sealsAndOpens(vault, 5)
  })

  it('handles: no search but the first, however many records are opened', async () => {
    const hsm = shim.wrap(plain)
    const vault = await open(hsm)
    await sealsAndOpens(vault, 1)
    await vault.identity.sign(SECRET)
    const [searches, logins] = [shim.calls(hsm, 'C_FindObjectsInit'), shim.calls(hsm, 'C_Login')]
    await sealsAndOpens(vault, 50)
    await vault.identity.sign(SECRET)
    expect(searches).to.be.greaterThan(0)
    expect([shim.calls(hsm, 'C_FindObjectsInit'), shim.calls(hsm, 'C_Login')]).to.deep.equal([searches, logins])
  })
})
