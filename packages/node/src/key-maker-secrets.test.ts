import { ConclaveError, codeOf, tagged } from '@conclave/core'
import { silentLogger } from '@conclave/transport'
import type { KeyPublic, RenewKey } from '@conclave/wire'
import { expect } from 'chai'
import { KeyMaker, type KeyMakerOptions } from './key-maker.ts'
import { makeKey, SCOPE } from './store/dkg.fixture.ts'

describe('key maker, secrets', () => {
  it('key maker: a share that was opened for a session that never began is wiped', async () => {
    const made = await makeKey('k')
    const share = made.share()
    const identities = [...SCOPE.identities].map(([index, identity]) => ({ index, identity }))
    const lock = { quorum: { required: 2, of: 3 }, nodes: identities }
    const keys = {
      has: () => 'active',
      ids: () => ['k'],
      get: (): KeyPublic => made.key,
      certified: () => ({ certificate: { key: made.key } }),
      checkFree: () => undefined,
      openShare: async () => share,
    }
    const hub = {
      run: () => Promise.reject(new ConclaveError('KEY_MISSING', 'no randomness')),
      decline: () => undefined,
      stop: () => undefined,
    }
    const maker = new KeyMaker({
      ...{ self: 1, lock, keys, hub, log: silentLogger, scope: { ...SCOPE, lockOf: () => lock } },
      ...{ lives: { requireShares: () => undefined }, journal: { record: async () => undefined } },
      epochs: { tellAll: () => undefined, isStale: () => false, highestKnown: () => 0 },
      ...{ pairs: { renew: async () => undefined }, clock: { nowMs: () => 0 }, journal: { record: async () => undefined } },
    } as unknown as KeyMakerOptions)
    const parties = [1, 2, 3]
    const request: RenewKey = {
      ...{ keyId: 'k', nonce: tagged('nonce'), kind: 'refresh', fromEpoch: 0, epoch: 1, threshold: 2 },
      ...{ parties, dealers: parties },
    }
    expect(share.secret.some((b) => b !== 0)).to.equal(true)
    expect(await maker.renew(request, 'c1').then(() => 'renewed', codeOf)).to.equal('KEY_MISSING')
    expect(share.secret.every((b) => b === 0)).to.equal(true)
  })
})
