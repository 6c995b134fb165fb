import type { SigningRequest } from '@conclave/client'
import { expect } from 'chai'
import { NAMES, settled, useSharedCluster } from '../rig/cluster.ts'
import { createKey, expectSigned, payload, signWith } from '../rig/signing.ts'
import { StoreWatch } from '../rig/store-watch.ts'

const TRIES_MAX = 5

describe('kill -9 during signing', () => {
  const rig = useSharedCluster()
  const keyId = 'struck'
  let publicKey: string

  before(async () => {
    publicKey = await createKey(rig(), keyId)
  })

  /** The first node that begins to sign: it stores the proposal, and with it that it spends the attempt. */
  async function firstSigner(watches: ReadonlyMap<string, StoreWatch>): Promise<string> {
    return Promise.race([...watches].map(([name, watch]) => watch.writes(1).then(() => name)))
  }

  function watchAll(stack: DisposableStack): ReadonlyMap<string, StoreWatch> {
    return new Map(NAMES.map((name) => [name, stack.use(new StoreWatch(rig().cluster.dirOf(name)))]))
  }

  /** Asks for a signature and kills one of its signers once that has begun. */
  async function signAndKill(): Promise<{ readonly victim: string; readonly request: SigningRequest }> {
    const { cluster } = rig()
    using stack = new DisposableStack()
    const watches = watchAll(stack)
    const { requestId } = await cluster.client.requestSignature({ keyId, payload: payload() })
    const victim = await firstSigner(watches)
    await cluster.kill(victim)
    return { victim, request: await cluster.client.settled(requestId) }
  }

  it('signing: kill -9 of a signer in the middle: another quorum signs, and the client does nothing', async () => {
    const { cluster } = rig()
    for (let i = 0; i < TRIES_MAX; i++) {
      const { victim, request } = await signAndKill()
      expectSigned(request, publicKey)
      const [first, last] = [request.attempts[0], request.attempts.at(-1)]
      await cluster.startNodes([victim])
      await settled(rig())
      // The signature was there before the signal: this kill shows nothing, so another one is needed.
      if (first === last) continue
      const index = cluster.indexOf(victim)
      expect(first?.outcome).to.equal('failed')
      expect(first?.signers).to.include(index)
      expect(last).to.include({ outcome: 'signed' })
      expect(request.signers).not.to.include(index)
      expect(request.signers).to.deep.equal(last?.signers)
      await signWith(
        rig(),
        { keyId, publicKey },
        [index, (index % NAMES.length) + 1].sort((a, b) => a - b),
      )
      return
    }
    expect.fail(`${TRIES_MAX} kills all came after the signature`)
  })

  for (const [when, moment] of [
    ['right after it has accepted a request', async () => undefined],
    ['while nodes sign', firstSigner],
  ] as const) {
    it(`signing: kill -9 of the coordinator ${when}: after its restart the request is signed, once`, async () => {
      const { cluster } = rig()
      using stack = new DisposableStack()
      const watches = watchAll(stack)
      const before = await cluster.client.signingRequests({ limit: 200 })
      const order = { keyId, payload: payload(), idempotencyKey: `order-${when.replaceAll(' ', '-')}` }
      const accepted = await cluster.client.requestSignature(order)
      await moment(watches)
      await cluster.kill('coordinator')
      await cluster.startCoordinator()
      expect(await cluster.client.requestSignature(order), 'the answer of the first time').to.deep.equal(accepted)
      const request = await cluster.client.settled(accepted.requestId)
      expectSigned(request, publicKey)
      expect(request.attempts.filter((a) => a.outcome === 'signed')).to.have.length(1)
      expect(new Set(request.attempts.map((a) => a.attempt)).size).to.equal(request.attempts.length)
      await settled(rig())
      expect(await cluster.client.requestSignature(order), 'and still when it is signed').to.deep.equal(accepted)
      // What the last signers answer is recorded when they do; nothing else changes.
      const { attempts, ...rest } = await cluster.client.signingRequest(accepted.requestId)
      expect({ ...rest, attempts: request.attempts }).to.deep.equal(request)
      expect(attempts.map((a) => [a.attempt, a.outcome])).to.deep.equal(request.attempts.map((a) => [a.attempt, a.outcome]))
      const { items } = await cluster.client.signingRequests({ limit: 200 })
      expect(items).to.have.length(before.items.length + 1)
    })
  }
})
