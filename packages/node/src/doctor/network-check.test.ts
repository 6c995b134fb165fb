import { expect } from 'chai'
import { known, unknown } from './finding.ts'
import { checkNetwork, endpointOf, type NetworkFacts } from './network-check.ts'
import { CHECKUP, codesOf, skippedIn } from './results.fixture.ts'

const LISTEN = ['/ip4/127.0.0.1/tcp/9100']
const FACTS: NetworkFacts = {
  listen: known({ listen: LISTEN, local: new Set(['127.0.0.1', '10.0.0.7']), taken: [{ host: '127.0.0.1', port: 22 }] }),
  announced: known({ listen: LISTEN, announced: ['/ip4/198.51.100.7/tcp/9100'] }),
  reach: known([{ peer: 'oslo', addresses: ['10.0.0.8:9100'], open: ['10.0.0.8:9100'] }]),
  checkup: known(CHECKUP),
  required: known(3),
}
const codes = (change: Partial<NetworkFacts> = {}) => codesOf(checkNetwork({ ...FACTS, ...change }))
const stopped = unknown('stopped')
const listen = (multiaddr: string, ...taken: readonly { host: string; port: number }[]) =>
  known({ listen: [multiaddr], local: new Set(['10.0.0.7']), taken })
const peers = (...up: readonly boolean[]) =>
  known({
    ...CHECKUP,
    peers: up.map((isLinkUp, i) => ({ name: `p${i}`, isLinkUp, downReason: isLinkUp ? null : 'DIAL_FAILED', word: null })),
  })

describe('doctor: network', () => {
  it('network: a node that listens, with all its peers, has no finding', () => {
    expect(codes()).to.deep.equal([])
    expect(codes({ checkup: stopped })).to.deep.equal([])
  })

  it('listen: an address that is not of this machine', () => {
    expect(codes({ listen: listen('/ip4/203.0.113.1/tcp/9100') })).to.deep.equal(['LISTEN_NOT_LOCAL'])
    for (const fine of ['/ip4/0.0.0.0/tcp/1', '/ip6/::/tcp/1', '/ip4/127.0.0.9/tcp/1', '/ip4/10.0.0.7/tcp/1', '/dns4/here/tcp/1'])
      expect(codes({ listen: listen(fine) }), fine).to.deep.equal([])
  })

  it('listen: a port that another process has, by address or by all addresses; our own is ours', () => {
    const clash = (multiaddr: string, host: string) => codes({ checkup: stopped, listen: listen(multiaddr, { host, port: 9100 }) })
    expect(clash('/ip4/10.0.0.7/tcp/9100', '10.0.0.7')).to.deep.equal(['LISTEN_IN_USE'])
    expect(clash('/ip4/10.0.0.7/tcp/9100', '0.0.0.0')).to.deep.equal(['LISTEN_IN_USE'])
    expect(clash('/ip4/0.0.0.0/tcp/9100', '10.0.0.7')).to.deep.equal(['LISTEN_IN_USE'])
    expect(clash('/ip4/10.0.0.7/tcp/9100', '127.0.0.1')).to.deep.equal([])
    const running = known({ ...CHECKUP, listen: ['/ip6/::1/tcp/9200', ...CHECKUP.listen] })
    expect(codes({ checkup: running, listen: listen('/ip4/127.0.0.1/tcp/9100', { host: '127.0.0.1', port: 9100 }) })).to.deep.equal([])
  })

  it('lock: addresses that lead to none of the listen ports', () => {
    const announced = (...all: readonly string[]) => codes({ announced: known({ listen: LISTEN, announced: all }) })
    expect(announced('/ip4/198.51.100.7/tcp/9101')).to.deep.equal(['LOCK_PORT'])
    expect(announced('/ip4/198.51.100.7/tcp/9101', '/ip4/127.0.0.1/tcp/9100')).to.deep.equal([])
    expect(announced()).to.deep.equal([])
  })

  it('peers: one where nothing accepts connections', () => {
    expect(codes({ reach: known([{ peer: 'oslo', addresses: ['10.0.0.8:9100'], open: [] }]) })).to.deep.equal(['PEER_UNREACHABLE'])
    expect(codes({ reach: known([{ peer: 'oslo', addresses: [], open: [] }]) })).to.deep.equal([])
  })

  it('links: down, and too few for a quorum', () => {
    expect(codes({ checkup: peers(true, true, false, false) })).to.deep.equal(['LINK_DOWN', 'LINK_DOWN'])
    expect(codes({ checkup: peers(true, false) })).to.deep.equal(['QUORUM_OUT_OF_REACH', 'LINK_DOWN'])
  })

  it('network: what was not gathered is skipped by name', () => {
    const none = { listen: stopped, announced: stopped, reach: stopped, checkup: stopped, required: stopped }
    expect(skippedIn(checkNetwork(none))).to.deep.equal(['listen addresses', 'addresses in the lock', 'peers reachable', 'links'])
  })

  it('endpoint: host and port of the multiaddrs that have them', () => {
    expect(endpointOf('/ip4/1.2.3.4/tcp/5')).to.deep.equal({ host: '1.2.3.4', port: 5 })
    expect(endpointOf('/ip6/::1/tcp/5/p2p/x')).to.deep.equal({ host: '::1', port: 5 })
    for (const other of ['/unix/x', '/ip4/1.2.3.4/udp/5', '/ip4/1.2.3.4/tcp/70000', '']) expect(endpointOf(other)).to.equal(undefined)
  })
})
