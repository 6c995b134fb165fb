import { expect } from 'chai'
import type { CheckedPeer } from '../checkup.ts'
import { checkClock } from './clock-check.ts'
import { known, unknown } from './finding.ts'
import { codesOf, findingsOf, skippedIn } from './results.fixture.ts'

const peer = (name: string, offsetMs: number, roundTripMs = 2): CheckedPeer => ({
  name,
  isLinkUp: true,
  downReason: null,
  word: { offsetMs, roundTripMs, version: '0.1.0', hsms: [] },
})
const run = (...peers: readonly CheckedPeer[]) => checkClock(known(peers), known(true))

describe('doctor: clocks', () => {
  it('clock: within half a second is no finding, and what the round trip explains neither', () => {
    expect(codesOf(run(peer('oslo', 490), peer('lisbon', -490)))).to.deep.equal([])
    expect(codesOf(run(peer('oslo', 900, 1_000)))).to.deep.equal([])
  })

  it('clock: one peer that differs is named, above 500 ms and above 2 s', () => {
    expect(codesOf(run(peer('oslo', 600), peer('lisbon', 0), peer('vienna', 1)))).to.deep.equal(['PEER_CLOCK_OFFSET'])
    expect(codesOf(run(peer('oslo', -2_100), peer('lisbon', 0)))).to.deep.equal(['PEER_CLOCK_FAR'])
  })

  it('clock: when most peers differ to one side, it is this one', () => {
    const results = run(peer('oslo', 700), peer('lisbon', 720), peer('vienna', 0))
    expect(findingsOf(results).map((f) => [f.code, f.message])).to.deep.equal([
      ['CLOCK_OFFSET', "this clock is 700 ms behind most peers' clocks"],
    ])
    expect(codesOf(run(peer('oslo', -5_000), peer('lisbon', -5_020)))).to.deep.equal(['CLOCK_FAR'])
  })

  it('clock: peers that differ to both sides do not pass for a fault of this clock', () => {
    expect(codesOf(run(peer('oslo', 3_000), peer('lisbon', -3_000)))).to.deep.equal(['PEER_CLOCK_FAR', 'PEER_CLOCK_FAR'])
  })

  it('clock: peers that did not answer say nothing', () => {
    for (const word of ['CALL_TIMEOUT', null])
      expect(codesOf(run({ name: 'oslo', isLinkUp: true, downReason: null, word }))).to.deep.equal([])
  })

  it('clock: not synchronised by the word of the system; skipped where it says nothing', () => {
    expect(codesOf(checkClock(known([]), known(false)))).to.deep.equal(['CLOCK_NOT_SYNCHRONISED'])
    expect(skippedIn(checkClock(unknown('stopped'), unknown('no timedatectl')))).to.deep.equal([
      'clock against the peers',
      'clock synchronised',
    ])
  })
})
