import { ConclaveApiError, ConclaveClient } from '@conclave/client'
import { API_KEYS, eventually, Harness, payment } from '@conclave/coordinator/testing'
import { fromHex } from '@conclave/core'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { expect } from 'chai'

const payload = (nonce: number) => ({ type: 'evm.tx', bytes: payment(nonce) })
const clientOf = (h: Harness, apiKey = API_KEYS.admin) => new ConclaveClient({ url: h.coordinator?.url as string, apiKey, retryFirstMs: 0 })

async function failureOf(action: Promise<unknown>): Promise<ConclaveApiError> {
  const error = await action.then(
    () => expect.fail('nothing was thrown'),
    (e: unknown) => e,
  )
  expect(error).instanceOf(ConclaveApiError)
  return error as ConclaveApiError
}

describe('client against a coordinator with fake nodes', () => {
  it('makes a key, signs, lists', async () => {
    await using h = await Harness.start({}, { withKey: false })
    const client = clientOf(h)
    const { operationId } = await client.createKey({ keyId: 'main', quorum: { required: 3, of: 5 } })
    const key = await client.waitForKey(operationId)
    expect(await client.key('main')).deep.equal(key)
    expect(await client.keys()).deep.equal([key])
    const accepted = await client.requestSignature({ keyId: 'main', payload: payload(0) })
    const signed = await client.waitForSignature(accepted.requestId)
    expect(signed).include({ state: 'signed', digest: accepted.digest })
    expect(signed.signers).lengthOf(3)
    await client.requestSignature({ keyId: 'main', payload: payload(1) })
    const first = await client.signingRequests({ limit: 1 })
    const second = await client.signingRequests({ limit: 1, cursor: first.nextCursor as string })
    expect(second.items[0]?.requestId).equal(accepted.requestId)
    expect((await client.nodes()).map((n) => n.link.up)).deep.equal([true, true, true, true, true])
  })

  it('signs in one call, and the same call again gives the same signature', async () => {
    await using h = await Harness.start()
    const client = clientOf(h)
    const order = { keyId: 'main', payload: payload(0), idempotencyKey: 'order-1' }
    const signed = await client.sign(order)
    expect(signed).include({ state: 'signed', keyId: 'main' })
    expect((await client.sign(order)).signature).equal(signed.signature)
    expect((await client.signingRequests()).items).lengthOf(1)
    for (const node of h.cluster.nodes) {
      node.intercept = async (_, honest) => {
        const answer = await honest()
        return 'verdict' in answer ? { verdict: { ...answer.verdict, allowed: false, code: 'POLICY_NO_RULE' } } : answer
      }
    }
    expect(await failureOf(client.sign({ keyId: 'main', payload: payload(1) }))).include({ code: 'POLICY_DENIED', status: 403 })
  })

  it('asks for several signatures at once', async () => {
    await using h = await Harness.start()
    const client = clientOf(h)
    const items = [{ payload: payload(0), derivationPath: 'm/0/5' }, { payload: payload(1) }]
    const { requestId, digest } = await client.requestSignature({ keyId: 'main', items })
    expect(digest).equal(null)
    const signed = await client.waitForSignature(requestId)
    expect([signed.signature, signed.signedTransaction, signed.payload]).deep.equal([null, null, null])
    const keys = await Promise.all(['m/0/5', 'm'].map((path) => client.derivedKey('main', path)))
    for (const [i, item] of signed.items.entries()) {
      const { publicKey } = keys[i] as (typeof keys)[number]
      expect(item).include({ publicKey, derivationPath: ['m/0/5', 'm'][i] })
      expect(item.payload).deep.equal(items[i]?.payload)
      const options = { prehash: false, lowS: true }
      expect(secp256k1.verify(fromHex(item.signature as string), fromHex(item.digest as string), fromHex(publicKey), options)).equal(true)
    }
    const again = await client.sign({ keyId: 'main', items })
    expect(again.items.map((item) => item.digest)).deep.equal(signed.items.map((item) => item.digest))
    expect(await failureOf(client.requestSignature({ keyId: 'main', items: [] }))).include({ code: 'BAD_BODY', status: 400 })
  })

  it('derives child keys and signs under one of them', async () => {
    await using h = await Harness.start()
    const client = clientOf(h)
    const child = await client.derivedKey('main', 'm/0/5')
    expect((await client.derivedKeys('main', { prefix: 'm/0', from: 4, count: 3 }))[1]).deep.equal(child)
    expect((await client.key('main')).xpub).match(/^xpub661MyMwAqRbc/)
    const { requestId } = await client.requestSignature({ keyId: 'main', derivationPath: 'm/0/5', payload: payload(0) })
    const { signature, digest, ...signed } = await client.waitForSignature(requestId)
    expect(signed).include({ derivationPath: 'm/0/5', publicKey: child.publicKey, from: child.address })
    const options = { prehash: false, lowS: true }
    expect(secp256k1.verify(fromHex(signature as string), fromHex(digest as string), fromHex(child.publicKey), options)).equal(true)
    expect(await failureOf(client.derivedKey('main', "m/0'"))).include({ code: 'BAD_PATH', status: 400 })
  })

  it('takes child keys into use, finds one by its tag and suspends it', async () => {
    await using h = await Harness.start()
    const client = clientOf(h)
    expect(await client.addChildren('main', { prefix: 'm/0', from: 0, count: 3 })).deep.equal({ added: 3, known: 0 })
    expect(await client.changeChild('main', 'm/0/1', { tags: ['vip'], state: 'suspended' })).include({ path: 'm/0/1', state: 'suspended' })
    const { items } = await client.children('main', { tag: 'vip' })
    expect(items.map((child) => child.path)).deep.equal(['m/0/1'])
    expect(items[0]?.address).equal((await client.derivedKey('main', 'm/0/1')).address)
  })

  it('refreshes, reshares, sets a schedule, lists operations', async () => {
    await using h = await Harness.start()
    const client = clientOf(h)
    const before = await client.key('main')
    const refresh = await client.refreshKey({ keyId: 'main' })
    expect(await client.waitForKey(refresh.operationId)).include({ epoch: 1, publicKey: before.publicKey })
    const reshare = await client.reshareKey({ keyId: 'main', quorum: { required: 4 } })
    expect((await client.waitForOperation(reshare.operationId)).result).include({ epoch: 2, threshold: 4 })
    expect(await client.setSchedule('main', 30)).include({ refreshEveryDays: 30 })
    expect((await client.setSchedule('main', null)).nextRefreshAt).equal(null)
    const { items } = await client.operations({ keyId: 'main' })
    expect(items.map((o) => o.kind)).deep.equal(['key.reshare', 'key.refresh'])
    expect((await failureOf(client.reshareKey({ keyId: 'main', quorum: { required: 9 } }))).code).equal('BAD_THRESHOLD')
  })

  it('a repeated request with one idempotency key is one request', async () => {
    await using h = await Harness.start()
    const client = clientOf(h)
    const ask = () => client.requestSignature({ keyId: 'main', payload: payload(0), idempotencyKey: 'order-7' })
    expect((await ask()).requestId).equal((await ask()).requestId)
    expect(await failureOf(client.requestSignature({ keyId: 'main', payload: payload(1), idempotencyKey: 'order-7' }))).include({
      code: 'IDEMPOTENCY_CONFLICT',
      status: 409,
      retriable: false,
    })
  })

  it('errors carry code, status and what the nodes said', async () => {
    await using h = await Harness.start()
    for (const node of h.cluster.nodes) {
      node.intercept = async (_, honest) => {
        const answer = await honest()
        return 'verdict' in answer
          ? { verdict: { ...answer.verdict, allowed: false, code: 'CHAIN_NOT_ALLOWED', digest: new Uint8Array(0) } }
          : answer
      }
    }
    const client = clientOf(h)
    const { requestId } = await client.requestSignature({ keyId: 'main', payload: payload(0) })
    const denied = await failureOf(client.waitForSignature(requestId))
    expect(denied).include({ code: 'POLICY_DENIED', retriable: false })
    expect(denied.problem.nodeVerdicts?.map((v) => v.code)).contain('CHAIN_NOT_ALLOWED')
    expect(await failureOf(clientOf(h, 'wrong').keys())).include({ code: 'UNAUTHENTICATED', status: 401 })
    expect(await failureOf(clientOf(h, API_KEYS.viewer).createKey({ keyId: 'x' }))).include({ code: 'FORBIDDEN', status: 403 })
    expect(await failureOf(client.key('nothing'))).include({ code: 'KEY_NOT_FOUND', status: 404 })
    expect(await failureOf(client.requestSignature({ keyId: 'main', payload: { type: 'evm.tx', bytes: '0xzz' } }))).include({
      code: 'BAD_HEX',
    })
  })

  it('cancel', async () => {
    await using h = await Harness.start()
    for (const i of [1, 2, 3]) h.cluster.node(i).kill()
    const client = clientOf(h)
    const { requestId } = await client.requestSignature({ keyId: 'main', payload: payload(0) })
    await eventually(async () => (await client.signingRequest(requestId)).state === 'queued')
    await client.cancel(requestId)
    expect((await client.settled(requestId)).state).equal('cancelled')
    expect(await failureOf(client.waitForSignature(requestId))).include({ code: 'CANCELLED' })
  })
})
