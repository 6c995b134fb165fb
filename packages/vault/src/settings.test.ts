import { ConfigError } from '@conclave/core'
import { expect } from 'chai'
import { checkHsmSettings, checkVaultSettings, type HsmSettings, type Pkcs11VaultSettings } from './settings.ts'

const GOOD: HsmSettings = { name: 'primary', module: '/usr/lib/libhsm.so', token: 'zurich-a', pin: { file: '/run/secrets/pin' } }

function refused(act: () => void): boolean {
  try {
    act()
    return false
  } catch (error) {
    expect(error).to.be.instanceOf(ConfigError)
    expect((error as ConfigError).code).to.equal('BAD_HSM_SETTINGS')
    return true
  }
}

describe('HSM settings', () => {
  const good: Partial<HsmSettings>[] = [
    {},
    { serial: 'c0acfa354a3eb1d4' },
    { pin: { credential: 'hsm-pin' } },
    { pin: { env: 'HSM_PIN' } },
    { env: { SOFTHSM2_CONF: '/x' } },
    { kek: { label: 'kek', id: '00ff' } },
    { profile: 'cbc-hmac', libraryParameters: "configdir='sql:/x' " },
    { profile: 'gcm', requestTimeoutMs: 1, startTimeoutMs: 600_000 },
  ]
  for (const change of good) {
    it(`checkHsmSettings: takes ${JSON.stringify(change)}`, () => checkHsmSettings({ ...GOOD, ...change }))
  }

  const bad: Record<string, unknown>[] = [
    { name: '' },
    { name: 'Primary' },
    { name: 'x'.repeat(33) },
    { module: 'libhsm.so' },
    { token: '' },
    { token: 'x'.repeat(33) },
    { token: 'ü'.repeat(17) },
    { token: ' a' },
    { serial: '' },
    { serial: 'has space' },
    { pin: {} },
    { pin: { file: 'relative' } },
    { pin: { file: '/a', env: 'B' } },
    { pin: { value: '1234' } },
    { pin: { credential: '../etc/shadow' } },
    { pin: { credential: '.' } },
    { pin: { env: 'A=B' } },
    { env: { 'A=B': 'c' } },
    { profile: 'rot13' },
    { libraryParameters: '' },
    { libraryParameters: 'a\nb' },
    { libraryParameters: 'x'.repeat(513) },
    { kek: { id: 'XY' } },
    { kek: { label: '' } },
    { requestTimeoutMs: 0 },
    { startTimeoutMs: 1.5 },
  ]
  for (const change of bad) {
    it(`checkHsmSettings: refuses ${JSON.stringify(change)}`, () => {
      expect(refused(() => checkHsmSettings({ ...GOOD, ...change } as HsmSettings))).to.equal(true)
    })
  }

  it('checkVaultSettings: refuses no HSM, too many, one name twice and an unknown holder of the identity', () => {
    const of = (n: number) => Array.from({ length: n }, (_, i) => ({ ...GOOD, name: `hsm-${i}` }))
    const bad: Pkcs11VaultSettings[] = [{ hsms: [] }, { hsms: of(9) }, { hsms: [GOOD, GOOD] }, { hsms: [GOOD], identity: { hsm: 'other' } }]
    for (const settings of bad) expect(refused(() => checkVaultSettings(settings))).to.equal(true)
    checkVaultSettings({ hsms: of(8), identity: { hsm: 'hsm-7' } })
  })
})
