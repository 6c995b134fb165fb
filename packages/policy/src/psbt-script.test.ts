import { expect } from 'chai'
import { failure, scriptsOf } from './psbt.fixture.ts'
import { spendingOf } from './psbt-script.ts'

describe('btc.psbt: scripts', () => {
  it('btc.psbt: a script that does not hash to what is paid to is refused before it is looked into', () => {
    const script = (kind: 'p2sh-p2wpkh' | 'p2wsh-one' | 'p2sh-p2wsh') => scriptsOf(kind, [0, 5])
    const other = scriptsOf('p2sh-p2wsh', [0, 6])
    const spent = (kind: 'p2sh-p2wpkh' | 'p2wsh-one' | 'p2sh-p2wsh', changes: object) =>
      failure(() => spendingOf(script(kind).script, { ...script(kind), ...changes }))
    for (const kind of ['p2sh-p2wpkh', 'p2sh-p2wsh'] as const) {
      expect(spent(kind, {})).equal('accepted')
      expect(spent(kind, { redeemScript: other.redeemScript })).match(/redeem script is missing or not the one/)
      expect(spent(kind, { redeemScript: undefined })).match(/redeem script is missing or not the one/)
    }
    for (const kind of ['p2wsh-one', 'p2sh-p2wsh'] as const) {
      expect(spent(kind, { witnessScript: other.witnessScript })).match(/witness script is missing or not the one/)
      expect(spent(kind, { witnessScript: undefined })).match(/witness script is missing or not the one/)
    }
  })
})
