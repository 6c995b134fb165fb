import { epochsByNow, toHex } from '@conclave/core'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { expect } from 'chai'
import { LINKS_GRACE_MS } from './key-driver.ts'
import type { KeyBody, OperationBody } from './key-schemas.ts'
import { LOOK_MS } from './renewal-driver.ts'
import type { FakeNode, ResponseBody } from './testing/fake-node.ts'
import { eventually, Harness, type ProblemAnswer } from './testing/harness.ts'

const RENEWAL_TIMEOUT_MS = 300_000

const keyOf = async (h: Harness) => (await h.get<KeyBody>('/v1/keys/main')).body
const epochs = (h: Harness) => h.cluster.nodes.map((n) => n.keys.get('main')?.epoch)
const operation = async (h: Harness, id: string) => (await h.get<OperationBody>(`/v1/operations/${id}`)).body

/** What each attempt asked, by its nonce; throws unless every node was asked the same. */
function attempts(h: Harness) {
  const byNonce = new Map<string, string>()
  for (const { renew } of h.cluster.world.renewals) {
    const { nonce, ...asked } = renew
    const text = JSON.stringify(asked)
    expect(byNonce.get(toHex(nonce)) ?? text).equal(text)
    byNonce.set(toHex(nonce), text)
  }
  return [...byNonce.values()].map((text) => JSON.parse(text))
}

async function ended(h: Harness, id: string): Promise<OperationBody> {
  await h.passing(LOOK_MS, async () => (await operation(h, id)).endedAt !== null)
  return await operation(h, id)
}

async function failureOf(h: Harness, id: string): Promise<ProblemAnswer & { nodeVerdicts?: readonly { node: number; code: string }[] }> {
  const { state, error } = await ended(h, id)
  expect(state).equal('failed')
  return error as ProblemAnswer
}

/** The links have had their time to come up. */
async function settledStart(): Promise<Harness> {
  const h = await Harness.start()
  h.clock.advance(LINKS_GRACE_MS)
  return h
}

describe('key refresh', () => {
  it('every party deals, the epoch rises and the key stays', async () => {
    await using h = await Harness.start()
    const before = await keyOf(h)
    h.clock.advance(60_000)
    const done = await h.operationEnded(await h.renew('refresh'))
    expect(done).include({ state: 'succeeded', kind: 'key.refresh', keyId: 'main', requestedBy: 'admin', error: null })
    expect(epochs(h)).deep.equal([1, 1, 1, 1, 1])
    const after = await keyOf(h)
    expect(done.result).deep.equal(after)
    expect(after).deep.equal({ ...before, epoch: 1, refreshedAt: new Date(h.clock.nowMs()).toISOString() })
    const all = [1, 2, 3, 4, 5]
    const asked = { keyId: 'main', kind: 'refresh', fromEpoch: 0, epoch: 1, threshold: 3, parties: all, dealers: all }
    expect(attempts(h)).deep.equal([asked])
    expect(h.cluster.world.renewals).lengthOf(5)
    await h.operationEnded(await h.renew('refresh'))
    expect(attempts(h)[1]).deep.equal({ ...asked, fromEpoch: 1, epoch: 2 })
  })

  it('NODES_UNREACHABLE names the node that is down, and nothing is sent', async () => {
    await using h = await settledStart()
    h.cluster.node(2).kill()
    await eventually(async () => (await h.get<{ nodesUp: number }>('/readyz')).body.nodesUp === 4)
    const error = await failureOf(h, await h.renew('refresh'))
    expect(error).include({ code: 'NODES_UNREACHABLE', retriable: true })
    expect(error.detail).contain('down: oslo')
    expect(h.cluster.world.renewals).deep.equal([])
    await h.cluster.node(2).start()
    expect((await ended(h, await h.renew('refresh'))).state).equal('succeeded')
  })

  it('a retriable refusal is followed by another attempt: a fresh nonce, a higher epoch', async () => {
    await using h = await Harness.start()
    h.cluster.node(3).refuses = 'KEY_BUSY'
    const id = await h.renew('refresh')
    await h.passing(LOOK_MS, () => attempts(h).length === 2)
    h.cluster.node(3).refuses = undefined
    expect((await ended(h, id)).state).equal('succeeded')
    expect(attempts(h).map((a) => a.epoch)).deep.equal(attempts(h).map((_, i) => i + 1))
    expect(new Set(epochs(h)).size).equal(1)
  })

  it('a refusal that is final ends it at once and names the node', async () => {
    await using h = await Harness.start()
    h.cluster.node(3).refuses = 'BAD_REFRESH'
    const error = await failureOf(h, await h.renew('refresh'))
    expect(error).include({ code: 'KEY_RENEWAL_FAILED', retriable: false })
    expect(error.detail).contain('madrid: BAD_REFRESH').contain('zurich: SESSION_ABORTED')
    expect(error.nodeVerdicts?.find((v) => v.node === 3)).include({ code: 'BAD_REFRESH' })
    expect(attempts(h)).lengthOf(1)
  })

  it('a node that has prepared it and hears from the others later needs no second attempt', async () => {
    await using h = await Harness.start()
    h.cluster.node(4).holdsBack = true
    const id = await h.renew('refresh')
    await h.passing(LOOK_MS, () => h.cluster.node(4).status().keys[0]?.prepared === 1)
    expect((await operation(h, id)).state).equal('running')
    h.cluster.node(4).promote('main')
    expect((await ended(h, id)).state).equal('succeeded')
    expect(attempts(h)).lengthOf(1)
    expect(epochs(h)).deep.equal([1, 1, 1, 1, 1])
  })

  it('nodes that stay at different epochs: no attempt is made from there, and it fails in time', async () => {
    await using h = await Harness.start()
    h.cluster.node(4).holdsBack = true
    const startedAtMs = h.clock.nowMs()
    const error = await failureOf(h, await h.renew('refresh'))
    expect(error).include({ code: 'KEY_RENEWAL_FAILED', retriable: true })
    expect(error.detail).contain('different epochs').contain('tokyo 0').contain('quito 1')
    expect(h.clock.nowMs() - startedAtMs).within(RENEWAL_TIMEOUT_MS, RENEWAL_TIMEOUT_MS + 10_000)
    expect(attempts(h)).lengthOf(1)
  })

  it('an epoch that any node has prepared before is not used again', async () => {
    await using h = await Harness.start()
    h.cluster.node(5).changeShare('main', { prepared: 7 })
    expect((await ended(h, await h.renew('refresh'))).state).equal('succeeded')
    expect(attempts(h).map((a) => [a.fromEpoch, a.epoch])).deep.equal([[0, 8]])
  })

  for (const [what, prepared] of [
    ['the last epoch of all does not use up the numbers', 0xffffffff],
    ['more than the other nodes would go along with does not stop the renewal', epochsByNow(Date.UTC(2026, 0, 1))],
  ] as const)
    it(`a node that claims ${what}`, async () => {
      await using h = await Harness.start()
      const { intercept } = h.cluster.node(5)
      h.cluster.node(5).intercept = async (request, honest) => {
        const answer = await intercept(request, honest)
        if (answer === undefined || !('status' in answer)) return answer
        return { status: { ...answer.status, keys: answer.status.keys.map((k) => ({ ...k, prepared })) } }
      }
      expect((await ended(h, await h.renew('refresh'))).state).equal('succeeded')
      expect(attempts(h).map((a) => a.epoch)).deep.equal([1])
    })

  it('what as many nodes as can sign have prepared is believed, however far ahead', async () => {
    await using h = await Harness.start()
    const far = 0x10000000
    for (const i of [1, 2, 3]) h.cluster.node(i).changeShare('main', { prepared: far + i })
    expect((await ended(h, await h.renew('refresh'))).state).equal('succeeded')
    expect(attempts(h).map((a) => a.epoch)).deep.equal([far + 4])
  })

  const lies: readonly [string, (k: Extract<ResponseBody, { keyCreated: unknown }>['keyCreated']) => object][] = [
    ['public key', () => ({ publicKey: secp256k1.getPublicKey(new Uint8Array(32).fill(9)) })],
    ['chain code', (k) => ({ chainCode: k.chainCode.with(0, (k.chainCode[0] as number) ^ 1) })],
    ['epoch', () => ({ epoch: 9 })],
  ]
  const liar = (node: FakeNode, lie: (typeof lies)[number][1]) => {
    node.intercept = async (_, honest) => {
      const answer = await honest()
      return 'keyCreated' in answer ? { keyCreated: { ...answer.keyCreated, ...lie(answer.keyCreated) } } : answer
    }
  }
  for (const [what, lie] of lies) {
    it(`KEY_MISMATCH: one node answers another ${what}; the key stays as it is known`, async () => {
      await using h = await Harness.start()
      const { publicKey } = await keyOf(h)
      liar(h.cluster.node(4), lie)
      expect(await failureOf(h, await h.renew('refresh'))).include({ code: 'KEY_MISMATCH', retriable: false })
      expect((await keyOf(h)).publicKey).equal(publicKey)
    })
  }

  for (const [what, other] of [
    ['key', { publicKey: secp256k1.getPublicKey(new Uint8Array(32).fill(9)) }],
    ['chain code', { chainCode: new Uint8Array(32).fill(9) }],
  ] as const) {
    it(`KEY_MISMATCH: all nodes agree on a ${what} that is not the known one`, async () => {
      await using h = await Harness.start()
      const { xpub } = await keyOf(h)
      for (const node of h.cluster.nodes) liar(node, () => other)
      expect(await failureOf(h, await h.renew('refresh'))).include({ code: 'KEY_MISMATCH' })
      expect((await keyOf(h)).xpub).equal(xpub)
    })
  }

  it('RESHARE_NEEDED: a party is stale, or holds nothing', async () => {
    await using h = await Harness.start()
    h.cluster.node(2).changeShare('main', { state: 'stale' })
    const stale = await failureOf(h, await h.renew('refresh'))
    expect(stale).include({ code: 'RESHARE_NEEDED', retriable: false })
    expect(stale.detail).contain('oslo (stale)')
    h.cluster.node(2).keys.delete('main')
    expect((await failureOf(h, await h.renew('refresh'))).detail).contain('oslo (has no share)')
    expect(h.cluster.world.renewals).deep.equal([])
  })

  it('PAIR_BURNED: one side says so', async () => {
    await using h = await Harness.start()
    h.cluster.node(2).pairs.set(5, 'burned')
    const error = await failureOf(h, await h.renew('refresh'))
    expect(error).include({ code: 'PAIR_BURNED', retriable: false })
    expect(error.detail).contain('oslo-quito (VOLE_CHECK)')
    expect(h.cluster.world.renewals).deep.equal([])
  })

  it('a node that dies during an attempt and comes back: another attempt makes it', async () => {
    await using h = await Harness.start()
    h.cluster.node(1).intercept = async (request, honest) => {
      if (!('renewKey' in request)) return await honest()
      setImmediate(() => h.cluster.node(1).kill())
      return undefined
    }
    const id = await h.renew('refresh')
    await eventually(() => attempts(h).length === 1)
    await eventually(async () => (await h.get<{ nodesUp: number }>('/readyz')).body.nodesUp === 4)
    h.cluster.node(1).intercept = (_, honest) => honest()
    await h.cluster.node(1).start()
    expect((await ended(h, id)).state).equal('succeeded')
    expect((await h.ended(await h.request())).state).equal('signed')
  })
})
