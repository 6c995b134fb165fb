import { expect } from 'chai'
import { isAvailability, isPinRefused, type VaultCode } from '../codes.ts'
import { vaultError } from '../vault-error.ts'
import { meaningOf, meaningWhenHealthy } from './return-values.ts'

describe('PKCS#11 return values', () => {
  const known: [string, number, string][] = [
    ['GENERAL_ERROR', 0x005, 'CHECK'],
    ['FUNCTION_FAILED', 0x006, 'CHECK'],
    ['DEVICE_ERROR', 0x030, 'CHECK'],
    ['ENCRYPTED_DATA_INVALID', 0x040, 'TAMPER'],
    ['AEAD_DECRYPT_FAILED', 0x042, 'TAMPER'],
    ['PIN_INCORRECT', 0x0a0, 'PIN_INCORRECT'],
    ['PIN_LOCKED', 0x0a4, 'PIN_LOCKED'],
    ['SESSION_HANDLE_INVALID', 0x0b3, 'SESSION_LOST'],
    ['OBJECT_HANDLE_INVALID', 0x082, 'SESSION_LOST'],
    ['OPERATION_ACTIVE', 0x090, 'SESSION_LOST'],
    ['TOKEN_NOT_PRESENT', 0x0e0, 'TOKEN_LOST'],
    ['DEVICE_REMOVED', 0x032, 'TOKEN_LOST'],
    ['SESSION_COUNT', 0x0b1, 'BUSY'],
    ['MECHANISM_INVALID', 0x070, 'UNSUPPORTED'],
    ['a vendor value', 0x80000123, 'CHECK'],
    ['a value of no standard', 0x7777, 'CHECK'],
  ]
  for (const [name, rv, meaning] of known) {
    it(`meaningOf: ${name} is ${meaning}`, () => expect(meaningOf(rv)).to.equal(meaning))
  }

  it('meaningWhenHealthy: only a general failure to open is tampering', () => {
    expect([0x005, 0x006].map((rv) => meaningWhenHealthy(rv, true))).to.deep.equal(['TAMPER', 'TAMPER'])
    expect([0x005, 0x006].map((rv) => meaningWhenHealthy(rv, false))).to.deep.equal(['SESSION_LOST', 'SESSION_LOST'])
    // Throttling, where the backup should be asked.
    expect([true, false].map((opening) => meaningWhenHealthy(0x030, opening))).to.deep.equal(['BUSY', 'BUSY'])
    expect(meaningWhenHealthy(0x80000123, true)).to.equal('SESSION_LOST')
  })

  it('vaultError: retriable are the codes of availability, and no PIN is among them', () => {
    const codes: VaultCode[] = [
      'TAMPER',
      'ROLLBACK',
      'KEY_MISSING',
      'PIN_INCORRECT',
      'PIN_LOCKED',
      'PIN_SOURCE',
      'MODULE_MISSING',
      'UNSUPPORTED',
      'KEY_EXISTS',
    ]
    for (const code of codes) expect(vaultError(code, 'x').retriable).to.equal(false)
    for (const code of ['SESSION_LOST', 'TOKEN_LOST', 'BUSY', 'TIMEOUT', 'AGENT_DIED'] as const)
      expect(vaultError(code, 'x').retriable).to.equal(true)
    expect(['PIN_INCORRECT', 'PIN_LOCKED'].some(isAvailability)).to.equal(false)
    expect(['PIN_INCORRECT', 'PIN_LOCKED'].every(isPinRefused)).to.equal(true)
  })
})
