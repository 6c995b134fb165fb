import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type AuditEvent, type Clock, type ClusterLock, ConclaveError, codeOf, tagged, toHex } from '@conclave/core'
import { parseOverlay } from '@conclave/policy'
import { silentLogger } from '@conclave/transport'
import type { PolicyGossip } from '@conclave/wire'
import { expect } from 'chai'
import { POLICY } from '../members.fixture.ts'
import { refusal } from '../refusal.fixture.ts'
import { LevelStore } from '../store/level-store.ts'
import type { Store } from '../store/store.ts'
import { AUTHORS, payText, signedPolicy } from './authors.fixture.ts'
import { POLICIES_KEPT, PolicyBook } from './policy-book.ts'
import { PolicyKeeper } from './policy-keeper.ts'

const clusterId = toHex(tagged('test-cluster'))
const LOCK = { clusterId, authors: AUTHORS, nodes: [{ index: 2, name: 'n2' }] } as unknown as ClusterLock
const policyOf = (sequence: number, maxWei = 10) => signedPolicy(payText(sequence, maxWei), { clusterId })

describe('policy checks', () => {
  it('policy checks: every one of the specification has a code, and a test that expects it', () => {
    const page = readFileSync(join(import.meta.dirname, '../../../../docs/spec/policy.md'), 'utf8')
    const rows = [...page.matchAll(/^\| (\d+) \| .+ \| `([A-Z_]+)` \| `([a-z-]+\.test\.ts)`: .+ \|$/gm)]
    expect(rows.map(([, no]) => Number(no))).to.deep.equal(rows.map((_, i) => i + 1))
    expect(rows).to.have.length(10)
    const dirs = { 'signed-policy.test.ts': '../../../policy/src', 'policy-keeper.test.ts': '.' }
    for (const [, no, code = '', file = ''] of rows) {
      const test = readFileSync(join(import.meta.dirname, dirs[file as keyof typeof dirs], file), 'utf8')
      expect(test.includes(`'${code}'`), `check ${no}`).to.equal(true)
    }
  })
})

describe('policy keeper', () => {
  let dir: string
  let store: LevelStore
  let book: PolicyBook
  let keeper: PolicyKeeper
  let events: AuditEvent[]
  let timers: { readonly delayMs: number; readonly fire: () => void }[]
  let said: PolicyGossip[]
  let calls: string[]
  let isFull: boolean
  let isLogFull: boolean

  const clock: Clock = {
    nowMs: () => 1_000,
    after: (delayMs, fire) => {
      const timer = { delayMs, fire }
      timers.push(timer)
      return () => {
        timers = timers.filter((t) => t !== timer)
      }
    },
  }
  const full = () => new ConclaveError('STORE_IO', 'the disk is full', { retriable: true })
  const open = async (lock = LOCK, overlay?: ReturnType<typeof parseOverlay>) => {
    const disk: Store = {
      get: (section, key) => store.get(section, key),
      list: (section, page) => store.list(section, page),
      apply: (changes) => (isFull ? Promise.reject(full()) : store.apply(changes)),
      close: () => store.close(),
    }
    book = await PolicyBook.open({ store: disk, local: POLICY, authors: lock.authors, overlay })
    keeper = new PolicyKeeper({
      ...{ lock, book, clock, log: silentLogger },
      journal: {
        record: async (event) => {
          if (isLogFull) throw full()
          // What is recorded is not in force yet.
          events.push({ ...event, details: { ...event.details, inForce: book.newest?.sequence ?? 0 } })
        },
      },
      gossip: (_peer, word) => said.push(word),
      peersUp: () => [2],
      stale: () => calls.push('stale'),
      switched: () => calls.push(`switched ${book.present.policy.sequence}`),
    })
  }

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'conclave-policy-'))
    ;[events, timers, said, calls, isFull, isLogFull] = [[], [], [], [], false, false]
    await LevelStore.create(join(dir, 'store'))
    store = await LevelStore.open(join(dir, 'store'), tagged('key'))
    await open()
  })
  afterEach(async () => {
    keeper.close()
    await store.close()
    await rm(dir, { recursive: true })
  })

  it('policy keeper: from the turn of hearing nothing is signed under the old one; in the log first, then in force', async () => {
    const policy = policyOf(1)
    keeper.heard(2, { sequence: 1, hash: policy.policyHash, policies: [policy] })
    expect(keeper.refusal()).to.deep.include({ code: 'POLICY_STALE', retriable: true })
    expect(calls).to.deep.equal(['stale'])
    // The peers hear of it before it is in force here.
    expect(said.map((s) => [s.sequence, s.policies.length])).to.deep.equal([[0, 1]])
    expect(keeper.status().waiting).to.deep.equal({ sequence: 1, hash: toHex(policy.policyHash) })
    await keeper.submit(policy)
    expect(keeper.refusal()).to.equal(undefined)
    expect(calls).to.deep.equal(['stale', 'switched 1'])
    expect(events.map((e) => [e.kind, e.details.sequence, e.details.inForce])).to.deep.equal([['policy.adopted', 1, 0]])
    expect(said.at(-1)).to.deep.include({ sequence: 1, policies: [] })
  })

  for (const what of ['store', 'log'] as const)
    it(`policy keeper: while the ${what} does not take it nothing is signed, and it is tried again`, async () => {
      await keeper.submit(policyOf(1))
      if (what === 'store') isFull = true
      else isLogFull = true
      expect(await refusal(() => keeper.submit(policyOf(2)))).to.equal('POLICY_NOT_STORED')
      expect([book.present.policy.sequence, codeOf(keeper.refusal())]).to.deep.equal([1, 'POLICY_STALE'])
      expect(timers.map((t) => t.delayMs)).to.deep.equal([1_000])
      ;[isFull, isLogFull] = [false, false]
      timers.splice(0, 1)[0]?.fire()
      await keeper.submit(policyOf(2))
      expect([book.present.policy.sequence, keeper.refusal()]).to.deep.equal([2, undefined])
    })

  it('policy keeper: a still newer one that comes meanwhile is the one that is in force', async () => {
    const both = [keeper.submit(policyOf(1)), keeper.submit(policyOf(3)), refusal(() => keeper.submit(policyOf(2)))]
    expect(await Promise.all(both)).to.deep.equal([true, true, 'POLICY_ROLLED_BACK'])
    expect(book.present.policy.sequence).to.equal(3)
    await open()
    expect([book.present.policy.sequence, book.newest?.sequence]).to.deep.equal([3, 3])
  })

  it('policy keeper: the newest few are kept, in order, and no number makes a long one sort wrong', async () => {
    const sequences = [...Array.from({ length: POLICIES_KEPT + 2 }, (_, i) => i + 9), 0xffff_ffff]
    for (const sequence of sequences) await keeper.submit(policyOf(sequence))
    expect(await store.list('policy')).to.have.length(POLICIES_KEPT)
    await open()
    expect(book.newest?.sequence).to.equal(0xffff_ffff)
    expect(await refusal(() => keeper.submit(policyOf(0xffff_fffe)))).to.equal('POLICY_ROLLED_BACK')
  })

  it('policy keeper: a fork is recorded once, with both hashes and who signed', async () => {
    await keeper.submit(policyOf(1))
    for (let i = 0; i < 3; i++) expect(await refusal(() => keeper.submit(policyOf(1, 11)))).to.equal('POLICY_FORKED')
    const forks = events.filter((e) => e.kind === 'policy.forked')
    expect(forks).to.have.length(1)
    expect(forks[0]?.details).to.deep.include({ sequence: 1, signedBy: ['ada', 'ben'], other: toHex(policyOf(1, 11).policyHash) })
  })

  it('policy keeper: without authors the file of the node is in force, and no signed policy is taken', async () => {
    await keeper.submit(policyOf(3))
    const { authors: _, ...bare } = LOCK
    await open(bare as ClusterLock)
    expect(book.present.policy).to.equal(POLICY)
    expect(keeper.status()).to.deep.include({ from: 'file', authors: null })
    expect(await refusal(() => keeper.submit(policyOf(4)))).to.equal('NO_POLICY_AUTHORS')
    keeper.greet(2)
    expect(said.at(-1)).to.deep.include({ sequence: POLICY.sequence, policies: [] })
  })

  it('policy keeper: an overlay is in force with every policy, and shown', async () => {
    const overlay = parseOverlay(payText(1, 5), 'overlay')
    await open(LOCK, overlay)
    await keeper.submit(policyOf(1))
    expect(book.present.overlay).to.equal(overlay)
    expect(book.rules.map((r) => r.name)).to.deep.equal(['pay', 'pay'])
    expect(keeper.status().overlay?.rules).to.equal(1)
  })
})
