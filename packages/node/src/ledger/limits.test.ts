import { expect } from 'chai'
import { type Rig, TestCluster } from '../cluster.fixture.ts'
import {
  type Body,
  codeIn,
  expectSignature,
  failureIn,
  newKey,
  pairsReady,
  propose,
  sign,
  signTransfer,
  transfer,
  until,
  verdictIn,
} from '../requests.fixture.ts'
import { limitedTo } from './limits.fixture.ts'

/** Proposed to find out what nodes say, and never signed. */
const PROBE = 900_000

/** What a node says to a proposal. */
const saidIn = (body: Body) => ('failure' in body ? body.failure.code : verdictIn(body).code)

describe('limits of a cluster', () => {
  const policy = limitedTo(`{window: 1d, amountMaxWei: '100'}`)
  let cluster: TestCluster
  let publicKey: Uint8Array
  let probes = PROBE

  before(async () => {
    cluster = await TestCluster.create(5, 3)
    await cluster.start(cluster.names(), { policy })
    publicKey = await newKey(cluster)
    await pairsReady(cluster)
    await until('all are sure of the time', async () => (await codesFor(1n)).every((code) => code === 'ALLOWED'))
  })
  after(() => cluster.close())

  const codesFor = async (wei: bigint, parties: readonly number[] = [1, 2, 3, 4, 5]) =>
    (await propose(cluster, probes++, parties, transfer(wei))).map(saidIn)

  it('limits of a cluster: who has signed refuses more, by its own account, also after a restart', async () => {
    expectSignature(await signTransfer(cluster, 60, [1, 2, 3]), publicKey)
    expect(await codesFor(41n)).to.deep.equal(['SPENDING_LIMIT', 'SPENDING_LIMIT', 'SPENDING_LIMIT', 'ALLOWED', 'ALLOWED'])
    expect(await codesFor(40n)).to.deep.equal(Array(5).fill('ALLOWED'))
    await cluster.kill('n1')
    await cluster.start(['n1'], { policy })
    await pairsReady(cluster)
    await until('n1 is sure of the time', async () => (await codesFor(40n, [1]))[0] === 'ALLOWED')
    expect(await codesFor(41n, [1])).to.deep.equal(['SPENDING_LIMIT'])
  })

  it('limits of a cluster: a node that lost its ledger, or lies about it, resets nobody else', async () => {
    await cluster.kill('n1')
    const store = await cluster.openStore('n1')
    const spends = await store.list('spend')
    expect(spends).to.have.length(1)
    await store.apply(spends.map(({ key }) => ({ del: 'spend', key })))
    await store.close()
    await cluster.start(['n1'], { policy })
    await pairsReady(cluster)
    await until('n1 allows it again', async () => (await codesFor(99n, [1]))[0] === 'ALLOWED')
    const codes = (await signTransfer(cluster, 99, [1, 2, 3])).map(codeIn)
    expect(codes.slice(1)).to.deep.equal(['SPENDING_LIMIT', 'SPENDING_LIMIT'])
    expect(codes[0]).to.equal('PEER_STOPPED')
    // With each quorum that has one of those who remember.
    expect((await signTransfer(cluster, 98, [1, 2, 4])).map(codeIn)[1]).to.equal('SPENDING_LIMIT')
    expect((await signTransfer(cluster, 97, [3, 4, 5])).map(codeIn)[0]).to.equal('SPENDING_LIMIT')
  })

  it('limits of a cluster: two requests at once never get the same room', async () => {
    const both = await Promise.all([signTransfer(cluster, 39, [2, 3, 4]), signTransfer(cluster, 38, [2, 3, 4])])
    const codes = both.map((bodies) => bodies.map(codeIn))
    const signed = codes.filter((c) => c.every((code) => code === 'signed'))
    expect(signed.length, JSON.stringify(codes)).to.be.lessThan(2)
    // 60 and one of them: whatever happened, there is no room for a third.
    expect(await codesFor(38n, [2, 3])).to.deep.equal(['SPENDING_LIMIT', 'SPENDING_LIMIT'])
  })
})

describe('limits of a request', () => {
  let cluster: TestCluster
  let publicKey: Uint8Array
  const policy = limitedTo(`{window: 1d, amountMaxWei: '100', countMax: 3}`)

  before(async () => {
    cluster = await TestCluster.create(3, 2)
    await cluster.start(cluster.names(), { policy })
    publicKey = await newKey(cluster)
    await pairsReady(cluster)
    await until('all are sure of the time', async () =>
      (await propose(cluster, PROBE, [1, 2, 3], transfer(1n))).every((body) => saidIn(body) === 'ALLOWED'),
    )
  })
  after(() => cluster.close())

  const item = (wei: bigint) => ({ payload: transfer(wei), path: [] })
  const verdictOf = async (i: number, ...wei: bigint[]) => verdictIn((await propose(cluster, i, [1], wei.map(item)))[0] as Body)

  it('limits of a request: its items add up', async () => {
    expect(await verdictOf(PROBE + 1, 60n, 40n)).to.include({ code: 'ALLOWED' })
    const over = await verdictOf(PROBE + 2, 60n, 40n, 1n)
    expect(over.code).to.equal('SPENDING_LIMIT')
    expect(over.reason).to.match(
      /^item 3 of 3: closest rule "pay": it allows 100 wei in 1d for this key: 100 were spent and 1 would be added$/,
    )
    expect(await verdictOf(PROBE + 3, 1n, 1n, 1n, 1n)).to.include({ code: 'COUNT_LIMIT' })
  })

  it('limits of a request: however often it is tried, it counts once', async () => {
    for (const attempt of [0, 1, 2, 3]) expectSignature(await signTransfer(cluster, 60, [1, 2], { attempt }), publicKey)
    expect(await verdictOf(PROBE + 4, 40n, 0n)).to.include({ code: 'ALLOWED' })
    expect(await verdictOf(PROBE + 5, 41n)).to.include({ code: 'SPENDING_LIMIT' })
    expect(await verdictOf(PROBE + 6, 1n, 1n, 1n)).to.include({ code: 'COUNT_LIMIT' })
  })

  it('limits of a request: an attempt that never reached a session gives back what it took', async () => {
    cluster.device('n3').fail('TOKEN_LOST')
    await propose(cluster, 40, [2, 3], transfer(40n))
    expect((await sign(cluster, 40, [2, 3])).map(codeIn)[1]).to.equal('TOKEN_LOST')
    cluster.device('n3').heal()
    // n3 has spent nothing yet, n1 has spent 60.
    const codes = (await propose(cluster, PROBE + 7, [1, 3], transfer(100n))).map(saidIn)
    expect(codes).to.deep.equal(['SPENDING_LIMIT', 'ALLOWED'])
  })

  it('limits of a request: a node whose clock is off from the others allows nothing that depends on the time', async () => {
    await cluster.kill('n3')
    const rig: Rig = (parts) => ({
      ...parts,
      clock: { nowMs: () => parts.clock.nowMs() + 6_000, after: (delayMs, fire) => parts.clock.after(delayMs, fire) },
    })
    await cluster.start(['n3'], { policy, rig })
    await pairsReady(cluster)
    let recorded = 0
    const codes = async () => (await propose(cluster, PROBE + 10 + recorded++, [1, 3], transfer(1n))).map(saidIn)
    for (let i = 0; i < 3; i++) expect(await codes()).to.deep.equal(['ALLOWED', 'CLOCK_NOT_SURE'])
    const [, body] = await signTransfer(cluster, 5, [2, 3])
    expect(failureIn(body as Body)).to.include({ code: 'CLOCK_NOT_SURE', retriable: true })
    await cluster.kill('n3')
    await cluster.start(['n3'], { policy })
    await pairsReady(cluster)
    await until('n3 is sure again', async () => (await codes())[1] === 'ALLOWED')
  })
})
