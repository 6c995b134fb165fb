import { expect } from 'chai'
import type { CheckedPeer } from '../checkup.ts'
import { known, unknown } from './finding.ts'
import { codesOf, skippedIn } from './results.fixture.ts'
import { checkVersions, type VersionFacts } from './version-check.ts'

const FACTS: VersionFacts = { runtime: '24.1.0', version: '0.2.0', running: known('0.2.0'), peers: known([]) }
const codes = (change: Partial<VersionFacts>) => codesOf(checkVersions({ ...FACTS, ...change }))
const says = (version: string): CheckedPeer => ({
  name: 'oslo',
  isLinkUp: true,
  downReason: null,
  word: { offsetMs: 0, roundTripMs: 1, version, hsms: [] },
})
const down = (downReason: string): CheckedPeer => ({ name: 'oslo', isLinkUp: false, downReason, word: null })

describe('doctor: versions', () => {
  it('versions: the same everywhere is no finding', () => {
    expect(codes({ peers: known([says('0.2.0'), down('DIAL_FAILED')]) })).to.deep.equal([])
  })

  it('versions: an old Node.js, a running node of another release, a peer of another release', () => {
    expect(codes({ runtime: '22.9.0' })).to.deep.equal(['RUNTIME_OLD'])
    expect(codes({ running: known('0.1.0') })).to.deep.equal(['RESTART_NEEDED'])
    expect(codes({ peers: known([says('0.1.0')]) })).to.deep.equal(['PEER_VERSION'])
  })

  it('versions: a peer of another protocol, lock or cluster', () => {
    expect(codes({ peers: known([down('PROTOCOL_MISMATCH')]) })).to.deep.equal(['PEER_PROTOCOL'])
    expect(codes({ peers: known([down('LOCK_MISMATCH')]) })).to.deep.equal(['PEER_LOCK'])
    expect(codes({ peers: known([down('CLUSTER_MISMATCH')]) })).to.deep.equal(['PEER_LOCK'])
  })

  it('versions: of a stopped node only the runtime is known', () => {
    expect(skippedIn(checkVersions({ ...FACTS, running: unknown('x'), peers: unknown('x') }))).to.deep.equal([
      'running version',
      'versions of the peers',
    ])
  })
})
