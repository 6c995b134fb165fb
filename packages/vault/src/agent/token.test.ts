import { execFileSync } from 'node:child_process'
import { chmodSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { refusal } from '../conformance.ts'
import { KEK_LABEL } from '../pkcs11-hsm.ts'
import { openPkcs11Vault } from '../pkcs11-vault.ts'
import { provisionHsm } from '../provision.ts'
import {
  emptyToken,
  provisionSoftHsm,
  SOFTHSM_MISSING,
  type SoftHsm,
  softHsm,
  temporaryDirectory,
  withProfile,
} from '../softhsm-rig.fixture.ts'
import type { AgentSettings } from './protocol.ts'

const LAB = fileURLToPath(new URL('./token-lab.fixture.ts', import.meta.url))

function experiment(name: string, { settings, tokens }: SoftHsm): unknown {
  const agent: AgentSettings = {
    ...settings,
    serial: settings.serial,
    libraryParameters: undefined,
    profile: settings.profile,
    kekLabel: KEK_LABEL,
    kekId: undefined,
  }
  const env = { PATH: process.env.PATH, ...settings.env }
  return JSON.parse(execFileSync(process.execPath, [LAB, name, JSON.stringify(agent), tokens], { env, encoding: 'utf8' }))
}

describe(`agent on a SoftHSM2 token${SOFTHSM_MISSING === undefined ? '' : ` (skipped: ${SOFTHSM_MISSING})`}`, () => {
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>
  let hsm: SoftHsm
  let tokenSerial: string

  beforeEach(async function () {
    if (SOFTHSM_MISSING !== undefined) this.skip()
    directory = await temporaryDirectory()
    hsm = await softHsm(directory.path, 'primary')
    tokenSerial = (await provisionSoftHsm(hsm)).tokenSerial
  })

  afterEach(() => directory?.remove())

  it('provision: no call gets the KEK or a signing key out, nor weakens them', () => {
    const { kek, identity, checkpoint } = experiment('extract', hsm) as Record<string, Record<string, unknown>>
    const [notPermitted, sensitive, prohibited, unextractable] = [0x68, 0x11, 0x1b, 0x6a]
    const refused = { value: sensitive, wrap: unextractable, wrapByKek: notPermitted, copy: prohibited, weaken: prohibited }
    expect(kek).to.deep.equal(refused)
    expect([identity, checkpoint]).to.deep.equal([refused, refused])
  })

  it('provision: a missing KEK beside an identity is not replaced', async () => {
    experiment('destroy-kek', hsm)
    expect((await refusal(provisionHsm(hsm.settings))).code).to.equal('KEY_EXISTS')
    expect(experiment('count-objects', hsm)).to.deep.equal([0, 1, 1, 1, 1])
  })

  it('provision: a signing key that fails takes the new KEK and identity with it, and nothing else', async () => {
    const empty = await softHsm(directory.path, 'backup')
    emptyToken(empty)
    expect(experiment('failing-provision', empty)).to.deep.equal({ code: 'TOKEN_LOST', objects: [0, 0, 0, 0, 0], foreign: 1 })
    expect((await provisionHsm(empty.settings)).kekId).to.match(/^[0-9a-f]{32}$/)
    expect(experiment('count-objects', empty)).to.deep.equal([1, 1, 1, 1, 1])
  })

  it('connection: logs in once for many operations', () => {
    expect(experiment('use-five-times', hsm)).to.deep.equal({ result: ['OK', 'OK', 'OK', 'OK', 'OK'], logins: 1 })
  })

  it('connection: a wrong PIN is tried exactly once', () => {
    const pin = `${directory.path}/wrong-pin`
    writeFileSync(pin, 'wrong-pin')
    chmodSync(pin, 0o400)
    const wrong = { ...hsm, settings: { ...hsm.settings, pin: { file: pin } } }
    expect(experiment('use-five-times', wrong)).to.deep.equal({ result: Array(5).fill('PIN_INCORRECT'), logins: 1 })
  })

  it('connection: a token that vanishes is TOKEN_LOST, never KEY_MISSING, and is found again', () => {
    expect(experiment('use-while-away', hsm)).to.deep.equal({ result: ['OK', 'TOKEN_LOST', 'TOKEN_LOST', 'OK', 'OK'], logins: 2 })
  })

  it('connection: a token that vanishes from a directory that stays is found again, too', () => {
    expect(experiment('use-while-empty', hsm)).to.deep.equal({ result: ['OK', 'TOKEN_LOST', 'TOKEN_LOST', 'OK'], logins: 2 })
  })

  it('connection: a KEK that is not found because the token vanished is TOKEN_LOST', () => {
    expect((experiment('search-while-away', hsm) as { result: string }).result).to.equal('TOKEN_LOST')
  })

  it('connection: a general failure to open is TAMPER while the token works, and TOKEN_LOST when nothing works', () => {
    const { result } = experiment('general-error', hsm) as { result: string[] }
    expect(result).to.deep.equal(['TAMPER', 'TOKEN_LOST', 'TOKEN_LOST', 'TOKEN_LOST', 'TOKEN_LOST', 'OK'])
  })

  it('objects: two KEKs of one label are KEY_AMBIGUOUS until an id is configured', async () => {
    experiment('extra-kek', hsm)
    expect((await refusal(openPkcs11Vault({ hsms: [hsm.settings] }))).code).to.equal('KEY_AMBIGUOUS')
    await (await openPkcs11Vault({ hsms: [{ ...hsm.settings, kek: { id: '07' } }] })).close()
  })

  it('objects: a KEK that can be extracted is refused', async () => {
    experiment('destroy-kek', hsm)
    experiment('extractable-kek', hsm)
    const error = await refusal(openPkcs11Vault({ hsms: [hsm.settings] }))
    expect([error.code, error.message.includes('extracted')]).to.deep.equal(['UNSUPPORTED', true])
  })

  for (const [change, code] of [
    ['extractable-mac', 'UNSUPPORTED'],
    ['extra-mac', 'KEY_AMBIGUOUS'],
  ] as const) {
    it(`objects: of HMAC keys, ${change} is ${code}`, async () => {
      const other = withProfile(await softHsm(directory.path, 'other'), 'cbc-hmac')
      await provisionSoftHsm(other)
      experiment(change, other)
      expect((await refusal(openPkcs11Vault({ hsms: [other.settings] }))).code).to.equal(code)
    })
  }

  it('binding: errors that carry their number in the message only are mapped by it', () => {
    expect(experiment('uncoded-error', hsm)).to.deep.equal({ code: 'undefined', rv: 0xb3 })
  })

  it('provision: the label is padded with spaces to 32 bytes', () => {
    expect(experiment('raw-label', hsm)).to.include('token-primary'.padEnd(32))
  })

  it('connection: an interrupted operation costs its session, not the login', () => {
    expect(experiment('interrupted-operation', hsm)).to.deep.equal({ result: ['UNSUPPORTED', 'OK'], logins: 1 })
  })

  it('wrap: an empty GCM IV is refused before it reaches the token', () => {
    expect(experiment('empty-iv', hsm)).to.equal('UNSUPPORTED')
  })

  it('connection: the serial, when given, must match', () => {
    const other = { ...hsm, settings: { ...hsm.settings, serial: '0000000000000000' } }
    const right = { ...hsm, settings: { ...hsm.settings, serial: tokenSerial } }
    expect(experiment('use-five-times', other)).to.deep.equal({ result: Array(5).fill('TOKEN_LOST'), logins: 0 })
    expect(experiment('use-five-times', right)).to.deep.equal({ result: Array(5).fill('OK'), logins: 1 })
  })
})
