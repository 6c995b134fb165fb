import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tagged, toHex, u32, utf8 } from '@conclave/core'
import { encode, StoredSingleRequest, StoredUnboundRequest } from '@conclave/wire'
import { expect } from 'chai'
import { refusal } from '../refusal.fixture.ts'
import { UNBOUND_TERMS } from '../request-terms.ts'
import { TERMS } from '../requests.fixture.ts'
import { LevelStore } from './level-store.ts'
import { RECENT_MAX, RequestStore } from './request-store.ts'
import { type Store, StoreError } from './store.ts'

const ID = tagged('request')
const item = (payload: string, path: readonly number[] = [0]) => ({ payload: utf8(payload), path })
const batch = (...items: readonly ReturnType<typeof item>[]) => ({ requestId: ID, keyId: 'k', payloadType: 'evm.tx', items, terms: TERMS })
const proposal = (payload = 'a', path: readonly number[] = [0]) => batch(item(payload, path))

describe('request store', () => {
  let dir: string
  let store: Store
  let requests: RequestStore

  const reopen = async (): Promise<void> => {
    await store?.close()
    store = await LevelStore.open(join(dir, 'db'), tagged('mac'))
    requests = new RequestStore(store)
  }
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'conclave-requests-'))
    await LevelStore.create(join(dir, 'db'))
    await reopen()
  })
  afterEach(async () => {
    await store.close()
    await rm(dir, { recursive: true, force: true })
  })

  it('request store: an id stands for one payload, path, key and type for ever', async () => {
    await requests.remember(proposal())
    await requests.remember(proposal())
    await reopen()
    const paths = [[], [1], [0, 0]].map((path) => proposal('a', path))
    for (const other of [...paths, proposal('b'), { ...proposal(), keyId: 'l' }, { ...proposal(), payloadType: 'other' }]) {
      expect(await refusal(() => requests.remember(other))).to.equal('REQUEST_CONFLICT')
    }
    expect(await requests.get(ID)).to.deep.equal({ ...proposal(), attempts: 0 })
  })

  it('request store: an id stands for its items in their number and order', async () => {
    const three = batch(item('a', []), item('b', [1]), item('a', [2]))
    await requests.remember(three)
    await requests.remember(three)
    await reopen()
    const [a, b, c] = three.items as [ReturnType<typeof item>, ReturnType<typeof item>, ReturnType<typeof item>]
    const others = [
      [a],
      [a, b],
      [a, b, c, c],
      [b, a, c],
      [c, b, a],
      [a, b, item('a', [])],
      [a, b, item('c', [2])],
      [item('a', [1]), item('b', []), c],
    ]
    for (const items of others) expect(await refusal(() => requests.remember(batch(...items)))).to.equal('REQUEST_CONFLICT')
    expect(await requests.get(ID)).to.deep.equal({ ...three, attempts: 0 })
    await requests.spend(ID, 0)
    expect(await requests.get(ID)).to.deep.equal({ ...three, attempts: 1 })
  })

  it('request store: what was stored without terms is known, with the attempts that it had spent, and is over', async () => {
    const { items, ...rest } = { ...proposal(), terms: UNBOUND_TERMS }
    const single = encode(StoredSingleRequest, { ...rest, ...item('a'), attempts: 3 })
    const unbound = encode(StoredUnboundRequest, { ...rest, items, attempts: 3 })
    for (const value of [single, unbound]) {
      await store.apply([{ put: 'request', key: toHex(ID), value }])
      await reopen()
      expect(await requests.get(ID)).to.deep.equal({ ...rest, items, attempts: 3 })
      for (const other of [proposal('a'), proposal('b')]) expect(await refusal(() => requests.remember(other))).to.equal('REQUEST_CONFLICT')
      expect(await refusal(() => requests.spend(ID, 2))).to.equal('ATTEMPT_SPENT')
      await requests.spend(ID, 3)
      await reopen()
      expect(await requests.get(ID)).to.deep.equal({ ...rest, items, attempts: 4 })
    }
  })

  it('request store: a nonce of a requester stands for one signed request for ever', async () => {
    const signed = (id: string, requester = 'exchange') => ({
      ...proposal(),
      ...{ requestId: tagged(id), terms: { ...TERMS, requester, signature: new Uint8Array(64) } },
    })
    const both = await Promise.allSettled([requests.remember(signed('a')), requests.remember(signed('b'))])
    expect(both.map((r) => r.status).sort()).to.deep.equal(['fulfilled', 'rejected'])
    const [first, second] = both[0]?.status === 'fulfilled' ? (['a', 'b'] as const) : (['b', 'a'] as const)
    for (let i = 0; i < 2; i++) {
      expect(await refusal(() => requests.remember(signed(second)))).to.equal('NONCE_REUSED')
      await requests.remember(signed(first))
      await reopen()
    }
    // Of another requester, and of nobody, it is another one.
    await requests.remember(signed('c', 'other'))
    await requests.remember({ ...proposal(), requestId: tagged('d') })
  })

  it('request store: of two payloads proposed at once under one id, one is refused', async () => {
    const outcomes = await Promise.allSettled([requests.remember(proposal('a')), requests.remember(proposal('b'))])
    expect(outcomes.map((o) => o.status)).to.deep.equal(['fulfilled', 'rejected'])
    expect((await requests.get(ID))?.items).to.deep.equal([item('a')])
  })

  it('request store: a spent attempt stays spent, also after a restart', async () => {
    await requests.remember(proposal())
    await requests.spend(ID, 0)
    await requests.spend(ID, 4)
    await reopen()
    for (const spent of [0, 1, 4]) expect(await refusal(() => requests.spend(ID, spent))).to.equal('ATTEMPT_SPENT')
    await requests.spend(ID, 5)
    expect(await refusal(() => requests.spend(tagged('unknown'), 0))).to.equal('UNKNOWN_REQUEST')
  })

  it('request store: one attempt is spent once, however many ask at the same time', async () => {
    await requests.remember(proposal())
    const outcomes = await Promise.allSettled([1, 2, 3].map(() => requests.spend(ID, 0)))
    expect(outcomes.filter((o) => o.status === 'fulfilled')).to.have.length(1)
  })

  it('request store: a proposal that comes again at the same time gives no attempt back', async () => {
    await Promise.all([requests.remember(proposal()), requests.remember(proposal()), requests.spend(ID, 0).catch(() => undefined)])
    await requests.spend(ID, 1)
    const late = requests.remember(proposal())
    const spent = requests.spend(ID, 2)
    await Promise.all([late, spent])
    expect((await requests.get(ID))?.attempts).to.equal(3)
  })

  it('request store: a proposal and the attempt right behind it wait for the disk together', async () => {
    const batches: number[] = []
    const { apply } = store
    store.apply = (changes) => {
      batches.push(changes.length)
      return apply.call(store, changes)
    }
    const remembered = requests.remember(proposal())
    expect((await requests.get(ID))?.attempts).to.equal(0)
    const spent = requests.spend(ID, 0)
    await requests.get(ID)
    // Both have been handed to the store, and neither has come back from the disk.
    expect(batches).to.deep.equal([1, 1])
    await Promise.all([remembered, spent])
    await reopen()
    expect((await requests.get(ID))?.attempts).to.equal(1)
  })

  it('request store: what the disk did not take is as if it had not been asked', async () => {
    await requests.remember(proposal())
    const { apply } = store
    let isFull = true
    store.apply = (changes) =>
      isFull ? Promise.reject(new StoreError('STORE_IO', 'full', { retriable: true })) : apply.call(store, changes)
    expect(await refusal(() => requests.spend(ID, 0))).to.equal('STORE_IO')
    expect(await refusal(() => requests.remember({ ...proposal(), requestId: tagged('other') }))).to.equal('STORE_IO')
    isFull = false
    expect(await requests.get(tagged('other'))).to.equal(undefined)
    await requests.spend(ID, 0)
    await reopen()
    expect(await refusal(() => requests.spend(ID, 0))).to.equal('ATTEMPT_SPENT')
  })

  it('request store: memory is bounded, and what was forgotten is read from the disk', async () => {
    const idOf = (i: number) => tagged('request', u32(i))
    for (let i = 0; i < RECENT_MAX + 10; i++) await requests.remember({ ...proposal(), requestId: idOf(i) })
    const names: string[] = []
    const { get } = store
    store.get = (section, key) => {
      names.push(key)
      return get.call(store, section, key)
    }
    expect((await requests.get(idOf(0)))?.attempts).to.equal(0)
    expect((await requests.get(idOf(RECENT_MAX)))?.attempts).to.equal(0)
    expect(names).to.deep.equal([toHex(idOf(0))])
  })

  it('request store: an attempt number with no number after it is refused', async () => {
    await requests.remember(proposal())
    expect(await refusal(() => requests.spend(ID, 0xffffffff))).to.equal('BAD_ATTEMPT')
    await requests.spend(ID, 0xfffffffe)
    expect(await refusal(() => requests.spend(ID, 0xfffffffe))).to.equal('ATTEMPT_SPENT')
  })
})
