import { fromHex, parsePath, toHex } from '@conclave/core'
import { decodePayload } from '@conclave/policy'
import { DIGESTS_MAX, PAYLOAD_BYTES_MAX } from '@conclave/wire'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { expect } from 'chai'
import type { SigningAcceptedBody, SigningBody } from './signing-schemas.ts'
import { childSecret, type FakeKey } from './testing/fake-node.ts'
import { eventually, Harness, type ProblemAnswer, payment } from './testing/harness.ts'

const SIGNING = '/v1/signing-requests'
const evm = (bytes: string) => ({ type: 'evm.tx', bytes })
const item = (nonce: number, derivationPath?: string) => ({
  payload: evm(payment(nonce)),
  ...(derivationPath === undefined ? {} : { derivationPath }),
})
const THREE = [item(1, 'm/0/5'), item(2), item(3, 'm/0/6')]
const batch = (items: readonly unknown[] = THREE) => ({ keyId: 'main', items })
const digestOf = ({ bytes }: { readonly bytes: string }) => toHex(decodePayload('evm.tx', fromHex(bytes.slice(2))).digest)
const NOTHING = { derivationPath: null, publicKey: null, from: null, payload: null, digest: null, summary: null }
const UNSIGNED = { signature: null, recovery: null, signedTransaction: null }

async function admitted(h: Harness, body: unknown = batch()): Promise<SigningAcceptedBody> {
  const answer = await h.post<SigningAcceptedBody>(SIGNING, body)
  expect(answer.status, JSON.stringify(answer.body)).equal(201)
  return answer.body
}

/** By way of the private keys, which only fakes can have. */
function expectSigned(h: Harness, body: SigningBody): void {
  expect(body.state).equal('signed')
  const key = h.cluster.world.keys.get('main') as FakeKey
  for (const { derivationPath, publicKey, payload, digest, signature, signedTransaction } of body.items) {
    expect(publicKey).equal(toHex(secp256k1.getPublicKey(childSecret(key, parsePath(derivationPath)))))
    expect(digest).equal(digestOf(payload))
    const options = { prehash: false, lowS: true } as const
    expect(secp256k1.verify(fromHex(signature as string), fromHex(digest as string), fromHex(publicKey), options)).equal(true)
    expect(signedTransaction).match(/^0x02/)
  }
}

describe('signing several items', () => {
  it('each is signed under its own child, in one attempt, and shown in the order of the request', async () => {
    await using h = await Harness.start()
    const accepted = await admitted(h)
    expect(accepted).deep.include({ digest: null, summary: null })
    expect(accepted.items.map((i) => i.digest)).deep.equal(THREE.map((i) => digestOf(i.payload)))
    await h.ended(accepted.requestId)
    const body = await h.recorded(accepted.requestId)
    expectSigned(h, body)
    expect(body.items.map((i) => [i.derivationPath, i.payload])).deep.equal(THREE.map((i) => [i.derivationPath ?? 'm', i.payload]))
    expect(new Set(body.items.map((i) => i.signature)).size).equal(3)
    expect(body).deep.include({ ...NOTHING, ...UNSIGNED })
    expect(body.items[2]?.summary.slice(0, 2).map((line) => line.value)).deep.equal([body.items[2]?.from, 'm/0/6'])
    expect(body.attempts).lengthOf(1)
    expect(h.cluster.world.signs.map((s) => s.node).sort()).deep.equal(body.signers)
    expect((await h.get<{ items: SigningBody[] }>(SIGNING)).body.items).deep.equal([body])
  })

  it('a request for one item shows it at the top as well, however it was asked for', async () => {
    await using h = await Harness.start()
    for (const asked of [batch([item(1, 'm/0/5')]), { keyId: 'main', ...item(1, 'm/0/5') }]) {
      const accepted = await admitted(h, asked)
      const { digest, summary } = accepted
      expect(accepted.items).deep.equal([{ digest, summary }])
      const body = await h.ended(accepted.requestId)
      expectSigned(h, body)
      expect(body.items).lengthOf(1)
      expect(body).deep.include(body.items[0])
      expect(body).include({ derivationPath: 'm/0/5', digest: digestOf(item(1).payload) })
    }
  })

  it('nodes are asked for exactly the items, in their order', async () => {
    await using h = await Harness.start()
    const asked: string[] = []
    for (const node of h.cluster.nodes) {
      node.intercept = (request, honest) => {
        if ('propose' in request)
          asked.push(request.propose.items.map(({ payload, path }) => `0x${toHex(payload)} ${path.join('/')}`).join(', '))
        return honest()
      }
    }
    await h.ended((await admitted(h)).requestId)
    const wanted = THREE.map((i) => `${i.payload.bytes} ${i.derivationPath?.slice(2) ?? ''}`).join(', ')
    expect([...new Set(asked)]).deep.equal([wanted])
  })

  it('a wrong signature of the second item alone is not believed', async () => {
    await using h = await Harness.start({ maxAttempts: 1 })
    for (const node of h.cluster.nodes) {
      node.intercept = async (request, honest) => {
        const answer = await honest()
        if (!('sign' in request) || !('signed' in answer)) return answer
        const items = answer.signed.items.map((s, i) => (i === 1 ? { ...s, signature: s.signature.with(40, 1) } : s))
        return { signed: { ...answer.signed, items } }
      }
    }
    const body = await h.ended((await admitted(h)).requestId)
    expect(body.state).equal('failed')
    expect(body.attempts[0]).deep.include({ code: 'WRONG_SIGNATURE', culprits: [1, 2, 3] })
    for (const shown of body.items) expect(shown).include(UNSIGNED)
  })

  it('a node that derives the digests in another order does not allow the request', async () => {
    await using h = await Harness.start()
    h.cluster.node(1).intercept = async (_, honest) => {
      const answer = await honest()
      return 'verdict' in answer ? { verdict: { ...answer.verdict, digests: answer.verdict.digests.toReversed() } } : answer
    }
    const body = await h.recorded((await admitted(h)).requestId)
    expect(body.nodeVerdicts.find((v) => v.node === 1)).include({ allowed: false, code: 'DIGEST_MISMATCH' })
  })

  it('parallel counts items: a request of several takes as many places', async () => {
    await using h = await Harness.start({ parallel: 3 })
    const released = Promise.withResolvers<void>()
    for (const node of h.cluster.nodes) {
      node.intercept = async (request, honest) => {
        if ('sign' in request) await released.promise
        return await honest()
      }
    }
    const first = (await admitted(h)).requestId
    await eventually(() => h.cluster.world.signs.length === 3)
    // Each admission waits for the disk, behind whatever the one before would have begun.
    const others: string[] = []
    for (let i = 10; i < 15; i++) others.push(await h.request(i))
    expect(h.cluster.world.signs).lengthOf(3)
    expect(await Promise.all(others.map(async (id) => (await h.signing(id)).state))).deep.equal(others.map(() => 'decoded'))
    released.resolve()
    for (const id of [first, ...others]) expectSigned(h, await h.ended(id))
  })

  it('the same items in another number or order are another body', async () => {
    await using h = await Harness.start()
    const key = { headers: { 'idempotency-key': 'a' } }
    const first = await h.post<SigningAcceptedBody>(SIGNING, batch(), key)
    expect((await h.post(SIGNING, batch(), key)).body).deep.equal(first.body)
    const [a, b, c] = THREE
    for (const items of [
      [b, a, c],
      [a, b],
      [...THREE, c],
      [a, b, item(3)],
    ]) {
      expect((await h.post<ProblemAnswer>(SIGNING, batch(items), key)).body.code).equal('IDEMPOTENCY_CONFLICT')
    }
    expect((await h.get<{ items: unknown[] }>(SIGNING)).body.items).lengthOf(1)
    expectSigned(h, await h.ended(first.body.requestId))
  })

  it('a request of several survives the death of the coordinator', async () => {
    await using h = await Harness.start()
    const held = Promise.withResolvers<void>()
    for (const node of h.cluster.nodes) {
      node.intercept = async (request, honest) => {
        if ('propose' in request) await held.promise
        return await honest()
      }
    }
    const { requestId } = await admitted(h)
    await h.crashAndRestart()
    held.resolve()
    const body = await h.ended(requestId)
    expectSigned(h, body)
    expect(body.items.map((i) => i.derivationPath)).deep.equal(['m/0/5', 'm', 'm/0/6'])
  })

  it('as many items as a request may have', async () => {
    await using h = await Harness.start()
    const body = await h.ended((await admitted(h, batch(Array.from({ length: DIGESTS_MAX }, (_, i) => item(i, `m/${i}`))))).requestId)
    expect(body.items).lengthOf(DIGESTS_MAX)
    expectSigned(h, body)
  })
})

const half = { payload: evm(`0x${'02'.repeat(PAYLOAD_BYTES_MAX / 2)}`) }
const REFUSED: readonly (readonly [string, object, number, string, RegExp])[] = [
  ['neither payload nor items', { keyId: 'main' }, 400, 'BAD_BODY', /either payload or items/],
  ['payload and items', { ...batch(), payload: evm(payment()) }, 400, 'BAD_BODY', /either payload or items/],
  ['a path beside items', { ...batch(), derivationPath: 'm/0' }, 400, 'BAD_BODY', /derivationPath of its own/],
  ['no item', batch([]), 400, 'BAD_BODY', /body\.items/],
  ['an item too many', batch(Array.from({ length: DIGESTS_MAX + 1 }, (_, i) => item(i))), 400, 'BAD_BODY', /body\.items/],
  ['an item without a payload', batch([item(1), {}]), 400, 'BAD_BODY', /body\.items\.1/],
  [
    'a field that no item has',
    batch([item(1), { ...item(2), keyId: 'main' }]),
    400,
    'UNKNOWN_FIELD',
    /body\.items\.1: unknown field "keyId"/,
  ],
  ['two payload types', batch([item(1), { payload: { type: 'btc.psbt', bytes: '0x00' } }]), 400, 'BAD_BODY', /one payload type/],
  ['a type that nobody knows', batch([{ payload: { type: 'x', bytes: '0x00' } }]), 400, 'UNKNOWN_PAYLOAD_TYPE', /./],
  ['an item that is not hex', batch([item(1), { payload: evm('0xzz') }, item(2)]), 400, 'BAD_HEX', /^item 2 of 3: /],
  ['an item that does not decode', batch([item(1), item(2), { payload: evm('0xc0ffee') }]), 400, 'PAYLOAD_UNDECODABLE', /^item 3 of 3: /],
  ['an item whose path leads nowhere', batch([item(1, 'm/0h'), item(2)]), 400, 'BAD_PATH', /^item 1 of 2: /],
  ['payloads that are too large together', batch([half, half, item(1)]), 413, 'PAYLOAD_TOO_LARGE', /at most 131072 bytes/],
  ['payloads that are just not too large', batch([half, half]), 400, 'PAYLOAD_UNDECODABLE', /^item 1 of 2: /],
  ['an unknown key', { ...batch(), keyId: 'other' }, 404, 'KEY_NOT_FOUND', /./],
]

describe('signing several items, refused', () => {
  it('what makes no sense is refused with its code and its item, and nothing is kept', async () => {
    await using h = await Harness.start()
    for (const [what, body, status, code, detail] of REFUSED) {
      const answer = await h.post<ProblemAnswer>(SIGNING, body)
      expect([answer.status, answer.body.code], what).deep.equal([status, code])
      expect(answer.body.detail, what).match(detail)
    }
    expect((await h.get<{ items: unknown[] }>(SIGNING)).body.items).deep.equal([])
  })
})
