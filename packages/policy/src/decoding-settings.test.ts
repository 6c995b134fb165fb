import { codeOf } from '@conclave/core'
import { expect } from 'chai'
import { decodingSettings, loadDecoding, withPaths } from './decoding-settings.ts'
import { SUPPLIER } from './naive-rlp.fixture.ts'

const ABI = JSON.stringify([{ type: 'function', name: 'stop', inputs: [] }])

describe('decoding settings', () => {
  it('decoding settings: nothing stated is mainnet and no contracts', () => {
    expect(decodingSettings.parse({})).deep.equal({ bitcoinNetwork: 'mainnet', abis: [] })
  })

  it('decoding settings: ABI files become contracts at their places', async () => {
    const abis = [{ file: 'a.json' }, { file: 'b.json', chain: 1, address: SUPPLIER.toLowerCase() }]
    const settings = withPaths(decodingSettings.parse({ bitcoinNetwork: 'regtest', abis }), (path) => `/etc/${path}`)
    const asked: string[] = []
    const decoding = await loadDecoding(settings, async (file) => {
      asked.push(file)
      return ABI
    })
    expect(asked).deep.equal(['/etc/a.json', '/etc/b.json'])
    expect(decoding.bitcoinNetwork).equal('regtest')
    const places = decoding.contracts?.map(({ chainId, address }) => ({ chainId, address }))
    expect(places).deep.equal([
      { chainId: undefined, address: undefined },
      { chainId: 1n, address: SUPPLIER },
    ])
    expect([...(decoding.contracts?.[0]?.methods.keys() ?? [])]).deep.equal(['0x07da68f5'])
  })

  it('decoding settings: what is wrong is refused, with the name of the file', async () => {
    for (const wrong of [
      { bitcoinNetwork: 'signet' },
      { abis: [{}] },
      { abis: [{ file: 'a', chain: 0 }] },
      { more: 1 },
      { abis: [{ file: 'a', address: 1 }] },
    ])
      expect(decodingSettings.safeParse(wrong).success, JSON.stringify(wrong)).equal(false)
    const codes = async (text: string, address?: string) => {
      const settings = decodingSettings.parse({ abis: [{ file: 'a.json', ...(address === undefined ? {} : { address }) }] })
      return await loadDecoding(settings, async () => text).then(
        () => 'loaded',
        (error: unknown) => `${codeOf(error)} ${String(error)}`,
      )
    }
    expect(await codes('{}')).match(/^BAD_ABI .*a\.json: /)
    expect(await codes(ABI, SUPPLIER.replace('C8', 'c8'))).match(/^BAD_ADDRESS .*checksum/)
  })
})
