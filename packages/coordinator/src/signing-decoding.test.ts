import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { codeOf, toHex } from '@conclave/core'
import { psbtOf } from '@conclave/policy/testing/psbt'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { expect } from 'chai'
import type { SigningAcceptedBody } from './signing-schemas.ts'
import type { FakeKey } from './testing/fake-node.ts'
import { Harness } from './testing/harness.ts'

const ABI = [{ type: 'function', name: 'stop', inputs: [{ name: 'why', type: 'string' }] }]
/** A legacy transaction that calls stop("x") of 0x11..11 on every chain. */
const CALL =
  '0xf87f80010294111111111111111111111111111111111111111180b86474' +
  '5dcd4d000000000000000000000000000000000000000000000000000000000000002000000000000000000000000000000000000000000000000000000000000000017800000000000000000000000000000000000000000000000000000000000000'

async function run(h: Harness, abi: unknown): Promise<void> {
  const file = join(h.settings.cluster.lock, '..', 'vault.json')
  if (abi !== undefined) await writeFile(file, JSON.stringify(abi))
  h.settings = { ...h.settings, decoding: { bitcoinNetwork: 'regtest', abis: [{ file }] } }
  await h.run()
}

async function summaryOf(h: Harness, payload: object): Promise<string> {
  const { status, body } = await h.post<SigningAcceptedBody>('/v1/signing-requests', { keyId: 'main', payload })
  expect(status, JSON.stringify(body)).equal(201)
  return (body.summary ?? []).map(({ label, value }) => `${label}: ${value}`).join('\n')
}

describe('signing: what decoders know beside a payload', () => {
  it('addresses are of the network, and calls of the ABI files, that the settings say', async () => {
    await using h = await Harness.prepare()
    h.cluster.addKey('main')
    await run(h, ABI)
    const { secret, chainCode } = h.cluster.world.keys.get('main') as FakeKey
    const psbt = psbtOf({ root: { publicKey: secp256k1.getPublicKey(secret), chainCode } })
    expect(await summaryOf(h, { type: 'btc.psbt', bytes: `0x${toHex(psbt)}` })).match(/Network of addresses: regtest.* to bcrt1q/s)
    expect(await summaryOf(h, { type: 'evm.tx', bytes: CALL })).match(/Method: stop\(string\)\nArgument why \(string\): "x"/)
  })

  it('an ABI file that is missing or none keeps the coordinator from starting', async () => {
    for (const [abi, code] of [
      [undefined, 'ABI_UNREADABLE'],
      [{}, 'BAD_ABI'],
    ] as const) {
      await using h = await Harness.prepare()
      expect(await run(h, abi).then(() => 'started', codeOf)).equal(code)
    }
  })
})
