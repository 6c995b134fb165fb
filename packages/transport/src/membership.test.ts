import { expect } from 'chai'
import { testCluster, testCoordinator, testNode, testP256Signer, testSigner } from './conformance.ts'
import { checkLockPeerIds, checkProver, dials, memberNamed, mustProve, peerIdOf, peersOf } from './membership.ts'

describe('membership', () => {
  const { lock } = testCluster(3, 2)
  const names = (self: string) => peersOf(lock, memberNamed(lock, self)).map((m) => m.name)

  it('peers: nodes have every other member, coordinators have the nodes', () => {
    expect(names('node-2')).to.deep.equal(['node-1', 'node-3', 'coordinator-1', 'coordinator-2'])
    expect(names('coordinator-1')).to.deep.equal(['node-1', 'node-2', 'node-3'])
  })

  it('dials: exactly one side of a pair does, the one that cannot be dialled if there is one', () => {
    const [a, b] = [testNode(1, 'node-1'), testNode(2, 'node-2')]
    const hiddens = Array.from({ length: 8 }, (_, i) => testNode(3, `hidden-${i}`, []))
    // On both sides of the reachable ones in order of peer id, or the order alone would do.
    expect(new Set(hiddens.map((h) => h.peerId < a.peerId)).size).to.equal(2)
    for (const [hidden, reachable] of hiddens.flatMap((h) => [a, b].map((r) => [h, r] as const))) {
      expect(dials(hidden, reachable)).to.equal(true)
      expect(dials(reachable, hidden)).to.equal(false)
    }
    const hidden = testNode(3, 'hidden', [])
    const other = testCoordinator('coordinator-1')
    expect([dials(hidden, other), dials(other, hidden)]).to.deep.equal([false, false])
  })

  it('peer ids: are those of libp2p, for both key types', () => {
    // Test vectors of the libp2p peer id specification: Ed25519 and secp256k1 public keys.
    const ed = Uint8Array.from(Buffer.from('1ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e', 'hex'))
    const secp = Uint8Array.from(Buffer.from('037777e994e452c21604f91de093ce415f5432f701dd8cd1a7a6fea0e630bfca99', 'hex'))
    expect(peerIdOf({ type: 'ed25519', publicKey: ed })).to.equal('12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pq')
    expect(peerIdOf({ type: 'secp256k1', publicKey: secp })).to.match(/^16Uiu2H/)
    expect(() => peerIdOf({ type: 'secp256k1', publicKey: ed }))
      .to.throw()
      .with.property('code', 'BAD_IDENTITY')
    expect(() => peerIdOf({ type: 'secp256k1', publicKey: new Uint8Array(33) }))
      .to.throw()
      .with.property('code', 'BAD_IDENTITY')
  })

  it('mustProve: who has a peer id of its identity key need not, and everybody else that is a node must', () => {
    const [node] = lock.nodes as [(typeof lock.nodes)[0]]
    expect([node, testCoordinator('coordinator-1')].map(mustProve)).to.deep.equal([false, false])
    const strange = { ...node, peerId: peerIdOf(testSigner('other').key) }
    const p256 = { ...node, identity: testP256Signer('node-1').key }
    expect([strange, p256].map(mustProve)).to.deep.equal([true, true])
    checkProver(node, undefined)
    checkProver(strange, testSigner('node-1'))
    checkProver(p256, testP256Signer('node-1'))
    for (const [member, signer] of [
      [strange, undefined],
      [strange, testSigner('other')],
      [p256, testSigner('node-1')],
    ] as const)
      expect(() => checkProver(member, signer))
        .to.throw('node-1')
        .with.property('code', 'WRONG_IDENTITY')
  })

  it('peer ids: libp2p takes none of P-256', () => {
    expect(() => peerIdOf(testP256Signer('node-1').key))
      .to.throw('P-256')
      .with.property('code', 'BAD_IDENTITY')
  })

  it('checkLockPeerIds: a member whose peer id is none of libp2p is BAD_LOCK', () => {
    checkLockPeerIds(lock)
    const [first, second, third] = lock.nodes
    const nameless = { ...lock, nodes: [{ ...first, peerId: '1'.repeat(46) }, second, third] } as typeof lock
    expect(() => checkLockPeerIds(nameless))
      .to.throw('node-1')
      .with.property('code', 'BAD_LOCK')
    const nonsense = { ...lock, coordinators: [{ ...testCoordinator('coordinator-1'), peerId: '1'.repeat(46) }] }
    expect(() => checkLockPeerIds(nonsense))
      .to.throw('coordinator-1')
      .with.property('code', 'BAD_LOCK')
  })
})
