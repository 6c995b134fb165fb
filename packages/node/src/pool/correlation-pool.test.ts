import { tagged } from '@conclave/core'
import { expect } from 'chai'
import { TestCluster } from '../cluster.fixture.ts'
import { expectSignature, newKey, pairStateOf, pairsReady, signedIn, signTransfer, statusOf, until } from '../requests.fixture.ts'
import { correlateOtLie, correlateVoleLie, offerLie } from './pool-lies.fixture.ts'

const MARKS = { low: 2, high: 3 }
/** What a party sends to one peer in a signature: without the pool an OT and a VOLE message. */
const POOLED_BYTES_MAX = 4_000
const FULL_BYTES_MIN = 80_000

describe('correlation pool of a node', () => {
  let cluster: TestCluster
  let publicKey: Uint8Array
  let requests = 0

  before(async () => {
    cluster = await TestCluster.create(3, 2)
    await cluster.start(cluster.names(), { waterMarks: MARKS })
    publicKey = await newKey(cluster)
    await pairsReady(cluster)
  })
  afterEach(() => cluster.tamper.clear())
  after(() => cluster.close())

  const stockOf = async (self: number, peer: number): Promise<number> =>
    (await statusOf(cluster, self)).pairs.find((p) => p.peer === peer)?.stock ?? -1
  const full = (parties: readonly number[] = cluster.parties()) =>
    until(`stocks of ${parties.join()} full`, async () => {
      const all = await Promise.all(parties.map((j) => statusOf(cluster, j)))
      return all.every((s) => s.pairs.every((p) => !parties.includes(p.peer) || p.stock === MARKS.high))
    })
  const bytesOf = async (signers: readonly number[]): Promise<readonly number[]> => {
    const answers = await signTransfer(cluster, ++requests, signers)
    expectSignature(answers, publicKey)
    return answers.map((a) => signedIn(a).bytesSent)
  }

  it('correlation pool: it fills by itself, and a signature from it is small', async () => {
    await full()
    const sent = await bytesOf([1, 2])
    for (const bytes of sent) expect(bytes).to.be.below(POOLED_BYTES_MAX)
    const status = await statusOf(cluster, 1)
    expect(status.pool).to.include({ used: 1, missed: 0, mismatched: 0, dropped: 0, failed: 0 })
    expect(status.pool.made).to.be.at.least(2 * MARKS.high)
  })

  it('correlation pool: a burst empties it, signing goes on by the full protocol, and it fills again', async () => {
    await full()
    const burst = await Promise.all(Array.from({ length: 8 }, () => bytesOf([2, 3])))
    const pooled = burst.filter((sent) => sent.every((bytes) => bytes < POOLED_BYTES_MAX)).length
    const whole = burst.filter((sent) => sent.every((bytes) => bytes > FULL_BYTES_MIN)).length
    expect([pooled, whole]).to.deep.equal([MARKS.high, 8 - MARKS.high])
    await full()
    const [two, three] = [await statusOf(cluster, 2), await statusOf(cluster, 3)]
    for (const status of [two, three]) expect(status.pool).to.include({ missed: 5, mismatched: 0, dropped: 0 })
    expect([await stockOf(2, 3), await stockOf(3, 2)]).to.deep.equal([3, 3])
  })
  it('correlation reuse: an offer of entries that were never made, or of one that was used, costs that entry and nothing else', async () => {
    await full()
    const used: Uint8Array[] = []
    cluster.tamper.set(
      'n1',
      offerLie('n3', (offered) => {
        used.push(...offered)
        return offered
      }),
    )
    for (const bytes of await bytesOf([1, 3])) expect(bytes).to.be.below(POOLED_BYTES_MAX)
    expect(used).to.have.length(1)
    for (const names of [[tagged('never made')], used]) {
      await full()
      cluster.tamper.set(
        'n1',
        offerLie('n3', () => names),
      )
      for (const bytes of await bytesOf([1, 3])) expect(bytes).to.be.above(FULL_BYTES_MIN)
    }
    cluster.tamper.clear()
    // What the lower end offered and the higher one never heard of is wiped there with the next refill.
    await full()
    expect((await statusOf(cluster, 3)).pool).to.include({ mismatched: 2, dropped: 2 })
    expect(await pairStateOf(cluster, 3, 1)).to.equal('ready')
    for (const bytes of await bytesOf([1, 3])) expect(bytes).to.be.below(POOLED_BYTES_MAX)
  })

  it('correlation pool: a link that goes down takes its stock with it, at both ends', async () => {
    await full()
    const made = (await statusOf(cluster, 1)).pool.made
    const [n1, n2] = [cluster.member('n1'), cluster.member('n2')]
    cluster.hub.cut(n1, n2)
    await until('no stock', async () => (await stockOf(1, 2)) === 0 && (await stockOf(2, 1)) === 0)
    expect([await stockOf(1, 3), await stockOf(2, 3)]).to.deep.equal([MARKS.high, MARKS.high])
    cluster.hub.heal(n1, n2)
    await full()
    expect((await statusOf(cluster, 1)).pool.made).to.equal(made + MARKS.high)
  })

  it('correlation pool: a restarted node has none, its peers have none with it, and the next signatures work', async () => {
    await full()
    await cluster.kill('n3')
    await until('no stock with it', async () => (await stockOf(1, 3)) === 0 && (await stockOf(2, 3)) === 0)
    await cluster.start(['n3'], { waterMarks: MARKS })
    await pairsReady(cluster)
    await bytesOf([1, 3])
    await bytesOf([2, 3])
    await full()
    for (const bytes of await bytesOf([2, 3])) expect(bytes).to.be.below(POOLED_BYTES_MAX)
  })

  it('correlation pool: a pair that is set up anew begins with an empty stock', async () => {
    await full()
    const before = (await statusOf(cluster, 1)).pool
    const [n1, n2] = [cluster.node('n1'), cluster.node('n2')]
    await Promise.all([n1.renewPairs([2], tagged('renewal'), 20_000), n2.renewPairs([1], tagged('renewal'), 20_000)])
    expect((await statusOf(cluster, 1)).pool.dropped).to.equal(before.dropped + MARKS.high)
    await full()
    for (const bytes of await bytesOf([1, 2])) expect(bytes).to.be.below(POOLED_BYTES_MAX)
  })

  for (const { liar, victim, lie, code } of [
    { liar: 1, victim: 2, lie: correlateOtLie, code: 'OT_CHECK' },
    { liar: 3, victim: 1, lie: correlateVoleLie, code: 'VOLE_CHECK' },
  ]) {
    it(`correlation pool: a refill that fails by ${code} burns the pair as a signature does, and its stock is wiped`, async () => {
      await full([liar, victim])
      cluster.tamper.set(`n${liar}`, lie(`n${victim}`))
      const { failed } = (await statusOf(cluster, victim)).pool
      // One entry less, so that a refill begins.
      await bytesOf([liar, victim].sort())
      await until('the pair is burned', async () => (await pairStateOf(cluster, victim, liar)) === 'burned')
      const status = await statusOf(cluster, victim)
      expect(status.pairs.find((p) => p.peer === liar)).to.include({ code, stock: 0 })
      // The ban holds at once; the disk follows.
      await until('its state is destroyed', async () => (await cluster.store(`n${victim}`).get('pair', String(liar))) === undefined)
      cluster.tamper.clear()
      // More than one: what the liar's end of the test before has counted may come late.
      await until('the refill has failed', async () => (await statusOf(cluster, victim)).pool.failed > failed)
    })
  }

  it('correlation pool: a pair that is left goes on', async () => {
    await full([2, 3])
    for (const bytes of await bytesOf([2, 3])) expect(bytes).to.be.below(POOLED_BYTES_MAX)
  })
})
