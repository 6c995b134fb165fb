import { toHex } from '@conclave/core'
import { expect } from 'chai'
import type { KeyBody, OperationBody } from './key-schemas.ts'
import { LOOK_MS, SETTLE_MS } from './renewal-driver.ts'
import type { FakeKey } from './testing/fake-node.ts'
import { eventually, Harness } from './testing/harness.ts'

const operation = async (h: Harness, id: string) => (await h.get<OperationBody>(`/v1/operations/${id}`)).body
const nonces = (h: Harness) => new Set(h.cluster.world.renewals.map(({ renew }) => toHex(renew.nonce))).size
const asked = (h: Harness) => [...new Set(h.cluster.world.renewals.map(({ renew }) => renew.epoch))]

async function succeeded(h: Harness, id: string): Promise<void> {
  await h.passing(LOOK_MS, async () => (await operation(h, id)).endedAt !== null)
  expect(await operation(h, id)).include({ state: 'succeeded', error: null })
  const { epoch } = (await h.get<KeyBody>('/v1/keys/main')).body
  expect(h.cluster.nodes.map((n) => n.keys.get('main')?.epoch)).deep.equal([epoch, epoch, epoch, epoch, epoch])
  expect((await h.ended(await h.request())).state).equal('signed')
}

/** Nobody hears what is asked, as if every session had died. */
function deafen(h: Harness, isDeaf: boolean): void {
  for (const node of h.cluster.nodes) {
    node.intercept = async (request, honest) => (isDeaf && 'renewKey' in request ? undefined : await honest())
  }
}

for (const action of ['refresh', 'reshare'] as const) {
  describe(`coordinator killed during a ${action}`, () => {
    it('before anything was sent', async () => {
      await using h = await Harness.start()
      h.cluster.node(1).kill()
      const id = await h.renew(action)
      await h.crashAndRestart()
      await h.cluster.node(1).start()
      await succeeded(h, id)
      expect(nonces(h)).equal(1)
    })

    it('while the nodes finish it: found by their reports, and not made twice', async () => {
      await using h = await Harness.start()
      const id = await h.renew(action)
      await eventually(() => h.cluster.nodes.every((n) => n.keys.get('main')?.epoch === 1))
      await h.crashAndRestart()
      await succeeded(h, id)
      expect(asked(h)).deep.equal([1])
      expect(nonces(h)).equal(1)
    })

    it('while some nodes have it and the others will hear of it: waited for, and not made twice', async () => {
      await using h = await Harness.start()
      for (const i of [2, 5]) h.cluster.node(i).holdsBack = true
      const id = await h.renew(action)
      await eventually(() => [2, 5].every((i) => h.cluster.node(i).status().keys[0]?.prepared === 1))
      await h.crashAndRestart()
      await eventually(() => h.clock.hasTimer(LOOK_MS))
      for (const i of [2, 5]) h.cluster.node(i).promote('main')
      await succeeded(h, id)
      expect(nonces(h)).equal(1)
    })

    it('and what was sent died with it: made again, with a fresh nonce and a higher epoch, after a while', async () => {
      await using h = await Harness.start()
      deafen(h, true)
      const id = await h.renew(action)
      await eventually(() => h.cluster.world.renewals.length === 5)
      deafen(h, false)
      await h.crashAndRestart()
      const restartedAtMs = h.clock.nowMs()
      await h.passing(LOOK_MS, () => nonces(h) === 2)
      expect(h.clock.nowMs() - restartedAtMs).at.least(SETTLE_MS)
      await succeeded(h, id)
      expect(asked(h)).deep.equal([1, 2])
    })

    it('again and again', async () => {
      await using h = await Harness.start()
      deafen(h, true)
      const id = await h.renew(action)
      for (let n = 1; n <= 3; n++) {
        await h.passing(LOOK_MS, () => nonces(h) === n)
        if (n === 3) deafen(h, false)
        await h.crashAndRestart()
      }
      await succeeded(h, id)
      expect(asked(h)).deep.equal([1, 2, 3, 4])
    })

    it('after it was done: nothing is done again', async () => {
      await using h = await Harness.start()
      const id = await h.renew(action)
      await succeeded(h, id)
      const before = await operation(h, id)
      await h.crashAndRestart()
      expect(await operation(h, id)).deep.equal(before)
      expect(nonces(h)).equal(1)
    })
  })
}

describe('a renewal and a second coordinator run', () => {
  it('a key is busy with an operation of the run before', async () => {
    await using h = await Harness.start()
    deafen(h, true)
    await h.renew('refresh')
    await eventually(() => h.cluster.world.renewals.length === 5)
    await h.crashAndRestart()
    expect((await h.post('/v1/keys/main:reshare', undefined)).body.code).equal('KEY_BUSY')
  })

  it('nodes that report another public key at the new epoch have not renewed this key', async () => {
    await using h = await Harness.start()
    const before = (await h.get<KeyBody>('/v1/keys/main')).body
    // They finish and nobody hears it.
    for (const node of h.cluster.nodes) {
      node.intercept = async (request, honest) => {
        const answer = await honest()
        return 'renewKey' in request ? undefined : answer
      }
    }
    const id = await h.renew('refresh')
    await eventually(() => h.cluster.nodes.every((n) => n.keys.get('main')?.epoch === 1))
    deafen(h, false)
    const key = h.cluster.world.keys.get('main') as FakeKey
    h.cluster.world.keys.set('main', { ...key, secret: new Uint8Array(32).fill(9) })
    await h.crashAndRestart()
    await h.passing(LOOK_MS, async () => (await operation(h, id)).endedAt !== null)
    expect((await operation(h, id)).error).include({ code: 'KEY_MISMATCH' })
    expect((await h.get<KeyBody>('/v1/keys/main')).body.publicKey).equal(before.publicKey)
  })

  it('an epoch that came true after its operation had failed is no success of the next operation', async () => {
    await using h = await Harness.start()
    h.cluster.node(4).holdsBack = true
    const first = await h.renew('refresh')
    await h.passing(LOOK_MS, async () => (await operation(h, first)).endedAt !== null)
    expect((await operation(h, first)).state).equal('failed')
    h.cluster.node(4).holdsBack = false
    h.cluster.node(4).promote('main')
    const second = await h.renew('refresh')
    await succeeded(h, second)
    expect(asked(h)).deep.equal([1, 2])
  })
})
