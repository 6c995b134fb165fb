import { codeOf, fromHex, toHex } from '@conclave/core'
import { expect } from 'chai'
import { bitcoinAddresses, bitcoinScripts, describeScript, parseBitcoinAddress, scriptId } from './bitcoin-address.ts'

const G = fromHex('0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798')

function codeFor(run: () => unknown): string {
  try {
    run()
    return 'accepted'
  } catch (error) {
    return codeOf(error)
  }
}

describe('bitcoin addresses', () => {
  it('bitcoin addresses: the vectors of BIP49, BIP84 and BIP173', () => {
    const bip84 = fromHex('0330d54fd0dd420a6e5f8d3624f5f3482cae350f79d5f0753bf5beef9c2d91af3c')
    expect(bitcoinAddresses(bip84, 'mainnet').p2wpkh).equal('bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu')
    const bip49 = fromHex('03a1af804ac108a8a51782198c2d034b28bf90c8803f5a53f76276fa69a4eae77f')
    expect(bitcoinAddresses(bip49, 'testnet').p2shP2wpkh).equal('2Mww8dCYPUpKHofjgcXcBCEGmniw9CoaiD2')
    expect(bitcoinAddresses(G, 'mainnet')).include({
      p2pkh: '1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH',
      p2wpkh: 'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4',
    })
    expect(bitcoinAddresses(G, 'testnet').p2wpkh).equal('tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx')
    expect(bitcoinAddresses(G, 'regtest').p2wpkh).equal('bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080')
    expect(bitcoinAddresses(G, 'testnet').p2pkh).equal(bitcoinAddresses(G, 'regtest').p2pkh)
  })

  it('bitcoin addresses: an address names one script, on every network', () => {
    const scripts = bitcoinScripts(G)
    for (const network of ['mainnet', 'testnet', 'regtest'] as const) {
      const addresses = bitcoinAddresses(G, network)
      for (const kind of ['p2pkh', 'p2shP2wpkh', 'p2wpkh'] as const) {
        expect(parseBitcoinAddress(addresses[kind])).equal(scriptId(scripts[kind]))
        expect(describeScript(scripts[kind], network)).equal(addresses[kind])
      }
    }
    const taproot = 'bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0'
    expect(parseBitcoinAddress(taproot)).equal(`script:5120${toHex(G.subarray(1))}`)
    expect(parseBitcoinAddress(taproot.toUpperCase())).equal(parseBitcoinAddress(taproot))
  })

  it('bitcoin addresses: a script without an address is shown as it is', () => {
    for (const script of ['6a0568656c6c6f', '', '51', 'ff']) expect(describeScript(fromHex(script), 'mainnet')).equal(`script:${script}`)
  })

  it('bitcoin addresses: what is mistyped is refused', () => {
    const good = 'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4'
    for (const text of [
      '',
      'bc1',
      good.slice(0, -1),
      good.replace('w5', 'w6'),
      good.replace('bc1q', 'Bc1q'),
      '1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMh',
      `${good} `,
    ])
      expect(
        codeFor(() => parseBitcoinAddress(text)),
        text,
      ).equal('BAD_ADDRESS')
    for (const key of [G.subarray(1), new Uint8Array(33), new Uint8Array(33).with(0, 2).with(32, 5)])
      expect(codeFor(() => bitcoinAddresses(key, 'mainnet'))).equal('BAD_PUBLIC_KEY')
  })
})
