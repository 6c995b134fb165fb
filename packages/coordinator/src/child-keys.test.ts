import { deriveChild, formatXpub, fromHex, PATH_INDEX_MAX, parsePath, toHex } from '@conclave/core'
import { bitcoinAddresses, evmAddress } from '@conclave/policy'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { expect } from 'chai'
import { childKey } from './child-keys.ts'
import type { DerivedKeyBody, KeyBody } from './key-schemas.ts'
import { childSecret, type FakeKey, signedItem } from './testing/fake-node.ts'
import { eventually, Harness, type ProblemAnswer, payment } from './testing/harness.ts'

const DERIVED = '/v1/keys/main/derived'
type Items = { readonly items: readonly DerivedKeyBody[] }

const keyOf = (h: Harness) => h.cluster.world.keys.get('main') as FakeKey
/** By way of the child's private key, which only fakes can have. */
const publicAt = (h: Harness, path: string) => secp256k1.getPublicKey(childSecret(keyOf(h), parsePath(path)))

function signs(publicKey: Uint8Array, body: { signature: string | null; digest: string | null }): boolean {
  const options = { prehash: false, lowS: true } as const
  return secp256k1.verify(fromHex(body.signature as string), fromHex(body.digest as string), publicKey, options)
}

describe('childKey', () => {
  it('is what deriveChild derives, in whatever order paths are asked for', () => {
    const root = { publicKey: secp256k1.getPublicKey(new Uint8Array(32).fill(9)), chainCode: new Uint8Array(32).fill(8) }
    const other = { ...root, chainCode: new Uint8Array(32).fill(7) }
    for (const path of [[0, 1, 2], [0, 1], [], [7], [0, 1, 3], [0], [0, 1, 2]]) {
      for (const key of [root, other, root]) {
        const { publicKey, chainCode } = deriveChild(key, path)
        expect(childKey(key, path)).deep.include({ publicKey, chainCode })
      }
    }
    expect(() => childKey(root, [0, PATH_INDEX_MAX + 1]))
      .throw()
      .property('code', 'BAD_PATH')
    expect(() => childKey(root, new Array(9).fill(0)))
      .throw()
      .property('code', 'BAD_PATH')
  })
})

describe('signing under child keys', () => {
  it('a signature for m/0/5 verifies under that child and under no other key', async () => {
    await using h = await Harness.start()
    const body = await h.ended(await h.request(0, { derivationPath: 'm/0/5' }))
    const child = publicAt(h, 'm/0/5')
    expect(body).include({ state: 'signed', derivationPath: 'm/0/5', publicKey: toHex(child), from: evmAddress(child) })
    expect(signs(child, body)).equal(true)
    for (const path of ['m', 'm/0', 'm/5', 'm/0/6']) expect(signs(publicAt(h, path), body), path).equal(false)
    expect(body.summary?.slice(0, 2)).deep.equal([
      { label: 'From', value: evmAddress(child) },
      { label: 'Derivation path', value: 'm/0/5' },
    ])
  })

  it('without a path the key itself signs', async () => {
    await using h = await Harness.start()
    const key = (await h.get<KeyBody>('/v1/keys/main')).body
    for (const more of [{}, { derivationPath: 'm' }]) {
      const body = await h.ended(await h.request(0, more))
      expect(body).include({ state: 'signed', derivationPath: 'm', publicKey: key.publicKey, from: key.address })
      expect(signs(fromHex(key.publicKey), body)).equal(true)
    }
  })

  it('nodes are asked for exactly the path of the request', async () => {
    await using h = await Harness.start()
    const asked: string[] = []
    for (const node of h.cluster.nodes) {
      node.intercept = (request, honest) => {
        if ('propose' in request) asked.push(...request.propose.items.map((item) => item.path.join()))
        return honest()
      }
    }
    await h.ended(await h.request(0, { derivationPath: 'm/7/0/2147483647' }))
    expect(new Set(asked)).deep.equal(new Set(['7,0,2147483647']))
  })

  it('signers that sign under another child, or under the root, are not believed', async () => {
    await using h = await Harness.start({ maxAttempts: 1 })
    for (const path of [[], [0, 6]]) {
      for (const node of h.cluster.nodes) {
        node.intercept = async (request, honest) => {
          const answer = await honest()
          if (!('sign' in request) || !('signed' in answer)) return answer
          const items = answer.signed.items.map(({ digest }) => signedItem(digest, childSecret(keyOf(h), path)))
          return { signed: { ...answer.signed, items } }
        }
      }
      const body = await h.ended(await h.request(0, { derivationPath: 'm/0/5' }))
      expect(body).include({ state: 'failed', signature: null })
      expect(body.attempts[0]?.code).equal('WRONG_SIGNATURE')
      expect(body.attempts[0]?.culprits).lengthOf(3)
    }
  })

  it('a refresh and a reshare change neither xpub nor children, and the child still signs', async () => {
    await using h = await Harness.start()
    const before = (await h.get<KeyBody>('/v1/keys/main')).body
    await h.operationEnded(await h.renew('refresh'))
    await h.operationEnded(await h.renew('reshare', { quorum: { required: 4 } }))
    const { xpub, epoch, threshold } = (await h.get<KeyBody>('/v1/keys/main')).body
    expect({ xpub, epoch, threshold }).deep.equal({ xpub: before.xpub, epoch: 2, threshold: 4 })
    const body = await h.ended(await h.request(0, { derivationPath: 'm/0/5' }))
    expect(body).include({ state: 'signed', from: evmAddress(publicAt(h, 'm/0/5')) })
    expect(signs(publicAt(h, 'm/0/5'), body)).equal(true)
  })

  it('a path survives the death of the coordinator', async () => {
    await using h = await Harness.start()
    const held = Promise.withResolvers<void>()
    for (const node of h.cluster.nodes) {
      node.intercept = async (request, honest) => {
        if ('propose' in request) await held.promise
        return await honest()
      }
    }
    const id = await h.request(0, { derivationPath: 'm/0/5' })
    await h.crashAndRestart()
    held.resolve()
    const body = await h.ended(id)
    expect(body).include({ state: 'signed', derivationPath: 'm/0/5' })
    expect(signs(publicAt(h, 'm/0/5'), body)).equal(true)
  })

  it('another path under one idempotency key is a conflict', async () => {
    await using h = await Harness.start()
    const body = { keyId: 'main', payload: { type: 'evm.tx', bytes: payment() }, derivationPath: 'm/0/5' }
    const headers = { 'idempotency-key': 'a' }
    const first = await h.post<{ requestId: string }>('/v1/signing-requests', body, { headers })
    expect((await h.post<{ requestId: string }>('/v1/signing-requests', body, { headers })).body).deep.equal(first.body)
    const { derivationPath: _, ...root } = body
    for (const other of [{ ...body, derivationPath: 'm/0/6' }, root]) {
      const answer = await h.post<ProblemAnswer>('/v1/signing-requests', other, { headers })
      expect(answer.body.code).equal('IDEMPOTENCY_CONFLICT')
    }
  })

  it('BAD_PATH: a path that leads to no child is refused before anything is kept', async () => {
    await using h = await Harness.start()
    const bad = ['', 'm/', '0/5', "m/44'/60'", 'm/0h', 'm/2147483648', `m${'/0'.repeat(9)}`]
    for (const derivationPath of bad) {
      const body = { keyId: 'main', payload: { type: 'evm.tx', bytes: payment() }, derivationPath }
      const answer = await h.post<ProblemAnswer>('/v1/signing-requests', body)
      expect(answer.status, derivationPath).equal(400)
      expect(answer.body.code, derivationPath).equal('BAD_PATH')
    }
    expect((await h.get<{ items: unknown[] }>('/v1/signing-requests')).body.items).deep.equal([])
  })
})

describe('child keys', () => {
  it('a key shows its chain code and its xpub, also when it was learnt from the nodes', async () => {
    await using h = await Harness.start()
    const { body } = await h.get<KeyBody>('/v1/keys/main')
    const root = { publicKey: publicAt(h, 'm'), chainCode: keyOf(h).chainCode }
    expect(body).include({ chainCode: toHex(root.chainCode), xpub: formatXpub(root) })
    const { body: made } = await h.post<{ operationId: string }>('/v1/keys', { keyId: 'made' })
    const operation = await h.operationEnded(made.operationId)
    expect(operation.result?.chainCode).equal(toHex(h.cluster.world.keys.get('made')?.chainCode as Uint8Array))
    expect(operation.result).deep.equal((await h.get<KeyBody>('/v1/keys/made')).body)
  })

  it('a known key keeps its chain code whatever the nodes report later', async () => {
    await using h = await Harness.start()
    const { chainCode } = (await h.get<KeyBody>('/v1/keys/main')).body
    h.cluster.world.keys.set('main', { ...keyOf(h), chainCode: new Uint8Array(32).fill(9) })
    h.clock.advance(5000)
    await eventually(() => h.log.some((line) => line.includes('another public key or chain code')))
    expect((await h.get<KeyBody>('/v1/keys/main')).body.chainCode).equal(chainCode)
  })

  it('one child: path, public key and address', async () => {
    await using h = await Harness.start()
    for (const path of ['m', 'm/0', 'm/0/5', 'm/1/2/3/4/5/6/7/8']) {
      const publicKey = publicAt(h, path)
      const { body } = await h.get<DerivedKeyBody>(`${DERIVED}?path=${path}`, { as: 'viewer' })
      expect(body).deep.equal({
        path,
        publicKey: toHex(publicKey),
        address: evmAddress(publicKey),
        bitcoin: bitcoinAddresses(publicKey, 'mainnet'),
      })
    }
    const { address } = (await h.get<KeyBody>('/v1/keys/main')).body
    expect((await h.get<DerivedKeyBody>(`${DERIVED}?path=m`)).body.address).equal(address)
  })

  it('a range: as many as asked for, each the child that one asks for alone', async () => {
    await using h = await Harness.start()
    const { items } = (await h.get<Items>(`${DERIVED}?prefix=m/0&from=7&count=45`)).body
    expect(items.map((i) => i.path)).deep.equal(Array.from({ length: 45 }, (_, i) => `m/0/${7 + i}`))
    for (const { path, publicKey } of items) expect(publicKey).equal(toHex(publicAt(h, path)))
    expect((await h.get<DerivedKeyBody>(`${DERIVED}?path=m/0/9`)).body).deep.equal(items[2])
    const { items: byDefault } = (await h.get<Items>(DERIVED)).body
    expect(byDefault.map((i) => i.path)).deep.equal(Array.from({ length: 100 }, (_, i) => `m/${i}`))
    expect((await h.get<Items>(`${DERIVED}?count=1000`)).body.items).lengthOf(1000)
  })

  it('a range ends where the indices end', async () => {
    await using h = await Harness.start()
    const { items } = (await h.get<Items>(`${DERIVED}?from=${PATH_INDEX_MAX - 1}&count=10`)).body
    expect(items.map((i) => i.path)).deep.equal([`m/${PATH_INDEX_MAX - 1}`, `m/${PATH_INDEX_MAX}`])
  })

  it('an xpub gives the same addresses offline', async () => {
    await using h = await Harness.start()
    const { publicKey, chainCode } = (await h.get<KeyBody>('/v1/keys/main')).body
    const child = deriveChild({ publicKey: fromHex(publicKey), chainCode: fromHex(chainCode) }, [0, 5])
    expect((await h.get<DerivedKeyBody>(`${DERIVED}?path=m/0/5`)).body.address).equal(evmAddress(child.publicKey))
  })

  const refusals: readonly [string, number, string][] = [
    ["?path=m/0'", 400, 'BAD_PATH'],
    ['?path=', 400, 'BAD_PATH'],
    [`?path=${'m/'.repeat(200)}`, 400, 'BAD_QUERY'],
    ['?prefix=m/x', 400, 'BAD_PATH'],
    [`?prefix=m${'/0'.repeat(8)}`, 400, 'BAD_PATH'],
    ['?path=m&from=1', 400, 'BAD_QUERY'],
    ['?path=m&prefix=m', 400, 'BAD_QUERY'],
    ['?path=m&count=1', 400, 'BAD_QUERY'],
    ['?count=0', 400, 'BAD_QUERY'],
    ['?count=1001', 400, 'BAD_QUERY'],
    ['?from=-1', 400, 'BAD_QUERY'],
    ['?from=2147483648', 400, 'BAD_QUERY'],
    ['?pfad=m', 400, 'UNKNOWN_FIELD'],
  ]
  it('what makes no sense is refused with its code', async () => {
    await using h = await Harness.start()
    for (const [query, status, code] of refusals) {
      const answer = await h.get<ProblemAnswer>(DERIVED + query)
      expect([answer.status, answer.body.code], query).deep.equal([status, code])
    }
    expect((await h.get<ProblemAnswer>('/v1/keys/other/derived')).body.code).equal('KEY_NOT_FOUND')
    expect((await h.get<ProblemAnswer>(DERIVED, { as: null })).status).equal(401)
    expect((await h.call<ProblemAnswer>('DELETE', DERIVED)).body.code).equal('METHOD_NOT_ALLOWED')
  })
})
