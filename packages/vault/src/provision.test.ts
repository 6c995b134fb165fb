import { readdirSync, statSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { toHex, utf8, verifyIdentity } from '@conclave/core'
import { expect } from 'chai'
import { CONFORMANCE_CONTEXT as CONTEXT, opened, refusal, CONFORMANCE_SECRET as SECRET } from './conformance.ts'
import { openPkcs11Vault } from './pkcs11-vault.ts'
import { provisionBackupHsm, provisionHsm } from './provision.ts'
import { emptyToken, hasAgent, provisionSoftHsm, SOFTHSM_MISSING, softHsm, temporaryDirectory } from './softhsm-rig.fixture.ts'

describe(`provisionHsm, SoftHSM2${SOFTHSM_MISSING === undefined ? '' : ` (skipped: ${SOFTHSM_MISSING})`}`, () => {
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>

  beforeEach(async function () {
    if (SOFTHSM_MISSING !== undefined) this.skip()
    directory = await temporaryDirectory()
  })

  afterEach(() => directory?.remove())

  for (const [asked, made] of [
    [undefined, 'ed25519'],
    ['ed25519', 'ed25519'],
    ['secp256k1', 'secp256k1'],
    ['p256', 'p256'],
  ] as const) {
    it(`identity: asked for ${asked ?? 'nothing in particular'}, makes two of ${made}, which the vault then signs with`, async () => {
      const hsm = await softHsm(directory.path, 'primary')
      const { identity, checkpointKey, tokenSerial, kekId } = await provisionSoftHsm(hsm, asked)
      expect([identity.type, /^[0-9a-f]{16}$/.test(tokenSerial), /^[0-9a-f]{32}$/.test(kekId)]).to.deep.equal([made, true, true])
      expect(hasAgent(hsm)).to.equal(false)
      const vault = await openPkcs11Vault({
        hsms: [{ ...hsm.settings, serial: tokenSerial, kek: { id: kekId } }],
        identity: { key: identity },
      })
      expect(verifyIdentity(identity, utf8('x'), await vault.identity.sign(utf8('x')))).to.equal(true)
      const { key, signature } = await vault.checkpointSigner.sign(utf8('x'))
      expect([key, vault.checkpointSigner.keys, verifyIdentity(checkpointKey, utf8('x'), signature)]).to.deep.equal([
        checkpointKey,
        [checkpointKey],
        true,
      ])
      expect([checkpointKey.type, verifyIdentity(identity, utf8('x'), signature)]).to.deep.equal([made, false])
      await vault.close()
    })
  }

  it('a second run is KEY_EXISTS, with and without createToken, and changes nothing', async () => {
    const hsm = await softHsm(directory.path, 'primary')
    await provisionSoftHsm(hsm)
    const vault = await openPkcs11Vault({ hsms: [hsm.settings] })
    const record = await vault.seal(CONTEXT, SECRET)
    const files = readdirSync(hsm.tokens, { recursive: true })
    expect((await refusal(provisionSoftHsm(hsm))).code).to.equal('KEY_EXISTS')
    expect((await refusal(provisionHsm(hsm.settings))).code).to.equal('KEY_EXISTS')
    expect(readdirSync(hsm.tokens, { recursive: true })).to.deep.equal(files)
    expect(await opened(vault.open(CONTEXT, record))).to.equal(toHex(SECRET))
    await vault.close()
  })

  it('without createToken no token is made', async () => {
    const hsm = await softHsm(directory.path, 'primary')
    expect((await refusal(provisionHsm(hsm.settings))).code).to.equal('TOKEN_LOST')
    expect(readdirSync(hsm.tokens)).to.deep.equal([])
  })

  it('a PIN that the token would refuse is refused before the token is made', async () => {
    const short = await softHsm(directory.path, 'primary', '123')
    expect((await refusal(provisionSoftHsm(short))).code).to.equal('PIN_SOURCE')
    expect(readdirSync(short.tokens)).to.deep.equal([])
  })

  it('an SO PIN that others can read is PIN_SOURCE, and no token is made', async () => {
    const hsm = await softHsm(directory.path, 'primary')
    const soPin = join(directory.path, 'broad')
    await writeFile(soPin, '12345678', { mode: 0o644 })
    expect((await refusal(provisionHsm({ ...hsm.settings, createToken: { soPin: { file: soPin } } }))).code).to.equal('PIN_SOURCE')
    expect(readdirSync(hsm.tokens)).to.deep.equal([])
  })

  it('of two tokens with one label the serial chooses; without it, KEY_AMBIGUOUS', async () => {
    const hsm = await softHsm(directory.path, 'primary')
    const serials = [emptyToken(hsm), emptyToken(hsm)]
    expect((await refusal(provisionHsm(hsm.settings))).code).to.equal('KEY_AMBIGUOUS')
    for (const serial of serials) expect((await provisionHsm({ ...hsm.settings, serial })).tokenSerial).to.equal(serial)
    expect((await refusal(openPkcs11Vault({ hsms: [hsm.settings] }))).code).to.equal('KEY_AMBIGUOUS')
    const vault = await openPkcs11Vault({ hsms: serials.map((serial, i) => ({ ...hsm.settings, serial, name: `hsm-${i}` })) })
    expect(await opened(vault.open(CONTEXT, await vault.seal(CONTEXT, SECRET)))).to.equal(toHex(SECRET))
    await vault.close()
  })

  it('without an identity: a backup seals, and cannot be the only HSM of a node', async () => {
    const hsm = await softHsm(directory.path, 'backup')
    const made = await provisionBackupHsm({ ...hsm.settings, createToken: { soPin: hsm.soPin } })
    expect([made.profile, 'identity' in made, made.checkpointKey?.type]).to.deep.equal(['gcm', false, 'ed25519'])
    expect((await refusal(openPkcs11Vault({ hsms: [hsm.settings] }))).code).to.equal('KEY_MISSING')
    const holder = await softHsm(directory.path, 'primary')
    await provisionSoftHsm(holder)
    const vault = await openPkcs11Vault({ hsms: [hsm.settings, holder.settings], identity: { hsm: 'primary' } })
    expect(await opened(vault.open(CONTEXT, await vault.seal(CONTEXT, SECRET)))).to.equal(toHex(SECRET))
    await vault.close()
  })

  it('adopt: takes the KEK of a vendor tool as it is, adds an identity, and makes no KEK where there is none', async () => {
    const hsm = await softHsm(directory.path, 'primary')
    expect((await refusal(provisionHsm({ ...hsm.settings, createToken: { soPin: hsm.soPin }, kekFrom: 'adopt' }))).code).to.equal(
      'KEY_MISSING',
    )
    const { kekId, checkpointKey } = await provisionBackupHsm(hsm.settings)
    const adopted = await provisionHsm({ ...hsm.settings, kekFrom: 'adopt' })
    expect([adopted.kekId, adopted.checkpointKey]).to.deep.equal([kekId, checkpointKey])
    expect((await refusal(provisionHsm({ ...hsm.settings, kekFrom: 'adopt' }))).code).to.equal('KEY_EXISTS')
  })

  it('what it writes is private', async () => {
    const hsm = await softHsm(directory.path, 'primary')
    await provisionSoftHsm(hsm)
    const paths = readdirSync(hsm.home, { recursive: true, encoding: 'utf8' }).map((p) => join(hsm.home, p))
    expect(paths.filter((path) => (statSync(path).mode & 0o077) !== 0)).to.deep.equal([])
  })
})
