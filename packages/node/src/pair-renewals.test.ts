import { tagged, u32 } from '@conclave/core'
import { expect } from 'chai'
import { PairRenewals, RENEWALS_MAX } from './pair-renewals.ts'
import { refusal } from './refusal.fixture.ts'

const name = (i: number): Uint8Array => tagged('renewal', u32(i))

describe('names of renewals', () => {
  it('names of renewals: made is not done, done is made, and made again stays done', () => {
    const renewals = new PairRenewals()
    renewals.made(name(1))
    expect([renewals.isMade(name(1)), renewals.isDone(name(1))]).to.deep.equal([true, false])
    renewals.done(name(1))
    renewals.made(name(1))
    renewals.done(name(2))
    expect([renewals.isDone(name(1)), renewals.isMade(name(2))]).to.deep.equal([true, true])
    renewals.forget()
    expect([renewals.isMade(name(1)), renewals.isDone(name(2))]).to.deep.equal([false, false])
  })

  it('names of renewals: the oldest wish that is not done is next, until its last waiter has gone', () => {
    const renewals = new PairRenewals()
    const ends = [1, 2, 1].map((i) => renewals.wish(name(i)))
    expect(renewals.next()).to.deep.equal(name(1))
    ends[0]?.()
    expect(renewals.next()).to.deep.equal(name(1))
    renewals.made(name(1))
    expect(renewals.next()).to.deep.equal(name(1))
    ends[2]?.()
    expect(renewals.next()).to.deep.equal(name(2))
    renewals.done(name(2))
    expect(renewals.next()).to.equal(undefined)
  })

  it('names of renewals: only so many are kept, and the youngest of them', async () => {
    const renewals = new PairRenewals()
    for (let i = 0; i < RENEWALS_MAX; i++) renewals.made(name(i))
    renewals.done(name(0))
    renewals.made(name(RENEWALS_MAX))
    expect([0, 1, 2, RENEWALS_MAX].map((i) => renewals.isMade(name(i)))).to.deep.equal([true, false, true, true])
    for (let i = 0; i < RENEWALS_MAX; i++) renewals.wish(name(i))
    renewals.wish(name(3))
    expect(await refusal(() => renewals.wish(name(RENEWALS_MAX)))).to.equal('BUSY')
  })
})
