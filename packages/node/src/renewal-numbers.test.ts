import { type ConclaveError, epochsByNow, tagged } from '@conclave/core'
import { expect } from 'chai'
import { TestCluster } from './cluster.fixture.ts'
import { checkEpoch } from './renewal-check.ts'
import { codeIn, createdIn, newKey, pairsReady, renew, renewal, statusOf, until } from './requests.fixture.ts'

describe('renewal numbers', () => {
  it('renewal: a number that one node alone was brought to prepare does not end the renewals of a key', async () => {
    const cluster = await TestCluster.create(3, 2)
    try {
      await cluster.start()
      await newKey(cluster)
      // n3 deals to n1 only, and is silent about what it has prepared. A subshare is the shortest message of a third round.
      cluster.tamper.set('n3', (to, body) => {
        const isSubshare = 'session' in body && body.session.round === 3 && body.session.body.length < 100
        return 'gossip' in body || (isSubshare && to.name === 'n2') ? undefined : body
      })
      void renew(cluster, renewal(cluster, { epoch: 1024 }))
      await until('n1 prepared', async () => (await statusOf(cluster, 1)).keys[0]?.prepared === 1024)
      for (const name of ['n2', 'n3']) await cluster.kill(name)
      cluster.tamper.set('n3', (_, body) => ('gossip' in body ? undefined : body))
      await cluster.start(['n2', 'n3'])
      await pairsReady(cluster)
      expect((await statusOf(cluster, 2)).keys[0]?.prepared).to.equal(0)
      expect(codeIn(await cluster.ask(1, { renewKey: renewal(cluster, { epoch: 1024, nonce: tagged('same') }) }))).to.equal('EPOCH_SPENT')
      const made = await renew(cluster, renewal(cluster, { epoch: 1025 }))
      expect(made.map((body) => createdIn(body).epoch)).to.deep.equal([1025, 1025, 1025])
    } finally {
      await cluster.close()
    }
  })

  it('renewal: above what time gives room for, the numbers go up in steps', () => {
    const byNow = epochsByNow(Date.UTC(2026, 0, 1))
    const isRefused = (epoch: number, known: number): boolean => {
      try {
        const lists = { parties: [1, 2], dealers: [1, 2] }
        const request = { keyId: 'k', nonce: tagged('nonce'), kind: 'refresh', fromEpoch: 0, epoch, threshold: 2, ...lists }
        checkEpoch(request, { active: 0, known, byNow, isStale: false })
        return false
      } catch (error) {
        expect((error as ConclaveError).code).to.equal('BAD_RENEWAL')
        return true
      }
    }
    expect([isRefused(byNow, 0), isRefused(byNow + 1, 0)]).to.deep.equal([false, true])
    expect([isRefused(byNow + 1024, byNow), isRefused(byNow + 1025, byNow)]).to.deep.equal([false, true])
  })

  it('renewal: the numbers that time gives last for a thousand years', () => {
    expect(epochsByNow(Date.UTC(2020, 0) - 1)).to.equal(0)
    expect(epochsByNow(Date.UTC(2020, 0, 1, 0, 0, 10))).to.equal(1)
    expect(epochsByNow(Date.UTC(3020, 0))).to.be.lessThan(0xffffffff)
  })
})
