import { toHex } from '@conclave/core'
import { expect } from 'chai'
import { type Rig, TestCluster } from '../cluster.fixture.ts'
import { type CrashPlan, CrashPoint } from '../crash-point.fixture.ts'
import { codeIn, newKey, pairsReady, propose, requestId, sign, transfer, until } from '../requests.fixture.ts'
import { type Change, type Entry, StoreError } from '../store/store.ts'
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

  /** Proposes a request until n1 and n2 are sure of the time, and allow it. */
  const allowed = (i: number) =>
    until('both allow it', async () =>
      (await propose(cluster, i, [1, 2], transfer(BigInt(i + 1)))).every((body) => 'verdict' in body && body.verdict.allowed),
    )

  for (const [i, plan] of PLANS.entries()) {
    const { deed, at, after } = plan
    it(`crash between deciding and signing: at ${deed} ${at}, ${after ? 'after' : 'before'} it, no message goes out for a spend that is not on the disk`, async () => {
      const point = new CrashPoint()
      await cluster.kill('n2')
      await cluster.start(['n2'], { policy, rig: point.rig })
      await pairsReady(cluster)
      await allowed(i)
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

  it('crash between deciding and signing: who cannot write a spend down does not sign', async () => {
    const rig: Rig = (parts) => ({
      ...parts,
      store: new Proxy(parts.store, {
        get: (target, name) => {
          if (name === 'apply')
            return (changes: readonly Change[]) =>
              changes.some((c) => 'put' in c && c.put === 'spend')
                ? Promise.reject(new StoreError('STORE_IO', 'full'))
                : target.apply(changes)
          const member: unknown = Reflect.get(target, name, target)
          return typeof member === 'function' ? member.bind(target) : member
        },
      }),
    })
    await cluster.kill('n2')
    await cluster.start(['n2'], { policy, rig })
    await pairsReady(cluster)
    const i = PLANS.length
    await allowed(i)
    sent = 0
    expect((await sign(cluster, i, [1, 2])).map(codeIn)).to.deep.equal(['PEER_STOPPED', 'STORE_IO'])
    expect(sent, 'messages').to.equal(0)
    expect(await cluster.store('n2').list('spend')).to.satisfy((all: readonly Entry[]) =>
      all.every(({ key }) => key !== toHex(requestId(i))),
    )
  })
})
