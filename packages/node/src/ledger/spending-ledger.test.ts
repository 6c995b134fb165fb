import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tagged, toHex, u32, utf8 } from '@conclave/core'
import { parsePolicy, type Spend } from '@conclave/policy'
import { silentLogger } from '@conclave/transport'
import { expect } from 'chai'
import fc from 'fast-check'
import { refusal } from '../refusal.fixture.ts'
import { LevelStore } from '../store/level-store.ts'
import type { Store } from '../store/store.ts'
import { KEEP_MS, PRUNE_MAX, SpendingLedger } from './spending-ledger.ts'

const HOUR = 3_600_000
const NOW = Date.parse('2026-11-21T12:00:00Z')
const limits = ['key', 'rule'].map((per) => `{window: 31d, per: ${per}, amountMaxWei: '1', countMax: 1}`)
const POLICY = parsePolicy(`{version: 1, sequence: 1, rules: [{name: pay, effect: allow, when: {
  chains: [1], destinations: [contract-creation], amountMaxWei: '1', limits: [${limits}]}}]}`)

const id = (i: number) => tagged('spend', u32(i))
const spend = (wei: bigint, change: Partial<Spend> = {}): Spend => ({
  ...{
    keyId: 'k',
    rule: 'pay',
    chainId: 1n,
    measures: new Map([
      ['wei', wei],
      ['count', 1n],
    ]),
  },
  ...change,
})

describe('spending ledger', () => {
  let dir: string
  let store: Store
  let ledger: SpendingLedger

  const reopen = async (): Promise<void> => {
    await store?.close()
    store = await LevelStore.open(join(dir, 'db'), tagged('mac'))
    ledger = await SpendingLedger.open({ store, policy: POLICY, log: silentLogger })
  }
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'conclave-ledger-'))
    await LevelStore.create(join(dir, 'db'))
    await reopen()
  })
  afterEach(async () => {
    await store.close()
    await rm(dir, { recursive: true, force: true })
  })

  const reserve = (i: number, spends: readonly Spend[], nowMs = NOW, sureMs: number | undefined = nowMs) =>
    ledger.reserve(id(i), spends, { nowMs, sureMs })
  /** What another request sees of the last day. */
  const seen = (measure = 'wei', { name = 'k', per = 'key', nowMs = NOW, by = 999, chain = 1n } = {}) =>
    ledger.history(id(by)).total({ per: per as 'key' | 'rule', name, measure, afterMs: nowMs - 24 * HOUR, isOn: (c) => c === chain })
  const onDisk = async () => (await store.list('spend')).map(({ key }) => key)

  it('spending ledger: what is reserved counts at once, before any write', () => {
    reserve(1, [spend(3n)])
    reserve(2, [spend(4n), spend(5n)])
    expect([seen(), seen('count')]).to.deep.equal([12n, 3n])
    expect([seen('wei', { per: 'rule', name: 'pay' }), seen('wei', { name: 'other' }), seen('wei', { chain: 2n })]).to.deep.equal([
      12n,
      0n,
      0n,
    ])
  })

  it('spending ledger: rules that come later count what was spent before them, and what is under way', async () => {
    await store.close()
    store = await LevelStore.open(join(dir, 'db'), tagged('mac'))
    const live = { rules: parsePolicy('{version: 1, sequence: 1, rules: []}').rules }
    ledger = await SpendingLedger.open({ store, policy: live, log: silentLogger })
    await reserve(1, [spend(3n)]).write()
    const underWay = reserve(2, [spend(4n)])
    expect(seen()).to.equal(0n)
    live.rules = POLICY.rules
    ledger.recount()
    expect(seen()).to.equal(7n)
    underWay.end()
    expect(seen()).to.equal(3n)
  })

  it('spending ledger: sums of the past are of what came before, without the request itself', () => {
    for (const [i, wei] of [1n, 2n, 4n, 8n].entries()) reserve(i, [spend(wei)], NOW - (4 - i) * HOUR)
    const past = ledger.past(POLICY.rules)
    const at = (i: number, atMs: number, windowMs = 24 * HOUR) =>
      past(id(i), atMs).total({ per: 'key', name: 'k', measure: 'wei', afterMs: atMs - windowMs, isOn: () => true })
    expect([0, 1, 2, 3].map((i) => at(i, NOW - (4 - i) * HOUR))).to.deep.equal([0n, 1n, 3n, 7n])
    // Somebody else's question, an hour wide; and one that was asked before anything was spent.
    expect([at(99, NOW - HOUR, HOUR), at(99, NOW - 9 * HOUR), at(3, NOW - 2 * HOUR)]).to.deep.equal([8n, 0n, 7n])
    expect([ledger.spentAtMs(id(1)), ledger.spentAtMs(id(99)), ledger.sinceMs]).to.deep.equal([NOW - 3 * HOUR, undefined, NOW - 4 * HOUR])
  })

  it('spending ledger: what was written is there after a crash, to the unit, and counts on', async () => {
    const big = (1n << 320n) - 1n
    const noChain = spend(7n, { chainId: undefined, rule: 'other' })
    await reserve(1, [spend(big), noChain]).write()
    await reopen()
    expect(seen()).to.equal(big)
    expect(ledger.history(id(9)).total({ per: 'rule', name: 'other', measure: 'wei', afterMs: 0, isOn: (c) => c === undefined })).to.equal(
      7n,
    )
    // Nobody knows whether a signature came of it, so it is not released.
    reserve(1, [spend(big)]).end()
    expect(seen()).to.equal(big)
  })

  it('spending ledger: a request counts once however often it is tried, at its latest attempt, and is not in its own way', async () => {
    const first = reserve(1, [spend(3n)])
    first.begin()
    first.end()
    reserve(1, [spend(3n)], NOW + 5 * HOUR).begin()
    expect([seen(), seen('count'), ledger.size]).to.deep.equal([3n, 1n, 1])
    expect(seen('wei', { nowMs: NOW + 28 * HOUR })).to.equal(3n)
    expect(seen('wei', { nowMs: NOW + 29 * HOUR })).to.equal(0n)
    expect(seen('wei', { by: 1 })).to.equal(0n)
    // Its clock may be set back meanwhile.
    await reserve(1, [spend(3n)], NOW - HOUR).write()
    expect(seen('wei', { nowMs: NOW + 28 * HOUR })).to.equal(3n)
    await reopen()
    expect([seen('wei', { nowMs: NOW + 28 * HOUR }), ledger.size]).to.deep.equal([3n, 1])
  })

  it('spending ledger: what no session began with is released, in memory and on the disk', async () => {
    const reserved = reserve(1, [spend(3n)])
    await reserved.write()
    expect(await onDisk()).to.deep.equal([toHex(id(1))])
    reserved.end()
    reserved.end()
    expect([seen(), ledger.size]).to.deep.equal([0n, 0])
    await reserve(2, [spend(4n)]).write()
    expect(await onDisk()).to.deep.equal([toHex(id(2))])
  })

  it('spending ledger: what a session began with stays, whatever becomes of the session and of other attempts', async () => {
    const [begun, late] = [reserve(1, [spend(3n)]), reserve(1, [spend(3n)])]
    await begun.write()
    begun.begin()
    begun.end()
    late.end()
    expect([seen(), await onDisk()]).to.deep.equal([3n, [toHex(id(1))]])
    const [one, other] = [reserve(2, [spend(5n)]), reserve(2, [spend(5n)])]
    one.end()
    expect(seen(), 'another attempt still holds it').to.equal(8n)
    other.end()
    expect(seen()).to.equal(3n)
  })

  it('spending ledger: old spends are cleared away, a few at a time, and only when the time is sure', async () => {
    for (let i = 0; i < PRUNE_MAX + 2; i++) {
      const old = reserve(i, [spend(1n)], NOW - KEEP_MS)
      old.begin()
      await old.write()
      old.end()
    }
    await ledger.reserve(id(100), [spend(1n)], { nowMs: NOW, sureMs: undefined }).write()
    expect(ledger.size).to.equal(PRUNE_MAX + 3)
    await reserve(101, [spend(1n)], NOW - 1, NOW - 1).write()
    expect(ledger.size, 'one millisecond too young').to.equal(PRUNE_MAX + 4)
    await reserve(102, [spend(1n)]).write()
    expect(ledger.size).to.equal(5)
    await reserve(103, [spend(1n)]).write()
    expect([ledger.size, (await onDisk()).length, seen()]).to.deep.equal([4, 4, 4n])
  })

  it('spending ledger: a spend that cannot be read stops the start', async () => {
    await store.apply([{ put: 'spend', key: toHex(id(1)), value: utf8('x') }])
    expect(await refusal(() => SpendingLedger.open({ store, policy: POLICY, log: silentLogger }))).to.equal('STORE_CORRUPT')
  })

  it('spending ledger: after any attempts and crashes, whatever began was counted and nothing is counted twice', async () => {
    const attempt = fc.record({ i: fc.nat(4), wei: fc.bigInt({ min: 1n, max: 9n }), how: fc.constantFrom('begun', 'failed', 'crash') })
    await fc.assert(
      fc.asyncProperty(fc.array(attempt, { maxLength: 12 }), async (attempts) => {
        await store.apply((await onDisk()).map((key) => ({ del: 'spend', key })))
        await reopen()
        const expected = new Map<number, bigint>()
        for (const { i, how } of attempts) {
          // A request id stands for one payload.
          const wei = BigInt(i + 1)
          const reserved = reserve(i, [spend(wei)])
          await reserved.write()
          if (how === 'begun') reserved.begin()
          if (how === 'crash') await reopen()
          else reserved.end()
          if (how !== 'failed') expected.set(i, wei)
        }
        await reopen()
        expect(seen()).to.equal([...expected.values()].reduce((a, b) => a + b, 0n))
      }),
      { numRuns: 25 },
    )
  })
})
