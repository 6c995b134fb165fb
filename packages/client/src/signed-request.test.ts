import { fromHex, isRequestSigned, payloadHash, requestIdOf, seededRandom, tagged, toHex } from '@conclave/core'
import { ed25519 } from '@noble/curves/ed25519.js'
import { expect } from 'chai'
import type { RequestSignature } from './resources.ts'
import { signRequest } from './signed-request.ts'

const SECRET = tagged('platform')
const CLUSTER = toHex(tagged('cluster'))
const by = { clusterId: CLUSTER, name: 'exchange', sign: (id: Uint8Array) => ed25519.sign(id, SECRET) }
const options = () => ({ nowMs: 1000, random: seededRandom(tagged('nonce')) })

/** The id that nodes make of what arrives, which is what the signature has to be over. */
async function isSigned(request: RequestSignature, items: readonly (readonly [string, readonly number[]])[]): Promise<boolean> {
  const { signed, keyId } = await signRequest(request, by, options())
  const { requester, notBeforeMs, expiresAtMs } = signed
  const named = items.map(([hex, path]) => ({ payloadHash: payloadHash(fromHex(hex)), path }))
  const terms = { requester, notBeforeMs, expiresAtMs, nonce: fromHex(signed.nonce) }
  const id = requestIdOf({ clusterId: fromHex(CLUSTER), keyId, payloadType: 'evm.tx', items: named, ...terms })
  return isRequestSigned(id, ed25519.getPublicKey(SECRET), fromHex(signed.signature))
}

describe('signed request', () => {
  const payload = (bytes: string) => ({ type: 'evm.tx', bytes })

  it('signed request: key, payloads, paths and terms are what is signed, with one item and with several', async () => {
    const one = { keyId: 'treasury', payload: payload('0x02aa'), derivationPath: 'm/0/5' }
    expect(await isSigned(one, [['02aa', [0, 5]]])).equal(true)
    expect(await isSigned(one, [['02ab', [0, 5]]])).equal(false)
    expect(await isSigned(one, [['02aa', [0, 6]]])).equal(false)
    const two = { keyId: 'treasury', items: [{ payload: payload('0x01') }, { payload: payload('0x02'), derivationPath: 'm/1' }] }
    expect(
      await isSigned(two, [
        ['01', []],
        ['02', [1]],
      ]),
    ).equal(true)
  })

  it('signed request: it keeps the request, has a time and a fresh nonce', async () => {
    const request = { keyId: 'treasury', payload: payload('0x02') }
    const [a, b] = [
      await signRequest(request, by, { nowMs: 1000, validMs: 500 }),
      await signRequest(request, by, { nowMs: 1000, validMs: 500 }),
    ]
    expect(a).deep.include({ keyId: 'treasury', payload: payload('0x02') })
    expect(a.signed).include({ requester: 'exchange', notBeforeMs: 1000, expiresAtMs: 1500 })
    expect(a.signed.nonce).not.equal(b.signed.nonce)
  })
})
