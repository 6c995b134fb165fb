import { expect } from 'chai'
import type { AdminKey, AdminPair, AdminStatus } from '../admin.ts'
import type { AdminWarning } from '../warnings.ts'
import { known, unknown } from './finding.ts'
import { codesOf, findingsOf, skippedIn } from './results.fixture.ts'
import { checkState, type StateFacts } from './state-check.ts'

const PAIR: AdminPair = { index: 2, peer: 'oslo', isLinkUp: true, state: 'ready', pairEpoch: 1, stock: 50, ban: null }
const KEY: AdminKey = {
  keyId: 'main',
  epoch: 3,
  phase: 'active',
  state: 'active',
  threshold: 3,
  parties: [1, 2, 3],
  publicKey: '',
  kept: [],
  prepared: [],
  lastBackup: { epoch: 3, at: '2026-11-21T00:00:00.000Z' },
  restoredFrom: null,
}
const facts = (
  pairs: readonly Partial<AdminPair>[],
  keys: readonly Partial<AdminKey>[] = [],
  change: Partial<StateFacts> & { warnings?: readonly AdminWarning[] } = {},
) => {
  const { warnings = [] } = change
  const status = {
    warnings,
    pairs: pairs.map((p) => ({ ...PAIR, ...p })),
    keys: keys.map((k) => ({ ...KEY, ...k })),
  } as unknown as AdminStatus
  return known<StateFacts>({ dir: '/n', status, upMs: 3_600_000, highMark: 200, ...change })
}
const codes = (...args: Parameters<typeof facts>) => codesOf(checkState(facts(...args)))

describe('doctor: what the node holds', () => {
  it('state: ready pairs with a stock, and active keys, are no finding', () => {
    expect(codes([{}], [{}])).to.deep.equal([])
  })

  it('pairs: a banned peer, with the command', () => {
    const results = checkState(facts([{ state: 'burned', ban: { code: 'OT_CHECK', pairEpoch: 1, at: '2026-01-01T00:00:00Z' } }]))
    expect(codesOf(results)).to.deep.equal(['PAIR_BURNED'])
    expect(findingsOf(results)[0]?.message).to.include('OT_CHECK')
    expect(findingsOf(results)[0]?.fix).to.include('conclave node pair reset --dir /n --peer oslo')
  })

  it('pairs: missing with a link; without a link that is said elsewhere', () => {
    expect(codes([{ state: 'missing', stock: 0 }])).to.deep.equal(['PAIR_MISSING'])
    expect(codes([{ state: 'missing', stock: 0, isLinkUp: false }])).to.deep.equal([])
  })

  it('pool: empty after the time that filling takes, unless it is turned off', () => {
    expect(codes([{ stock: 0 }])).to.deep.equal(['POOL_EMPTY'])
    expect(codes([{ stock: 0 }], [], { upMs: 1_000 })).to.deep.equal([])
    expect(codes([{ stock: 0 }], [], { highMark: 0 })).to.deep.equal([])
  })

  it('epochs: stale, with older shares, with epochs that nobody finished', () => {
    expect(codes([], [{ state: 'stale' }])).to.deep.equal(['KEY_STALE'])
    expect(codes([], [{ kept: [2] }])).to.deep.equal(['KEY_KEEPS_OLD'])
    expect(codes([], [{ kept: [4], prepared: [2] }])).to.deep.equal([])
    expect(codes([], [{ prepared: [4] }])).to.deep.equal(['KEY_KEEPS_OLD'])
  })

  it('warnings of the running node: each is a finding', () => {
    const warned = (['REQUESTS_UNSIGNED', 'CHECKPOINTS_NOT_PQ'] as const).map((code) => ({ code, subject: 's', message: 'm', fix: 'f' }))
    expect(codes([], [], { warnings: warned })).to.deep.equal(['REQUESTS_UNSIGNED', 'CHECKPOINTS_NOT_PQ'])
  })

  it('state: of a stopped node it is skipped by name', () => {
    expect(skippedIn(checkState(unknown('stopped')))).to.deep.equal(['pairs', 'correlation pool', 'requesters and checkpoints', 'epochs'])
  })
})
