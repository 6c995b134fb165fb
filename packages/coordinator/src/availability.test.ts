import { expect } from 'chai'
import type { KeyBody } from './key-schemas.ts'
import type { NodeBody } from './node-schemas.ts'
import { eventually, Harness } from './testing/harness.ts'

type Seen = NodeBody['availability']

describe('availability', () => {
  let h: Harness

  const nodeAt = async (index: number): Promise<NodeBody> => (await h.get<NodeBody>(`/v1/nodes/${index}`)).body
  const at = async (index: number): Promise<Seen> => (await nodeAt(index)).availability
  const codes = ({ reasons }: Seen): string => [...new Set(reasons.map((r) => r.code))].join()
  const details = ({ reasons }: Seen): readonly string[] => reasons.map((r) => r.detail)
  /** Has the coordinator ask again until node `index` is seen so. */
  const seen = async (index: number, able: boolean, expected: string): Promise<Seen> => {
    h.clock.advance(5000)
    await eventually(async () => {
      const now = await at(index)
      return now.able === able && codes(now) === expected
    })
    return at(index)
  }
  const node = (index: number) => h.cluster.node(index)

  beforeEach(async () => {
    h = await Harness.start()
  })
  afterEach(() => h[Symbol.asyncDispose]())

  it('availability: with nothing wrong all are able, and the list says the same as the single nodes', async () => {
    const { items } = (await h.get<{ items: readonly NodeBody[] }>('/v1/nodes')).body
    expect(items.map((n) => n.availability)).deep.equal(Array(5).fill({ able: true, reasons: [] }))
    expect((await nodeAt(3)).availability).deep.equal(items[2]?.availability)
    expect((await nodeAt(3)).name).equal('madrid')
  })

  it('availability: a node that is not connected', async () => {
    node(2).kill()
    expect(details(await seen(2, false, 'LINK_DOWN'))).deep.equal(['not connected to this coordinator'])
    expect(await at(1)).deep.equal({ able: true, reasons: [] })
  })

  it('availability: a node that has not reported since it came back, whatever it said before', async () => {
    node(2).kill()
    await seen(2, false, 'LINK_DOWN')
    node(2).intercept = async (request, honest) => ('status' in request ? undefined : await honest())
    await node(2).start()
    await seen(2, false, 'NO_REPORT')
    expect((await nodeAt(2)).status).not.equal(null)
  })

  it('availability: a node whose HSM does not answer, and what that leaves of the others', async () => {
    node(1).hsmOk = false
    node(2).hsmOk = false
    await seen(1, false, 'HSM_DOWN')
    expect(await at(3)).deep.equal({ able: true, reasons: [] })
    node(3).hsmOk = false
    await seen(3, false, 'HSM_DOWN')
    expect(details(await seen(4, false, 'SHORT'))).deep.equal(['key main: no 3 nodes with this one among them are able'])
  })

  it('availability: a node whose audit log keeps it from signing, in words that are none of its own', async () => {
    node(2).auditCode = 'AUDIT_ROLLED_BACK'
    expect(details(await seen(2, false, 'AUDIT_LOG'))).deep.equal(['its audit log keeps it from signing (AUDIT_ROLLED_BACK)'])
    node(3).auditCode = '<b>'
    expect(details(await seen(3, false, 'AUDIT_LOG'))).deep.equal(['its audit log keeps it from signing'])
    node(2).auditCode = ''
    h.clock.advance(5000)
    await eventually(async () => (await at(2)).able)
  })

  it('availability: a node that has lost one of its HSMs is able, and says so', async () => {
    const hsm = { name: 'primary', since: Uint8Array.of(0, 0, 1, 0x9b, 0, 0, 0, 0), failures: 3, latencyUs: 1500, missed: 2, short: 1 }
    node(2).hsms = [
      { ...hsm, state: 'down', code: 'TOKEN_LOST' },
      { ...hsm, name: 'backup', state: 'up', code: '' },
    ]
    expect(details(await seen(2, true, 'HSM_DEGRADED'))).deep.equal(['HSM primary is down (TOKEN_LOST)'])
    const status = (await nodeAt(2)).status
    expect(status?.hsms[0]).deep.equal({
      ...{ name: 'primary', state: 'down', since: '2025-12-08T22:05:58.656Z', lastCode: 'TOKEN_LOST' },
      ...{ failures: 3, latencyMs: 1.5, missed: 2, short: 1 },
    })
    expect(status?.hsms[1]).include({ name: 'backup', state: 'up', lastCode: null })
  })

  it('availability: a pair burned at one end only is listed at both, by its check, and leaves them able', async () => {
    node(1).pairs.set(2, 'burned')
    expect(details(await seen(1, true, 'PAIR_BURNED'))).deep.equal(['oslo: burned (VOLE_CHECK), by zurich'])
    expect(details(await at(2))).deep.equal(['zurich: burned (VOLE_CHECK), by zurich'])
    node(2).pairs.set(1, 'burned')
    h.clock.advance(5000)
    await eventually(async () => details(await at(1))[0] === 'oslo: burned (VOLE_CHECK), by zurich and oslo')
    const pairs = (await nodeAt(1)).status?.pairs
    expect(pairs?.find((p) => p.peer === 2)).include({ state: 'burned', code: 'VOLE_CHECK' })
    expect(pairs?.find((p) => p.peer === 3)).include({ state: 'ready', code: null })
  })

  it('availability: a node whose burned pairs leave it no quorum is not able, and the others are', async () => {
    for (const peer of [2, 3, 4]) node(1).pairs.set(peer, 'burned')
    await seen(1, false, 'PAIR_BURNED,SHORT')
    expect(await at(5)).deep.equal({ able: true, reasons: [] })
    expect((await at(2)).able).equal(true)
  })

  it('availability: two partners that do not get on with each other are no quorum', async () => {
    for (const peer of [2, 3]) node(1).pairs.set(peer, 'missing')
    await seen(1, true, 'PAIR_MISSING')
    node(4).pairs.set(5, 'missing')
    expect(details(await seen(1, false, 'PAIR_MISSING,SHORT'))[0]).equal('oslo: no pair state that both report')
  })

  it('availability: ends that call different states ready have no pair', async () => {
    node(1).otherPairs.add(2)
    await seen(2, true, 'PAIR_MISSING')
    expect(codes(await at(1))).equal('PAIR_MISSING')
  })

  it('availability: a node of the key that reports no share of it; another key is enough to be able', async () => {
    node(2).keys.delete('main')
    expect(details(await seen(2, false, 'NO_SHARE'))).deep.equal(['key main: this node belongs to it and reports no share'])
    h.cluster.addKey('second')
    await seen(2, true, 'NO_SHARE')
  })

  it('availability: a node whose partners have no share of the key', async () => {
    for (const i of [2, 3, 4]) node(i).keys.delete('main')
    await seen(2, false, 'NO_SHARE')
    expect(details(await seen(1, false, 'SHORT'))).deep.equal(['key main: no 3 nodes with this one among them are able'])
  })

  it('availability: a share of an epoch that the others have left', async () => {
    for (const i of [1, 2, 3, 4]) node(i).changeShare('main', { epoch: 1 })
    expect(details(await seen(5, false, 'KEY_STALE'))).deep.equal(['key main: at epoch 0, and the key is at 1'])
    expect(await at(1)).deep.equal({ able: true, reasons: [] })
  })

  it('availability: while nodes go on to the next epoch, those of one epoch are partners', async () => {
    await using other = await Harness.prepare({}, { required: 2, of: 5 })
    const first = h
    h = other
    h.cluster.addKey('main')
    for (const i of [1, 2, 3]) node(i).changeShare('main', { epoch: 1 })
    await h.run()
    await eventually(async () => (await h.get<KeyBody>('/v1/keys/main')).body.epoch === 1)
    await seen(5, true, '')
    node(4).kill()
    expect(details(await seen(5, false, 'SHORT'))).deep.equal(['key main: no 2 nodes with this one among them are able'])
    expect(await at(1)).deep.equal({ able: true, reasons: [] })
    h = first
  })

  it('availability: a share that the node itself calls stale', async () => {
    node(4).changeShare('main', { state: 'stale' })
    const said = 'key main: this node reports that its share is not of the present epoch'
    expect(details(await seen(4, false, 'KEY_STALE'))).deep.equal([said])
    for (const i of [1, 2]) node(i).kill()
    await seen(5, false, 'SHORT')
  })

  it('availability: a share of another key or chain code is none', async () => {
    const { intercept } = node(3)
    node(3).intercept = async (_, honest) => {
      const answer = await honest()
      if (!('status' in answer)) return answer
      return { status: { ...answer.status, keys: answer.status.keys.map((k) => ({ ...k, chainCode: new Uint8Array(32) })) } }
    }
    await seen(3, false, 'NO_SHARE')
    node(3).intercept = intercept
    await seen(3, true, '')
  })

  it('availability: before there is a key, it is about making one', async () => {
    await using other = await Harness.start({}, { withKey: false })
    const first = h
    h = other
    await eventually(async () => (await at(1)).able)
    for (const i of [2, 3, 4]) node(i).kill()
    expect(details(await seen(1, false, 'SHORT'))).deep.equal(['no 3 nodes with this one are able to make a key'])
    h = first
  })

  it('availability: what a node calls the reason of its ban is not repeated as it is', async () => {
    node(1).pairs.set(2, 'burned')
    node(1).burnCode = 'see http://example.org'
    expect(details(await seen(1, true, 'PAIR_BURNED'))).deep.equal(['oslo: burned (unknown check), by zurich'])
  })
})
