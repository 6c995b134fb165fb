import { toHex } from '@conclave/core'
import { expect } from 'chai'
import { TestCluster } from '../cluster.fixture.ts'
import { type CrashPlan, CrashPoint } from '../crash-point.fixture.ts'
import { type Body, newKey, pairsReady, propose, requestId, sign, transfer, until, verdictIn } from '../requests.fixture.ts'
import { limitedTo } from './limits.fixture.ts'

const WRITES = [1, 2]
const PLANS: readonly CrashPlan[] = [
  ...WRITES.flatMap((at) => [false, true].map((after) => ({ deed: 'apply', at, after }) as const)),
  ...[false, true].map((after) => ({ deed: 'send', at: 1, after }) as const),
]

describe('crash between deciding and signing', () => {
  const policy = limitedTo(`{window: 1d, countMax: 1000}`)
  let cluster: TestCluster
  /** Messages of sessions that n2 has sent since the last look. */
  let sent = 0

  before(async () => {
    cluster = await TestCluster.create(3, 2)
    cluster.tamper.set('n2', (_to, body) => {
      if ('session' in body) sent++
      return body
    })
    await cluster.start(cluster.names(), { policy })
    await newKey(cluster)
  })
  after(() => cluster.close())

  for (const [i, plan] of PLANS.entries()) {
    const { deed, at, after } = plan
    it(`crash between deciding and signing: at ${deed} ${at}, ${after ? 'after' : 'before'} it, no message goes out for a spend that is not on the disk`, async () => {
      const point = new CrashPoint()
      await cluster.kill('n2')
      await cluster.start(['n2'], { policy, rig: point.rig })
      await pairsReady(cluster)
      const allowed = async () => verdictIn((await propose(cluster, i, [2], transfer(BigInt(i + 1))))[0] as Body).allowed
      await until('n2 is sure of the time', allowed)
      await propose(cluster, i, [1], transfer(BigInt(i + 1)))
      await until(
        'n1 is sure of the time',
        async () => verdictIn((await propose(cluster, i, [1], transfer(BigInt(i + 1))))[0] as Body).allowed,
      )
      sent = 0
      point.arm(plan)
      void sign(cluster, i, [1, 2])
      await point.crashed
      await cluster.kill('n2')
      const store = await cluster.openStore('n2')
      const spent = (await store.list('spend')).map(({ key }) => key)
      await store.close()
      const isCounted = spent.includes(toHex(requestId(i)))
      if (deed === 'send') expect([isCounted, sent > 0]).to.deep.equal([true, after])
      else expect(sent, 'messages').to.equal(0)
      if (deed === 'apply' && at === 2 && after) expect(isCounted).to.equal(true)
    })
  }
})
