import { type ConclaveError, codeOf, tagged, utf8 } from '@conclave/core'
import { silentLogger } from '@conclave/transport'
import { expect } from 'chai'
import { KeyMaker, type KeyMakerOptions } from './key-maker.ts'

/** A maker whose pairs are never ready: whatever it begins goes on until somebody ends it. */
function waitingMaker(): KeyMaker {
  const nodes = [1, 2, 3].map((index) => ({ index }))
  return new KeyMaker({
    ...{ self: 1, lock: { quorum: { required: 2, of: 3 }, nodes }, log: silentLogger },
    keys: { has: () => undefined, ids: () => [] },
    ...{ lives: { requireShares: () => undefined }, journal: { record: async () => undefined } },
    epochs: { tellAll: () => undefined },
    pairs: { ready: () => new Promise(() => undefined) },
  } as unknown as KeyMakerOptions)
}

const request = (nonce: string, parties = [1, 2, 3]) => ({ keyId: 'k', nonce: tagged('nonce', utf8(nonce)), threshold: 2, parties })
const ended = (made: Promise<unknown>) => made.then(() => 'made', codeOf)

describe('key maker', () => {
  it('key maker: a run is begun anew by the coordinator that began it, and by no other', async () => {
    const maker = waitingMaker()
    const first = maker.create(request('a'), 'c1')
    expect(await ended(maker.create(request('b'), 'c2'))).to.equal('KEY_BUSY')
    expect(await ended(maker.create(request('a'), 'c1'))).to.equal('KEY_BUSY')
    void maker.create(request('b'), 'c1').catch((error: ConclaveError) => error)
    expect(await ended(first)).to.equal('KEY_SUPERSEDED')
  })

  it('key maker: a key is held by all nodes of the lock', async () => {
    for (const parties of [
      [1, 2],
      [2, 3],
      [1, 1, 3],
    ])
      expect(await ended(waitingMaker().create(request('a', parties), 'c1')), parties.join()).to.equal('BAD_PARTY_SET')
  })
})
