import type { ClusterLock } from '@conclave/core'
import { expect } from 'chai'
import { type ClusterFacts, checkCluster } from './cluster-check.ts'
import { known, unknown } from './finding.ts'
import { codesOf, findingsOf, skippedIn } from './results.fixture.ts'
import { checkSettings } from './settings-check.ts'

const NODE = {
  kind: 'node',
  index: 1,
  name: 'zurich',
  peerId: 'p',
  addresses: [],
  identity: { type: 'ed25519', publicKey: new Uint8Array(32).fill(7) },
}
const AUTHORS = { required: 1, keys: [] }
const LOCK = { nodes: [NODE], authors: AUTHORS } as unknown as ClusterLock
const FACTS: ClusterFacts = {
  name: 'zurich',
  dir: '/n',
  lockFile: '/n/cluster.lock.json',
  lock: { ok: true, value: LOCK },
  unsigned: [],
  lockHash: 'ab',
  policyFile: '/n/policy.yaml',
  policy: { ok: true, value: 1 },
}
const OWN = known({ publicKey: '07'.repeat(32), from: 'hsm "primary"' })
const run = (change: Partial<ClusterFacts> = {}, own: Parameters<typeof checkCluster>[1] = OWN, hash = 'ab') =>
  codesOf(checkCluster(known({ ...FACTS, ...change }), own, known(hash)))
const bad = (code: string) => ({ ok: false as const, code, message: 'a line' })

describe('doctor: lock, policy and settings', () => {
  it('cluster: a signed lock with this node, and a policy with rules, have no finding', () => {
    expect(run()).to.deep.equal([])
    const nodes = [{ ...NODE, index: 2, name: 'oslo' }, NODE]
    expect(run({ lock: { ok: true, value: { nodes, authors: AUTHORS } as unknown as ClusterLock } })).to.deep.equal([])
  })

  it('cluster lock: missing, invalid, unsigned, of others', () => {
    expect(run({ lock: bad('LOCK_UNREADABLE') })).to.deep.equal(['LOCK_MISSING'])
    expect(run({ lock: bad('BAD_LOCK') })).to.deep.equal(['LOCK_INVALID'])
    expect(run({ unsigned: ['oslo'] })).to.deep.equal(['LOCK_UNSIGNED'])
    expect(run({ name: 'paris' })).to.deep.equal(['NOT_A_MEMBER'])
  })

  it('identity: another one than that of the lock; skipped when no HSM shows it', () => {
    expect(run({}, known({ publicKey: '08'.repeat(32), from: 'hsm "primary"' }))).to.deep.equal(['WRONG_IDENTITY'])
    expect(skippedIn(checkCluster(known(FACTS), unknown('no login'), known('ab')))).to.deep.equal(['identity'])
  })

  it('lock in force: the running node has another than the file', () => {
    expect(run({}, OWN, 'cd')).to.deep.equal(['LOCK_NOT_LOADED'])
  })

  it('policy: invalid, and one that denies all', () => {
    const lock = { ok: true, value: { ...LOCK, authors: undefined } } as const
    expect(run({ lock, policy: bad('BAD_POLICY') })).to.deep.equal(['POLICY_INVALID'])
    expect(run({ lock, policy: { ok: true, value: 0 } })).to.deep.equal(['POLICY_DENIES_ALL', 'POLICY_NO_AUTHORS'])
  })

  it('policy: where the lock names authors the file is not looked at; where it names none, that is said', () => {
    expect(run({ policy: bad('BAD_POLICY') })).to.deep.equal([])
    expect(run({ lock: { ok: true, value: { ...LOCK, authors: undefined } } })).to.deep.equal(['POLICY_NO_AUTHORS'])
  })

  it('settings: what does not parse, by its line', () => {
    const settings = { file: '/n/node.yaml', text: 'node: {}\n', problem: '/n/node.yaml:1: something' }
    expect(codesOf(checkSettings(known(settings)))).to.deep.equal(['SETTINGS_INVALID'])
    expect(codesOf(checkSettings(known({ ...settings, problem: undefined })))).to.deep.equal([])
  })

  it('settings: a PIN in the place of a reference, in every way that YAML has, and none where there is a reference', () => {
    const run = (text: string) => checkSettings(known({ file: 'node.yaml', text, problem: undefined }))
    for (const text of ['hsm:\n  - pin: 4711x\n', 'hsm: [{ name: a, pin: "4711x" }]\n', "  'pin': 4711x"])
      expect(codesOf(run(text)), text).to.deep.equal(['PIN_IN_SETTINGS'])
    expect(findingsOf(run('hsm:\n  - pin: 4711x\n'))[0]).to.include({ subject: 'node.yaml:2' })
    expect(JSON.stringify(findingsOf(run('hsm:\n  - pin: 4711x\n')))).to.not.include('4711x')
    for (const text of ['  pin:\n    file: pin\n', '  pin: { file: pin }\n', '# pin: 1234\n', '  spin: 4\n'])
      expect(codesOf(run(text)), text).to.deep.equal([])
  })
})
