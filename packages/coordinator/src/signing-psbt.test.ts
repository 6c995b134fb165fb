import { fromHex, toHex } from '@conclave/core'
import { PAYEE, psbtOf } from '@conclave/policy/testing/psbt'
import { DIGESTS_MAX } from '@conclave/wire'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { Psbt } from 'bitcoinjs-lib'
import { expect } from 'chai'
import type { SigningAcceptedBody, SigningBody } from './signing-schemas.ts'
import { childSecret, type FakeKey } from './testing/fake-node.ts'
import { Harness, type ProblemAnswer } from './testing/harness.ts'

const SIGNING = '/v1/signing-requests'
const psbt = (bytes: Uint8Array) => ({ type: 'btc.psbt', bytes: `0x${toHex(bytes)}` })

function keyOf(h: Harness): FakeKey {
  return h.cluster.world.keys.get('main') as FakeKey
}

function rootOf(h: Harness) {
  const { secret, chainCode } = keyOf(h)
  return { publicKey: secp256k1.getPublicKey(secret), chainCode }
}

async function signed(h: Harness, payload: object): Promise<SigningBody> {
  const answer = await h.post<SigningAcceptedBody>(SIGNING, { keyId: 'main', payload })
  expect(answer.status, JSON.stringify(answer.body)).equal(201)
  const body = await h.ended(answer.body.requestId)
  expect(body.state).equal('signed')
  return body
}

describe('signing a PSBT', () => {
  it('every input is signed on the path that it names, in one attempt, and the transaction comes back', async () => {
    await using h = await Harness.start()
    const bytes = psbtOf({ root: rootOf(h) })
    const body = await signed(h, psbt(bytes))
    expect(body).include({ derivationPath: 'm', from: null, digest: null, signature: null, recovery: null })
    expect(body.signatures?.map((s) => s.derivationPath)).deep.equal(['m/0/5', 'm/0/6'])
    for (const { publicKey, digest, signature, derivationPath } of body.signatures ?? []) {
      const path = derivationPath.split('/').slice(1).map(Number)
      expect(publicKey).equal(toHex(secp256k1.getPublicKey(childSecret(keyOf(h), path))))
      expect(secp256k1.verify(fromHex(signature as string), fromHex(digest), fromHex(publicKey), { prehash: false })).equal(true)
    }
    expect(body.attempts).lengthOf(1)
    const other = Psbt.fromHex((body.signedPsbt as string).slice(2))
    const isValid = (publicKey: Uint8Array, digest: Uint8Array, signature: Uint8Array) =>
      secp256k1.verify(signature, digest, publicKey, { prehash: false })
    expect(other.validateSignaturesOfAllInputs(isValid)).equal(true)
    expect(`0x${other.finalizeAllInputs().extractTransaction().toHex()}`).equal(body.signedTransaction)
    expect(body.summary?.map((line) => line.label)).include.members(['Amount sent', 'Fee', 'Input 1', 'Output 1'])
    expect(body.items).lengthOf(1)
    expect(body).deep.include(body.items[0])
  })

  it('of a multisignature the PSBT comes back with our signatures, for others to go on', async () => {
    await using h = await Harness.start()
    const inputs = [{ kind: 'p2wsh-ms', path: [0, 1], amountSat: 9000n }] as const
    const body = await signed(h, psbt(psbtOf({ root: rootOf(h), inputs, outputs: [{ to: PAYEE, amountSat: 8000n }] })))
    expect(body.signedTransaction).equal(null)
    expect(Psbt.fromHex((body.signedPsbt as string).slice(2)).data.inputs[0]?.partialSig).lengthOf(1)
    expect(body).include({ digest: body.signatures?.[0]?.digest, signature: body.signatures?.[0]?.signature })
  })

  it('several PSBTs have as many signatures as one session makes, and no more', async () => {
    await using h = await Harness.start()
    const inputs = (n: number, seed: number) =>
      Array.from({ length: n }, (_, i) => ({ kind: 'p2wpkh', path: [i], amountSat: 9000n, seed: seed + i }) as const)
    const item = (n: number, seed: number) => ({
      payload: psbt(psbtOf({ root: rootOf(h), inputs: inputs(n, seed), outputs: [{ to: PAYEE, amountSat: 8000n }] })),
    })
    const post = (items: readonly object[]) => h.post<SigningAcceptedBody & ProblemAnswer>(SIGNING, { keyId: 'main', items })
    const refused = await post([item(3, 0), item(DIGESTS_MAX - 2, 100)])
    expect([refused.status, refused.body.code]).deep.equal([400, 'TOO_MANY_SIGNATURES'])
    const { body } = await post([item(3, 0), item(2, 100)])
    await h.ended(body.requestId)
    const done = await h.recorded(body.requestId)
    expect(done.items.map((i) => i.signatures.length)).deep.equal([3, 2])
    expect(new Set(done.items.map((i) => i.signedTransaction)).size).equal(2)
    expect(done.signatures).equal(null)
  })

  it('what makes no sense is refused with its code', async () => {
    await using h = await Harness.start()
    const good = psbt(psbtOf({ root: rootOf(h) }))
    const cases: readonly (readonly [object, string, RegExp])[] = [
      [{ payload: good, derivationPath: 'm/0' }, 'BAD_PATH', /ask for it at m/],
      [{ payload: psbt(psbtOf()) }, 'PAYLOAD_UNDECODABLE', /not spent by this key/],
      [{ payload: psbt(new Uint8Array(9)) }, 'PAYLOAD_UNDECODABLE', /not a valid btc.psbt/],
      [{ payload: { type: 'raw', bytes: '0x00' } }, 'PAYLOAD_UNDECODABLE', /32 bytes/],
      [{ payload: { type: 'eip712', bytes: '0x7b7d' } }, 'PAYLOAD_UNDECODABLE', /missing/],
    ]
    for (const [body, code, detail] of cases) {
      const answer = await h.post<ProblemAnswer>(SIGNING, { keyId: 'main', ...body })
      expect([answer.status, answer.body.code]).deep.equal([400, code])
      expect(answer.body.detail).match(detail)
    }
  })

  it('a bare digest is signed and becomes nothing else', async () => {
    await using h = await Harness.start()
    const body = await signed(h, { type: 'raw', bytes: `0x${'07'.repeat(32)}` })
    expect(body).include({ digest: '07'.repeat(32), signedTransaction: null, signedPsbt: null })
    expect(body.signature).match(/^[0-9a-f]{128}$/)
  })
})
