import { tagged } from '@conclave/core'
import { decode, encode, Frame, type Response } from '@conclave/wire'
import { expect } from 'chai'
import { TestCluster } from './cluster.fixture.ts'
import { expectSignature, newKey, pairStateOf, pairsReady, signTransfer, statusOf, until } from './requests.fixture.ts'
import { SETUPS_MAX } from './setup-budget.ts'

describe('pair keeper', () => {
  let cluster: TestCluster
  let publicKey: Uint8Array
  let requests = 0

  before(async () => {
    cluster = await TestCluster.create(2, 2)
    await cluster.start()
    publicKey = await newKey(cluster)
  })
  afterEach(() => cluster.tamper.clear())
  after(() => cluster.close())

  const epochs = async (): Promise<readonly number[]> => {
    const statuses = await Promise.all([1, 2].map((j) => statusOf(cluster, j)))
    expect(statuses[0]?.pairs[0]?.pairId).to.deep.equal(statuses[1]?.pairs[0]?.pairId)
    return statuses.map((s) => s.pairs[0]?.pairEpoch ?? 0)
  }
  const expectWorking = async (): Promise<void> => {
    await pairsReady(cluster)
    expectSignature(await signTransfer(cluster, ++requests, [1, 2]), publicKey)
  }
  /** Changes what a node's database holds while it is down. */
  const whileDown = async (name: string, act: (store: Awaited<ReturnType<TestCluster['openStore']>>) => Promise<void>): Promise<void> => {
    await cluster.kill(name)
    const store = await cluster.openStore(name)
    await act(store)
    await store.close()
    await cluster.start([name])
  }

  it('pair keeper: a restart with the same state at both ends sets nothing up', async () => {
    const before = await epochs()
    await whileDown('n1', async () => undefined)
    await whileDown('n2', async () => undefined)
    await expectWorking()
    expect(await epochs()).to.deep.equal(before)
  })

  for (const name of ['n1', 'n2']) {
    it(`pair keeper: ${name} having lost its state, the pair is set up again under a higher epoch and not burned`, async () => {
      const [before = 0] = await epochs()
      await whileDown(name, (store) => store.apply([{ del: 'pair', key: name === 'n1' ? '2' : '1' }]))
      await expectWorking()
      expect(await epochs()).to.deep.equal([before + 1, before + 1])
    })
  }

  it('pair keeper: one end having gone back to an older state, the pair is set up anew under a higher epoch', async () => {
    const old = (await cluster.store('n2').get('pair', '1')) as Uint8Array
    await whileDown('n1', (store) => store.apply([{ del: 'pair', key: '2' }]))
    await expectWorking()
    const [before = 0] = await epochs()
    await whileDown('n2', (store) => store.apply([{ put: 'pair', key: '1', value: old }]))
    await expectWorking()
    expect(await epochs()).to.deep.equal([before + 1, before + 1])
  })

  it('pair keeper: one end killed before it stored a new state, the other after: set up again, never ready with different states', async () => {
    const [before = 0] = await epochs()
    await cluster.kill('n1')
    const store = await cluster.openStore('n1')
    await store.apply([{ del: 'pair', key: '2' }])
    await store.close()
    let dropped = 0
    // n1 finishes the setup and never gets to store it, as if it had been killed right there.
    await cluster.start(['n1'], {
      rig: (parts) => ({
        ...parts,
        vault: {
          ...parts.vault,
          seal: (context, secret) => {
            if (context.recordType !== 'pair-state') return parts.vault.seal(context, secret)
            dropped++
            return new Promise(() => undefined)
          },
        },
      }),
    })
    await until('n2 has stored the new state', async () => dropped > 0 && (await statusOf(cluster, 2)).pairs[0]?.pairEpoch === before + 1)
    expect(await pairStateOf(cluster, 1, 2)).to.equal('missing')
    await whileDown('n1', async () => undefined)
    await expectWorking()
    expect(await epochs()).to.deep.equal([before + 2, before + 2])
  })

  it('pair keeper: however often the link flaps, also in the middle of a setup, both ends agree in the end', async () => {
    const [n1, n2] = [cluster.member('n1'), cluster.member('n2')]
    await whileDown('n2', (store) => store.apply([{ del: 'pair', key: '1' }]))
    for (const round of [1, 2, 3, 4]) {
      let isThere = false
      cluster.tamper.set('n1', (_to, body) => {
        if ('session' in body && body.session.round >= round) isThere = true
        return body
      })
      await until(`a setup in round ${round}`, async () => isThere || (await pairStateOf(cluster, 1, 2)) === 'ready')
      cluster.hub.cut(n1, n2)
      cluster.hub.heal(n1, n2)
    }
    for (let i = 0; i < 20; i++) {
      cluster.hub.cut(n1, n2)
      cluster.hub.heal(n1, n2)
    }
    cluster.tamper.clear()
    await expectWorking()
    await epochs()
    expect([cluster.pool('n1').running, cluster.pool('n2').running]).to.deep.equal([0, 0])
    // So many broken setups have used up what n1 may ask of n2; a new process counts anew.
    await whileDown('n2', async () => undefined)
  })

  it('pair keeper: an accepted epoch below the offered one is refused, and the next try goes well', async () => {
    let lies = 0
    cluster.tamper.set('n2', (_to, body) => {
      if (!('response' in body) || !('pairAccept' in body.response.body) || lies++ > 0) return body
      return { response: { ...body.response, body: { pairAccept: { pairEpoch: 0, agreed: false } } } }
    })
    await whileDown('n1', (store) => store.apply([{ del: 'pair', key: '2' }]))
    await expectWorking()
    expect(lies).to.be.greaterThan(1)
  })

  it('pair keeper: "agreed" from a peer that was not asked about a state is refused', async () => {
    let lies = 0
    cluster.tamper.set('n2', (_to, body) => {
      if (!('response' in body) || !('pairAccept' in body.response.body) || lies++ > 0) return body
      return { response: { ...body.response, body: { pairAccept: { pairEpoch: 99, agreed: true } } } }
    })
    await whileDown('n1', (store) => store.apply([{ del: 'pair', key: '2' }]))
    await expectWorking()
    expect(lies).to.be.greaterThan(1)
  })

  it('pair keeper: both ends offering at once settle on one setup', async () => {
    await cluster.kill('n2')
    const answers: Response['body'][] = []
    const rival = await offering(cluster, answers)
    const offer = (id: number) => {
      const pairOffer = { pairEpoch: 50, nonce: tagged('rival'), current: new Uint8Array(0), renewal: new Uint8Array(0) }
      rival.send(cluster.member('n1'), encode(Frame, { body: { request: { id, traceparent: '', body: { pairOffer } } } }))
    }
    // n1 has offered at the link-up and waits for an answer: as the lower index its offer stands.
    offer(1)
    await until('an answer', () => answers.length === 1)
    expect(answers[0]).to.have.nested.property('failure.code', 'PAIR_BUSY')
    await rival.stop()
    await cluster.start(['n2'])
    await expectWorking()
  })

  it('pair keeper: a peer cannot have us run setups without end, nor more than one at a time, nor name an absurd epoch', async () => {
    await cluster.kill('n1')
    const answers: Response['body'][] = []
    const rival = await offering(cluster, answers, 'n1')
    const ask = async (pairEpoch: number, i: number): Promise<string> => {
      const count = answers.length
      const pairOffer = { pairEpoch, nonce: tagged('flood', Uint8Array.of(i)), current: new Uint8Array(0), renewal: new Uint8Array(0) }
      rival.send(cluster.member('n2'), encode(Frame, { body: { request: { id: i, traceparent: '', body: { pairOffer } } } }))
      await until('an answer', () => answers.length > count)
      const body = answers.at(-1) as Response['body']
      // One that was stopped counts until its worker has let go of it.
      await until('at most one runs', () => cluster.pool('n2').running < 2)
      return 'failure' in body ? body.failure.code : (Object.keys(body)[0] as string)
    }
    expect(await ask(0xffffffff, 1)).to.equal('BAD_EPOCH')
    const codes: string[] = []
    for (let i = 2; i < SETUPS_MAX + 6; i++) codes.push(await ask(60 + i, i))
    expect(codes.filter((c) => c === 'pairAccept').length).to.be.within(1, SETUPS_MAX + 1)
    expect(codes.at(-1)).to.equal('PAIR_BUSY')
    await rival.stop()
    await until('the last setup has ended', () => cluster.pool('n2').running === 0)
  })
})

/** A link in the place of a node that makes offers and hears the answers. */
async function offering(cluster: TestCluster, answers: Response['body'][], name = 'n2') {
  const link = await cluster.impostor(name, (bytes) => {
    const { body } = decode(Frame, bytes)
    if ('response' in body) answers.push(body.response.body)
  })
  await until('the link', () => link.links().some((l) => l.up && l.member.kind === 'node'))
  return link
}
