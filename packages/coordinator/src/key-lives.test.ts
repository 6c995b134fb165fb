import { tagged, toHex, utf8 } from '@conclave/core'
import { type Erasure, signErasure } from '@conclave/core/erasure'
import { softIdentity } from '@conclave/transport'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { expect } from 'chai'
import { STATUS_INTERVAL_MS } from './cluster-view.ts'
import type { KeyBody } from './key-schemas.ts'
import { eventually, Harness } from './testing/harness.ts'

describe('lives of keys', () => {
  let h: Harness
  beforeEach(async () => {
    h = await Harness.start()
  })
  afterEach(() => h[Symbol.asyncDispose]())

  const key = async () => (await h.get<KeyBody>('/v1/keys/main')).body
  const publicKey = () => toHex(secp256k1.getPublicKey(h.cluster.world.keys.get('main')?.secret as Uint8Array))

  async function erasureOf(index: number, change: Partial<Erasure> = {}, signer?: string): Promise<Erasure> {
    const { name } = h.cluster.node(index).member
    const facts = { clusterId: h.cluster.lock.clusterId, node: name, keyId: 'main', publicKey: publicKey(), epochs: [0] }
    const kek = { destroyed: 1, hsms: ['primary'], without: [] }
    const identity = softIdentity(tagged('fake-identity', utf8(signer ?? name)))
    return signErasure({ ...facts, kek, at: '2026-11-21T15:00:00.000Z', ...change }, identity)
  }

  /** The nodes' next reports, read. */
  async function heard(claim: (body: KeyBody) => boolean): Promise<KeyBody> {
    h.clock.advance(STATUS_INTERVAL_MS)
    await eventually(async () => claim(await key()))
    return key()
  }

  async function erase(index: number, erasure: Erasure): Promise<void> {
    const node = h.cluster.node(index)
    node.erasures = [utf8('{}'), utf8(JSON.stringify(erasure))]
    node.keys.delete('main')
  }

  it('key: nothing is said while every node has it active', async () => {
    expect(await key()).deep.include({ phases: [], erasure: null })
  })

  it('key: a phase other than active is shown by node, and quorums go without that node', async () => {
    for (const index of [2, 4]) h.cluster.node(index).phases.set('main', 'suspended')
    const { phases } = await heard((body) => body.phases.length === 2)
    expect(phases).deep.equal([
      { node: 2, phase: 'suspended' },
      { node: 4, phase: 'suspended' },
    ])
    const request = await h.ended(await h.request())
    expect(request.attempts.map((a) => a.signers)).deep.equal([[1, 3, 5]])
  })

  it('key: signed erasures are counted, and from the moment that too few shares can exist the key says so', async () => {
    for (const index of [1, 5]) await erase(index, await erasureOf(index))
    const some = await heard((body) => body.erasure?.erasedBy.length === 2)
    expect(some.erasure).deep.equal({ erasedBy: [1, 5], sharesLeftMax: 3, belowThreshold: false })
    expect(some.phases).deep.equal([
      { node: 1, phase: 'destroyed' },
      { node: 5, phase: 'destroyed' },
    ])
    await erase(2, await erasureOf(2))
    const many = await heard((body) => body.erasure?.erasedBy.length === 3)
    expect(many.erasure).deep.equal({ erasedBy: [1, 2, 5], sharesLeftMax: 2, belowThreshold: true })
  })

  it('key: what another identity signed, what is of another key, node or cluster, and what left an HSM out does not count', async () => {
    await erase(1, await erasureOf(1, {}, 'oslo'))
    await erase(2, await erasureOf(2, { publicKey: `02${'11'.repeat(32)}` }))
    await erase(3, await erasureOf(1))
    await erase(4, await erasureOf(4, { clusterId: '00'.repeat(32) }))
    await erase(5, await erasureOf(5, { kek: { destroyed: 1, hsms: ['primary'], without: ['backup'] } }))
    h.clock.advance(STATUS_INTERVAL_MS)
    await eventually(async () =>
      (await h.get<{ items: { status: { keys: unknown[] } }[] }>('/v1/nodes')).body.items.every((n) => n.status.keys.length === 0),
    )
    expect(await key()).deep.include({ phases: [], erasure: null })
  })
})
