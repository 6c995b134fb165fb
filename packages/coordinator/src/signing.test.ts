import { fromHex, toHex } from '@conclave/core'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { expect } from 'chai'
import type { FakeNode } from './testing/fake-node.ts'
import { eventually, Harness, type ProblemAnswer } from './testing/harness.ts'

/** The node's own policy denies everything. */
function denies(node: FakeNode): void {
  node.intercept = async (_, honest) => {
    const answer = await honest()
    if (!('verdict' in answer)) return answer
    return {
      verdict: { ...answer.verdict, allowed: false, code: 'AMOUNT_OVER_LIMIT', reason: 'too much', rule: 'small', digests: [] },
    }
  }
}

async function down(h: Harness, ...nodes: readonly number[]): Promise<void> {
  for (const i of nodes) h.cluster.node(i).kill()
  await eventually(async () => {
    const { items } = (await h.get<{ items: { index: number; link: { up: boolean } }[] }>('/v1/nodes')).body
    return items.every(({ index, link }) => !nodes.includes(index) || !link.up)
  })
}

const stateOf = async (h: Harness, id: string) => (await h.signing(id)).state

describe('signing', () => {
  it('threshold nodes that allow sign, and nobody else is asked to', async () => {
    await using h = await Harness.start()
    const id = await h.request()
    expect((await h.ended(id)).state).equal('signed')
    const body = await h.recorded(id)
    expect(body).include({ state: 'signed', error: null, keyId: 'main', requester: 'admin' })
    expect(body.attempts).lengthOf(1)
    expect(body.attempts[0]).deep.include({ attempt: 1, outcome: 'signed', code: null, signers: body.signers, bytesOnWire: 3000 })
    expect(h.cluster.world.signs.map((s) => s.node).sort()).deep.equal(body.signers)
    expect(body.signers).lengthOf(3)
    const { publicKey } = (await h.get<{ publicKey: string }>('/v1/keys/main')).body
    const options = { prehash: false, lowS: true } as const
    expect(secp256k1.verify(fromHex(body.signature as string), fromHex(body.digest as string), fromHex(publicKey), options)).equal(true)
    expect(body.signedTransaction)
      .match(/^0x02/)
      .contain((body.signature as string).slice(0, 64).replace(/^0+/, ''))
    expect(body.nodeVerdicts.every((v) => v.allowed && v.code === 'ALLOWED')).equal(true)
    expect(body.summary?.find((l) => l.label === 'Amount')?.value).contain('1 native coin')
  })

  it('the admission tells the digest and the summary that the coordinator decoded', async () => {
    await using h = await Harness.start()
    const id = await h.request(3)
    const admitted = await h.signing(id)
    expect(admitted.digest).match(/^[0-9a-f]{64}$/)
    expect((await h.ended(id)).digest).equal(admitted.digest)
  })

  it('spreads the load over the nodes', async () => {
    await using h = await Harness.start()
    for (let i = 0; i < 10; i++) expect((await h.ended(await h.request(i))).state).equal('signed')
    const turns = h.cluster.nodes.map(({ index }) => h.cluster.world.signs.filter((s) => s.node === index).length)
    expect(turns).deep.equal([6, 6, 6, 6, 6])
  })

  it('ten queued requests drain, never more than parallel at once', async () => {
    await using h = await Harness.start({ parallel: 2 })
    const open = new Set<string>()
    const released = Promise.withResolvers<void>()
    let most = 0
    for (const node of h.cluster.nodes) {
      node.intercept = async (request, honest) => {
        if (!('sign' in request)) return await honest()
        open.add(toHex(request.sign.requestId))
        most = Math.max(most, open.size)
        await released.promise
        const answer = await honest()
        open.delete(toHex(request.sign.requestId))
        return answer
      }
    }
    const ids = await Promise.all(Array.from({ length: 10 }, (_, i) => h.request(i)))
    await eventually(() => open.size === 2)
    const states = await Promise.all(ids.map((id) => stateOf(h, id)))
    expect(states.filter((state) => state === 'signing')).lengthOf(2)
    released.resolve()
    for (const id of ids) expect((await h.ended(id)).state).equal('signed')
    expect(most).equal(2)
  })

  it('denied: so many nodes deny that no quorum is left, with every verdict', async () => {
    await using h = await Harness.start()
    for (const i of [1, 3, 5]) denies(h.cluster.node(i))
    const body = await h.ended(await h.request())
    expect(body.state).equal('denied')
    expect(body.error).include({ code: 'POLICY_DENIED', retriable: false })
    expect(body.error?.detail).contain('zurich AMOUNT_OVER_LIMIT (too much)')
    expect(body.nodeVerdicts.filter((v) => !v.allowed).map((v) => v.node)).deep.equal([1, 3, 5])
    expect(body.error?.nodeVerdicts).deep.equal(body.nodeVerdicts)
    expect(body.nodeVerdicts[0]).deep.equal({ node: 1, allowed: false, code: 'AMOUNT_OVER_LIMIT', reason: 'too much', rule: 'small' })
    // It began with three of them, of whom two said no.
    expect(body.attempts.map((a) => [a.outcome, a.code])).deep.equal([['failed', 'DENIED']])
    expect(body.signature).equal(null)
  })

  it('two of five deny: the other three sign', async () => {
    await using h = await Harness.start()
    for (const i of [2, 4]) denies(h.cluster.node(i))
    const body = await h.ended(await h.request())
    expect(body.state).equal('signed')
    expect(body.signers).deep.equal([1, 3, 5])
    expect(body.attempts.map((a) => a.code)).deep.equal(['DENIED', null])
    // What those two denied the others have signed: the next request does not begin with them.
    const next = await h.ended(await h.request(1))
    expect(next.attempts.map((a) => a.signers)).deep.equal([[1, 3, 5]])
  })

  it('nodes that are down do not deny: the request waits and is signed when one returns', async () => {
    await using h = await Harness.start()
    await down(h, 1, 2)
    denies(h.cluster.node(3))
    const id = await h.request()
    await eventually(async () => (await h.signing(id)).nodeVerdicts.length === 3)
    expect(await stateOf(h, id)).equal('queued')
    await h.cluster.node(2).start()
    const body = await h.ended(id)
    expect(body.state).equal('signed')
    expect(body.signers).deep.equal([2, 4, 5])
  })

  it('QUORUM_UNREACHABLE at the deadline says how many are needed and who is down', async () => {
    await using h = await Harness.start()
    await down(h, 1, 3, 5)
    const id = await h.request(0, { deadlineMs: 5000 })
    await eventually(async () => (await stateOf(h, id)) === 'queued')
    h.clock.advance(5000)
    const body = await h.ended(id)
    expect(body.state).equal('failed')
    expect(body.error).include({ code: 'QUORUM_UNREACHABLE', retriable: true, status: 503 })
    expect(body.error?.detail).contain('needs 3 of 5').contain('down: zurich, madrid, quito').contain('able: 2 (oslo, tokyo)')
    expect(h.cluster.world.signs).deep.equal([])
  })

  it('the deadline of the settings holds when the request names none', async () => {
    await using h = await Harness.start({ deadlineMs: 2000 })
    await down(h, 1, 3, 5)
    const id = await h.request()
    await eventually(async () => (await stateOf(h, id)) === 'queued')
    h.clock.advance(1999)
    expect(await stateOf(h, id)).equal('queued')
    h.clock.advance(1)
    expect((await h.ended(id)).error?.code).equal('QUORUM_UNREACHABLE')
  })

  it('nodes whose pair is burned never sign together', async () => {
    await using h = await Harness.prepare()
    h.cluster.addKey('main')
    h.cluster.node(1).pairs.set(2, 'burned')
    h.cluster.node(4).pairs.set(3, 'missing')
    h.cluster.node(3).otherPairs.add(5)
    await h.run()
    await eventually(async () => (await h.get('/v1/keys/main')).status === 200)
    for (let i = 0; i < 8; i++) {
      const { signers, state } = await h.ended(await h.request(i))
      expect(state).equal('signed')
      expect(signers?.includes(1) && signers.includes(2), `${signers}`).equal(false)
      expect(signers?.includes(3) && signers.includes(4), `${signers}`).equal(false)
      // Each calls the pair ready, with another state.
      expect(signers?.includes(3) && signers.includes(5), `${signers}`).equal(false)
    }
  })

  it('a burned pair that leaves no quorum is named with its check, also when only one end has burned it', async () => {
    await using h = await Harness.start()
    await down(h, 4, 5)
    h.cluster.node(2).pairs.set(1, 'burned')
    h.clock.advance(5000)
    const id = await h.request(0, { deadlineMs: 3000 })
    await eventually(async () => (await stateOf(h, id)) === 'queued')
    h.clock.advance(3000)
    const { error } = await h.ended(id)
    expect(error?.code).equal('QUORUM_UNREACHABLE')
    expect(error?.detail).contain('; zurich and oslo: burned (VOLE_CHECK)').not.contain('pairs not ready')
  })

  it('what a node allowed before its link went down is asked again', async () => {
    await using h = await Harness.start()
    await down(h, 1, 2, 3)
    const id = await h.request()
    await eventually(async () => (await h.signing(id)).nodeVerdicts.length === 2)
    await down(h, 4)
    denies(h.cluster.node(4))
    await h.cluster.node(4).start()
    await eventually(async () => (await h.signing(id)).nodeVerdicts.some((v) => v.node === 4 && !v.allowed))
    await h.cluster.node(1).start()
    await eventually(async () => (await h.signing(id)).nodeVerdicts.length === 3)
    expect(await stateOf(h, id)).equal('queued')
    await h.cluster.node(2).start()
    const body = await h.ended(id)
    expect(body.signers).deep.equal([1, 2, 5])
    expect(body.attempts).lengthOf(1)
  })

  it('a node whose pairs are from before its restart is not chosen until it reports again', async () => {
    await using h = await Harness.start()
    await down(h, 1, 2, 3)
    const reported = Promise.withResolvers<void>()
    h.cluster.node(3).intercept = async (request, honest) => {
      if ('status' in request) await reported.promise
      return await honest()
    }
    await h.cluster.node(3).start()
    const id = await h.request()
    await eventually(async () => (await h.signing(id)).nodeVerdicts.length === 3)
    expect(await stateOf(h, id)).equal('queued')
    expect(h.cluster.world.signs).deep.equal([])
    reported.resolve()
    expect((await h.ended(id)).signers).deep.equal([3, 4, 5])
  })

  it('pairs that stand in the way are named, and looked at again until they are ready', async () => {
    await using h = await Harness.start()
    await down(h, 4, 5)
    h.cluster.node(1).pairs.set(2, 'missing')
    h.clock.advance(5000)
    await eventually(async () => {
      const { items } = (await h.get<{ items: { status: { pairs: { state: string }[] } }[] }>('/v1/nodes')).body
      return items[0]?.status.pairs[0]?.state === 'missing'
    })
    const first = await h.request(0, { deadlineMs: 3000 })
    await eventually(async () => (await stateOf(h, first)) === 'queued')
    h.clock.advance(3000)
    expect((await h.ended(first)).error?.detail).contain('pairs not ready: zurich-oslo')
    const second = await h.request(1)
    await eventually(async () => (await stateOf(h, second)) === 'queued')
    h.cluster.node(1).pairs.set(2, 'ready')
    h.clock.advance(1000)
    expect((await h.ended(second)).signers).deep.equal([1, 2, 3])
  })

  it('a request that is cancelled while it waits ends; one that has ended cannot be cancelled', async () => {
    await using h = await Harness.start()
    const signed = await h.request(0)
    await h.ended(signed)
    const late = await h.call<ProblemAnswer>('POST', `/v1/signing-requests/${signed}:cancel`)
    expect(late.status).equal(409)
    expect(late.body.code).equal('REQUEST_ENDED')
    await down(h, 1, 2, 3)
    const id = await h.request(1)
    await eventually(async () => (await stateOf(h, id)) === 'queued')
    const cancel = await h.call<{ cancelRequested: boolean }>('POST', `/v1/signing-requests/${id}:cancel`)
    expect(cancel.status).equal(200)
    expect(cancel.body.cancelRequested).equal(true)
    const body = await h.ended(id)
    expect(body.state).equal('cancelled')
    expect(body.error?.code).equal('CANCELLED')
    expect((await h.call('POST', `/v1/signing-requests/${id}:cancel`)).status).equal(200)
  })

  it('a cancel during an attempt: a signature that comes is told, and no further attempt is made', async () => {
    for (const outcome of ['signed', 'cancelled'] as const) {
      await using h = await Harness.start()
      const held = Promise.withResolvers<void>()
      for (const node of h.cluster.nodes) {
        node.intercept = async (request, honest) => {
          if (!('sign' in request)) return await honest()
          await held.promise
          if (outcome === 'signed') return await honest()
          return { failure: { code: 'ABORTED', message: 'm', retriable: true, culprits: [], waitingFor: [] } }
        }
      }
      const id = await h.request()
      await eventually(() => h.cluster.world.signs.length === 3)
      await h.call('POST', `/v1/signing-requests/${id}:cancel`)
      held.resolve()
      expect((await h.ended(id)).state).equal(outcome)
      expect(h.cluster.attemptsOf(id).size).equal(1)
    }
  })

  it('a long poll ends when its time is over, with the state as it is', async () => {
    await using h = await Harness.start()
    await down(h, 1, 2, 3)
    const id = await h.request()
    await eventually(async () => (await stateOf(h, id)) === 'queued')
    const poll = h.get<{ state: string }>(`/v1/signing-requests/${id}?waitMs=700`)
    await eventually(() => h.clock.hasTimer(700))
    h.clock.advance(700)
    expect((await poll).body.state).equal('queued')
  })
})
