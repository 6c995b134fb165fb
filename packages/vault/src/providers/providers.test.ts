import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { sameIdentity, systemClock, verifyIdentity } from '@conclave/core'
import { p256 } from '@noble/curves/nist.js'
import { expect } from 'chai'
import { probeExperiment } from '../agent/probe-lab-run.fixture.ts'
import { refusal, vaultConformance } from '../conformance.ts'
import { tokenSigner } from '../identity-signer.ts'
import { inspectHsm } from '../inspect.ts'
import { Pkcs11Hsm } from '../pkcs11-hsm.ts'
import type { ProfileName } from '../profile.ts'
import { probeHsm, provisionBackupHsm, provisionHsm } from '../provision.ts'
import type { HsmSettings } from '../settings.ts'
import { temporaryDirectory } from '../softhsm-rig.fixture.ts'
import { type ProviderName, providerMissing, type StartedProvider, startProvider, stopProvider } from './hsm-provider.fixture.ts'
import { logInByHand, type ProviderRig, providerRig, signs } from './provider-rig.fixture.ts'

interface Expected {
  readonly title: string
  readonly name: ProviderName
  readonly chosen: ProfileName
  readonly works: readonly ProfileName[]
  readonly extractability: string
  readonly emptyIv: string
  readonly identities: readonly string[]
}

// What hsm.md of the design found on these versions, as the probe finds it again.
const PROVIDERS: readonly Expected[] = [
  {
    title: 'NSS softokn',
    name: 'nss',
    chosen: 'gcm',
    works: ['gcm', 'cbc-hmac'],
    extractability: 'not-enforced',
    emptyIv: 'refused',
    identities: ['p256'],
  },
  {
    title: 'TPM 2.0',
    name: 'tpm',
    chosen: 'cbc-hmac',
    works: ['cbc-hmac'],
    extractability: 'not-testable',
    emptyIv: 'not-testable',
    identities: [],
  },
  {
    title: 'opencryptoki',
    name: 'opencryptoki',
    chosen: 'cbc-hmac',
    works: ['cbc-hmac'],
    extractability: 'enforced',
    emptyIv: 'not-testable',
    identities: [],
  },
]

for (const { title, name, ...expected } of PROVIDERS) {
  const missing = providerMissing(name)
  let rig: ProviderRig

  vaultConformance(title, {
    missing,
    checkpointHsms: signs(name) ? ['primary', 'backup'] : ['backup'],
    makesKeys: name !== 'tpm',
    async create() {
      rig = await providerRig(name)
      return rig
    },
    more() {
      it('probe: finds what the token really does, and chooses by it', async () => {
        expect(rig.token.provisioned.profile).to.equal(expected.chosen)
        const probe = await probeHsm(rig.token.settings)
        expect(probe.profiles.filter((p) => p.mechanism !== undefined).map((p) => p.profile)).to.deep.equal(expected.works)
        expect(probe.profiles.filter((p) => p.mechanism === undefined).every((p) => (p.reason ?? '') !== '')).to.equal(true)
        const { chosen, extractability, emptyIv, identities } = probe
        expect({ chosen, extractability, emptyIv, identities, works: expected.works }).to.deep.equal(expected)
      })

      it('inspection: finds the same keys and the same leaks, with one login', async () => {
        const probe = await probeHsm(rig.token.settings)
        const found = await inspectHsm(rig.token.settings, { names: [], salt: randomBytes(16), files: [], login: true, clock: systemClock })
        expect(found.module.ok).to.equal(true)
        expect(found.tokens.filter((t) => t.label === probe.token).map((t) => t.serial)).to.deep.equal([probe.tokenSerial])
        expect(found.leaks.ok ? found.leaks.value : found.leaks.code).to.deep.equal(
          probe.extractability === 'not-testable' ? 'NOT_TESTABLE' : probe.leaks,
        )
        if (!found.keys.ok) throw new Error(found.keys.why)
        expect(found.keys.value.map((k) => k.kind)).to.include('kek')
        for (const key of found.keys.value) expect(key).to.include({ extractable: false, sensitive: true })
      })

      it('probe: a profile of the settings that the token cannot do is UNSUPPORTED with the reason', async () => {
        const hsm = new Pkcs11Hsm({ ...rig.token.settings, profile: 'gcm-hsm-iv' })
        const error = await refusal(hsm.describe().finally(() => hsm.close()))
        expect([error.code, error.message]).to.satisfy(([code, message]: [string, string]) => {
          return code === 'UNSUPPORTED' && /cannot do the profile "gcm-hsm-iv" .*(makes no IV of its own|does not offer)/.test(message)
        })
      })

      it('provision: the keys are not extractable, whatever attributes the module knows', () => {
        const keys = probeExperiment('attributes', rig.token.settings) as object[]
        const count = (expected.chosen === 'cbc-hmac' ? 2 : 1) + (signs(name) ? 2 : 0)
        expect(keys).to.deep.equal(Array(count).fill({ extractable: 0, sensitive: 1 }))
      })

      it('provision: the token of a module with library parameters has its name whole', async () => {
        expect((await probeHsm(rig.token.settings)).token).to.equal(rig.token.settings.token)
      })

      if (signs(name)) p256Signatures(() => rig)
      else {
        it('identity: a token that makes no keys that sign is refused as holder, with the way out', async () => {
          const error = await refusal(provisionHsm({ ...rig.token.settings, kekFrom: 'adopt' }))
          expect([error.code, error.message.includes('provision this one as a backup')]).to.deep.equal(['UNSUPPORTED', true])
        })
      }

      if (name === 'opencryptoki') finalTry(() => rig)
    },
  })
}

/** What has to be made of the forms in which a token gives keys and signatures, on tokens that make P-256 only. */
function p256Signatures(rig: () => ProviderRig): void {
  it('identity: is P-256, r||s of either s from the token, and low-s DER from the vault', async () => {
    const { provisioned, settings } = rig().token
    if (!('identity' in provisioned)) throw new Error('the token was provisioned without an identity')
    const { identity, checkpointKey } = provisioned
    expect([identity.type, checkpointKey.type, sameIdentity(identity, checkpointKey)]).to.deep.equal(['p256', 'p256', false])
    const hsm = new Pkcs11Hsm(settings)
    try {
      let high = 0
      for (const [use, key] of [
        ['identity', identity],
        ['checkpoint', checkpointKey],
      ] as const) {
        for (let i = 0; i < 16; i++) {
          const message = Uint8Array.of(i)
          const raw = p256.Signature.fromBytes(await hsm.sign(use, message), 'compact')
          if (raw.hasHighS()) high++
          expect(verifyIdentity(key, message, raw.toBytes('der'))).to.equal(!raw.hasHighS())
          expect(verifyIdentity(key, message, await tokenSigner(hsm, use, key).sign(message))).to.equal(true)
        }
      }
      // Of 32 signatures, or this has not met the case that it is about.
      expect(high).to.be.within(1, 31)
    } finally {
      await hsm.close()
    }
  })
}

describeRemote()

/** Of what we can install, only this token counts wrong PINs where one can see it. */
function finalTry(rig: () => ProviderRig): void {
  it('PIN: after two wrong ones the token offers its final try, which we do not take', async () => {
    const { settings, provider } = rig().token
    const withPin = (file: string, pin: string): HsmSettings => {
      writeFileSync(join(provider.home, file), pin, { mode: 0o400 })
      return { ...settings, pin: { file: join(provider.home, file) } }
    }
    const codes: string[] = []
    for (const file of ['wrong-1', 'wrong-2']) codes.push((await refusal(probeHsm(withPin(file, 'wrong123')))).code)
    const right = readFileSync((settings.pin as { file: string }).file, 'utf8')
    // A third wrong one would lock it; so the right one is not tried either, and a person has to.
    codes.push((await refusal(probeHsm(withPin('right-1', right)))).code)
    expect(codes).to.deep.equal(['PIN_INCORRECT', 'PIN_INCORRECT', 'PIN_FINAL_TRY'])
    logInByHand(rig().token.provider, join(provider.home, 'right-1'))
    expect((await probeHsm(withPin('right-2', right))).chosen).to.equal('cbc-hmac')
  })
}

/** p11-kit 0.24 carries no mechanism with parameters, so that no profile works; keys and signatures without them do. */
function describeRemote(): void {
  const missing = providerMissing('p11-kit')
  describe(`p11-kit remote${missing === undefined ? '' : ` (skipped: ${missing})`}`, () => {
    let directory: Awaited<ReturnType<typeof temporaryDirectory>>
    let provider: StartedProvider
    let settings: HsmSettings
    let soPin: { readonly file: string }

    before(async function () {
      if (missing !== undefined) this.skip()
      directory = await temporaryDirectory()
      const home = join(directory.path, 'remote')
      mkdirSync(home, { mode: 0o700 })
      provider = startProvider('p11-kit', home)
      const file = (name: string) => {
        writeFileSync(join(home, name), 'pin-4711', { mode: 0o400 })
        return { file: join(home, name) }
      }
      soPin = file('so-pin')
      settings = { name: 'remote', module: provider.module, token: 'remote', pin: file('pin'), env: provider.env }
    })

    after(async () => {
      if (provider !== undefined) stopProvider(provider.home)
      await directory?.remove()
    })

    it('provision: UNSUPPORTED, with the reason for every profile, and no key is left behind', async () => {
      const error = await refusal(provisionBackupHsm({ ...settings, createToken: { soPin } }))
      expect(error.code).to.equal('UNSUPPORTED')
      for (const profile of ['gcm', 'gcm-hsm-iv', 'cbc-hmac', 'kwp', 'kw']) expect(error.message).to.include(`${profile}: `)
      expect((await probeHsm(settings)).chosen).to.equal(undefined)
    })

    it('probe: identities and randomness work', async () => {
      expect((await probeHsm(settings)).identities).to.deep.equal(['secp256k1', 'p256'])
    })

    it('connection: a server that was killed is TOKEN_LOST, and is found again after its restart', async () => {
      const hsm = new Pkcs11Hsm(settings)
      try {
        expect(await hsm.random(8)).to.have.length(8)
        stopProvider(provider.home)
        for (const _ of [1, 2]) expect((await refusal(hsm.random(8))).retriable).to.equal(true)
        startProvider('p11-kit', provider.home)
        expect(await hsm.random(8)).to.have.length(8)
      } finally {
        await hsm.close()
      }
    })
  })
}
