import { execFileSync } from 'node:child_process'
import { rename } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { toHex } from '@conclave/core'
import { expect } from 'chai'
import { CONFORMANCE_CONTEXT as CONTEXT, opened, refusal, CONFORMANCE_SECRET as SECRET } from '../conformance.ts'
import { KEK_LABEL, Pkcs11Hsm } from '../pkcs11-hsm.ts'
import { openPkcs11Vault } from '../pkcs11-vault.ts'
import { provisionBackupHsm } from '../provision.ts'
import { provisionSoftHsm, SOFTHSM_MISSING, type SoftHsm, softHsm, temporaryDirectory, withProfile } from '../softhsm-rig.fixture.ts'

const LAB = fileURLToPath(new URL('./token-lab.fixture.ts', import.meta.url))

function experiment(name: string, { settings, tokens }: SoftHsm): unknown {
  const env = { PATH: process.env.PATH, ...settings.env }
  return JSON.parse(
    execFileSync(process.execPath, [LAB, name, JSON.stringify({ ...settings, kekLabel: KEK_LABEL }), tokens], { env, encoding: 'utf8' }),
  )
}

describe(`KEK generations on a SoftHSM2 token${SOFTHSM_MISSING === undefined ? '' : ` (skipped: ${SOFTHSM_MISSING})`}`, () => {
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>
  let soft: SoftHsm
  let hsm: Pkcs11Hsm

  async function make(profile?: 'cbc-hmac'): Promise<void> {
    soft = withProfile(await softHsm(directory.path, 'primary'), profile)
    await provisionSoftHsm(soft)
    hsm = new Pkcs11Hsm(soft.settings)
  }

  beforeEach(async function () {
    if (SOFTHSM_MISSING !== undefined) this.skip()
    directory = await temporaryDirectory()
    await make()
  })
  afterEach(async () => {
    await hsm?.close()
    await directory?.remove()
  })

  const generations = async () => (await hsm.keks()).keks.map((k) => k.generation)

  it('makeKek: the new one seals at once, the old one opens, and made again it is left as it is', async () => {
    const [aad, dek] = [SECRET, Uint8Array.from({ length: 32 }, (_, i) => i)]
    const old = await hsm.wrap(aad, dek.slice())
    await hsm.makeKek(2)
    const { kekId, kekGeneration } = await hsm.describe()
    await hsm.makeKek(2)
    expect([kekGeneration, (await hsm.describe()).kekId]).to.deep.equal([2, kekId])
    const next = await hsm.wrap(aad, dek.slice())
    expect([old.kekGeneration, next.kekGeneration, next.kekId]).to.deep.equal([1, 2, kekId])
    for (const key of [old, next]) expect(toHex(await hsm.unwrap(aad, key))).to.equal(toHex(dek))
    expect((await refusal(hsm.makeKek(1))).code).to.equal('UNSUPPORTED')
    await hsm.makeKek(7)
    expect((await refusal(hsm.makeKek(3))).code).to.equal('UNSUPPORTED')
    expect(await generations()).to.deep.equal([1, 2, 7])
  })

  it('destroyKek: exactly that one goes, with its HMAC key, and what it sealed is KEK_DESTROYED', async () => {
    await hsm.close()
    await directory.remove()
    directory = await temporaryDirectory()
    await make('cbc-hmac')
    const before = (await hsm.keks()).keks[0]!
    const wrapped = await hsm.wrap(SECRET, new Uint8Array(32))
    await hsm.makeKek(2)
    await hsm.destroyKek({ ...before, generation: 2 })
    expect(await generations()).to.deep.equal([1, 2])
    await hsm.destroyKek(before)
    await hsm.destroyKek(before)
    expect(await generations()).to.deep.equal([2])
    expect(experiment('secret-keys', soft)).to.deep.equal(['conclave-kek-g2', 'conclave-kek-g2-mac'])
    expect((await refusal(hsm.unwrap(SECRET, wrapped))).code).to.equal('KEK_DESTROYED')
    expect((await refusal(hsm.unwrap(SECRET, { ...wrapped, kekGeneration: 2 }))).code).to.equal('KEY_MISSING')
    await hsm.ping()
  })

  it('destroyKek: in a token that has vanished it is TOKEN_LOST and not done, for the token comes back with its keys', async () => {
    const [first] = (await hsm.keks()).keks
    await hsm.makeKek(2)
    await rename(soft.tokens, `${soft.tokens}.away`)
    for (const refused of [hsm.destroyKek(first!), hsm.makeKek(3), hsm.keks()]) expect((await refusal(refused)).retriable).to.equal(true)
    await rename(`${soft.tokens}.away`, soft.tokens)
    expect(await generations()).to.deep.equal([1, 2])
  })

  it('makeKek: a token that lost its only KEK gets no other one', async () => {
    experiment('destroy-kek', soft)
    expect((await refusal(hsm.makeKek(2))).code).to.equal('KEY_MISSING')
    expect(experiment('secret-keys', soft)).to.deep.equal([])
  })

  it('makeKek: where the settings name the KEK by its id there is no rotation', async () => {
    const { kekId } = await hsm.describe()
    const pinned = new Pkcs11Hsm({ ...soft.settings, kek: { id: kekId } })
    const error = await refusal(pinned.makeKek(2)).finally(() => pinned.close())
    expect([error.code, /remove kek\.id/.test(error.message)]).to.deep.equal(['UNSUPPORTED', true])
    expect(await generations()).to.deep.equal([1])
  })

  it('sealing: a next generation that can be extracted is refused, whoever made it; one that a tool has made well is used', async () => {
    experiment('extractable-next-kek', soft)
    const error = await refusal(hsm.describe())
    expect([error.code, /can be extracted/.test(error.message)]).to.deep.equal(['UNSUPPORTED', true])
    const other = await softHsm(directory.path, 'backup')
    await provisionSoftHsm(other)
    experiment('next-kek', other)
    const made = new Pkcs11Hsm(other.settings)
    expect((await made.describe()).kekGeneration).to.equal(2)
    await made.makeKek(2)
    expect((await made.keks()).keks.map((k) => [k.generation, k.id])).to.deep.include([2, '07'])
    await made.close()
  })

  it('provision: a token with a later generation only holds a KEK all the same', async () => {
    const [first] = (await hsm.keks()).keks
    await hsm.makeKek(2)
    await hsm.destroyKek(first!)
    expect((await refusal(provisionBackupHsm(soft.settings))).code).to.equal('KEY_EXISTS')
    const vault = await openPkcs11Vault({ hsms: [soft.settings] })
    expect(await opened(vault.open(CONTEXT, await vault.seal(CONTEXT, SECRET)))).to.equal(toHex(SECRET))
    await vault.close()
  })
})
