import { readdirSync } from 'node:fs'
import { expect } from 'chai'
import { refusal } from '../conformance.ts'
import { openPkcs11Vault } from '../pkcs11-vault.ts'
import { providerMissing } from '../providers/hsm-provider.fixture.ts'
import { providerRig } from '../providers/provider-rig.fixture.ts'
import { COMPILER_MISSING, compileShim } from '../providers/vendor-shim.fixture.ts'
import { probeHsm, provisionHsm } from '../provision.ts'
import { provisionSoftHsm, SOFTHSM_MISSING, type SoftHsm, softHsm, temporaryDirectory, withProfile } from '../softhsm-rig.fixture.ts'
import { probeExperiment } from './probe-lab-run.fixture.ts'

const NO_OWN_IV = 'the token makes no IV of its own'
const SOFTHSM_DOES = { gcm: '0x1087', 'gcm-hsm-iv': NO_OWN_IV, 'cbc-hmac': '0x1082', kwp: '0x210a', kw: '0x2109' }

describe(`probe, SoftHSM2${SOFTHSM_MISSING === undefined ? '' : ` (skipped: ${SOFTHSM_MISSING})`}`, () => {
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>
  let hsm: SoftHsm

  before(async function () {
    if (SOFTHSM_MISSING !== undefined) this.skip()
    directory = await temporaryDirectory()
    hsm = await softHsm(directory.path, 'primary')
    await provisionSoftHsm(hsm)
  })

  after(() => directory?.remove())

  const reasons = (experiment: string) => probeExperiment(experiment, hsm.settings, hsm.tokens) as Record<string, string>

  it('probe: says what the token does, takes an empty IV for what it is, and leaves nothing behind', async () => {
    const files = readdirSync(hsm.tokens, { recursive: true })
    const { profiles, triedWith, chosen, emptyIv, extractability, leaks, identities } = await probeHsm(hsm.settings)
    const found = Object.fromEntries(profiles.map((p) => [p.profile, p.reason ?? `0x${p.mechanism!.toString(16)}`]))
    expect(found).to.deep.equal(SOFTHSM_DOES)
    expect({ triedWith, chosen, emptyIv, extractability, leaks, identities }).to.deep.equal({
      triedWith: 'session-keys',
      chosen: 'gcm',
      emptyIv: 'accepted',
      extractability: 'enforced',
      leaks: [],
      identities: ['ed25519', 'secp256k1', 'p256'],
    })
    expect(readdirSync(hsm.tokens, { recursive: true })).to.deep.equal(files)
  })

  it('trial: a token without flaws passes, which is what the flaws are measured by', () => {
    expect(reasons('none')).to.deep.equal(SOFTHSM_DOES)
  })

  const flaws: [string, Record<string, string>][] = [
    ['no-aad', { gcm: 'it takes no notice of the additional data' }],
    ['fixed-iv', { gcm: 'it takes no notice of the IV' }],
    ['blind-decrypt', { gcm: 'it takes no notice of a change of byte 0 of the IV' }],
    ['blind-mac', { 'cbc-hmac': 'it takes no notice of a change of byte 0 of the IV' }],
    ['wrong-key', { gcm: 'it unwraps another key than it wrapped', kw: 'it unwraps another key than it wrapped' }],
    [
      'short',
      {
        gcm: 'the token wraps 32 bytes into 47, not 48: another algorithm',
        kw: 'the token wraps 32 bytes into 41, not 40: another algorithm',
      },
    ],
    ['keyless', { gcm: 'the token has no key that may encrypt', kw: 'the token has no key that may wrap' }],
    ['leaking', { kw: 'the token lets keys out that it must keep, so that a KEK that can wrap is a way out' }],
  ]
  for (const [flaw, expected] of flaws) {
    it(`trial: a token with the flaw "${flaw}" is found out, and nothing else is`, () => {
      const found = reasons(flaw)
      for (const [profile, reason] of Object.entries(expected)) expect(found[profile]).to.equal(reason)
      if (flaw === 'leaking') expect([found.gcm, found['cbc-hmac']]).to.deep.equal(['0x1087', '0x1082'])
    })
  }

  it('trial: a token that is asked too much once is asked again', () => {
    expect(reasons('throttled-once')).to.deep.equal(SOFTHSM_DOES)
  })

  it('trial: a token that vanishes in the middle is TOKEN_LOST, and not one that can do nothing', () => {
    expect(reasons('vanishing')).to.equal('TOKEN_LOST')
  })

  it('kw, kwp: SoftHSM does RFC 3394 and, under 0x210a, RFC 5649', () => {
    expect(reasons('reference')).to.deep.equal({ 'kwp 0x210a': true, 'kw 0x2109': true })
  })

  it('connect: without a profile in the settings, what the KEK was made for decides', async () => {
    for (const profile of ['kwp', 'cbc-hmac'] as const) {
      const other = withProfile(await softHsm(directory.path, `only-${profile}`), profile)
      await provisionSoftHsm(other)
      expect((await probeHsm(withProfile(other, undefined).settings)).chosen).to.equal(profile)
      await (await openPkcs11Vault({ hsms: [withProfile(other, undefined).settings] })).close()
    }
  })

  for (const [profile, reason] of [
    ['cbc-hmac', 'the token holds no HMAC key for this KEK'],
    ['kw', 'C_WrapKey returned CKR 0x68'],
    ['gcm-hsm-iv', NO_OWN_IV],
  ] as const) {
    it(`connect: the profile "${profile}" of the settings that the KEK cannot do is UNSUPPORTED with the reason`, async () => {
      const error = await refusal(openPkcs11Vault({ hsms: [withProfile(hsm, profile).settings] }))
      expect([error.code, error.retriable, error.message.includes(reason)]).to.deep.equal(['UNSUPPORTED', false, true])
      expect(error.details.profile).to.equal(profile)
    })
  }

  it('provision: a profile of the settings that the token cannot do is UNSUPPORTED, and no key is made', async () => {
    const other = withProfile(await softHsm(directory.path, 'wishful'), 'gcm-hsm-iv')
    expect((await refusal(provisionSoftHsm(other))).code).to.equal('UNSUPPORTED')
    expect((await provisionHsm(withProfile(other, undefined).settings)).profile).to.equal('gcm')
  })

  it(`gcm-hsm-iv: an HSM whose IVs get stuck later is refused at the first repetition${COMPILER_MISSING === undefined ? '' : ` (skipped: ${COMPILER_MISSING})`}`, async function () {
    if (COMPILER_MISSING !== undefined) this.skip()
    const shim = compileShim()
    try {
      const vendor = shim.wrap(await softHsm(directory.path, 'vendor'), 'iv-param')
      await provisionSoftHsm(vendor)
      expect(probeExperiment('stuck-later', vendor.settings)).to.deep.equal(['OK', 'OK', 'OK', 'UNSUPPORTED: the token used one IV twice'])
    } finally {
      shim.remove()
    }
  })
})

describe(`probe, NSS softokn${providerMissing('nss') === undefined ? '' : ` (skipped: ${providerMissing('nss')})`}`, () => {
  it('kwp: 0x210a is another algorithm on NSS, by the length of what it makes, and 0x210b is RFC 5649', async function () {
    if (providerMissing('nss') !== undefined || SOFTHSM_MISSING !== undefined) this.skip()
    const rig = await providerRig('nss')
    try {
      const { settings } = rig.token
      expect((probeExperiment('none', settings) as { kwp: string }).kwp).to.equal('0x210b')
      const without = probeExperiment('without-0x210b', settings) as { kwp: string }
      expect(without.kwp).to.include('0x210a: the token wraps 32 bytes into 48, not 40: another algorithm')
      expect(probeExperiment('reference', settings)).to.deep.equal({
        'kwp 0x210b': true,
        'kwp 0x210a': 'the token wraps 32 bytes into 48, not 40: another algorithm',
        'kw 0x2109': true,
      })
    } finally {
      await rig.dispose()
    }
  })
})
