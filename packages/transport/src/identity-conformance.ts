import { codeOf, type IdentitySigner, toHex } from '@conclave/core'
import { expect } from 'chai'
import { type TestCluster, testCluster, testP256Signer, withProvers } from './conformance-cluster.ts'
import { type Stage, wellFormed } from './conformance-stage.ts'

/** The same cluster, in which `name` has that signer for its identity. */
function withIdentity(cluster: TestCluster, name: string, signer: IdentitySigner): TestCluster {
  return { ...cluster, identity: (n) => (n === name ? signer : cluster.identity(n)) }
}

/** What a node signed to prove its identity. */
function recorded(signer: IdentitySigner): { readonly signer: IdentitySigner; readonly messages: string[] } {
  const messages: string[] = []
  const sign = (message: Uint8Array) => {
    messages.push(toHex(message))
    return signer.sign(message)
  }
  return { signer: { key: signer.key, sign }, messages }
}

const FRAME = Uint8Array.of(1, 2, 3)

/** Nodes whose peer id is not made of their identity key: both kinds of transport ask them for a proof with every link. */
export function identityTests(begin: (cluster: TestCluster) => Stage): void {
  it('identity: nodes that must prove it do so to everybody, each other and coordinators too, once for every link', async () => {
    const cluster = withProvers(testCluster(4, 1), ['node-1', 'node-2'])
    const { signer, messages } = recorded(testP256Signer('node-1'))
    const stage = begin(withIdentity(cluster, 'node-1', signer))
    const nodes = cluster.lock.nodes.map((n) => n.name)
    await stage.start(...nodes, 'coordinator-1')
    const pairs = [...nodes, 'coordinator-1'].flatMap((a, i) => nodes.slice(i + 1).map((b) => [a, b] as const))
    await stage.untilUp(...pairs, ...nodes.map((n) => ['coordinator-1', n] as const))
    for (const [from, at] of pairs) {
      stage.send(from, at, FRAME)
      await stage.until(() => stage.frames(at, from).length === 1, `a frame from ${from} at ${at}`)
      expect(stage.ups(at, from)).to.equal(1)
      expect(wellFormed(stage.seen, at, cluster.member(from))).to.equal(true)
    }
    expect([messages.length, new Set(messages).size]).to.deep.equal([4, 4])
  })

  it('identity: a proof is asked for anew when a node comes back', async () => {
    const { signer, messages } = recorded(testP256Signer('node-1'))
    const stage = begin(withIdentity(withProvers(testCluster(2), ['node-1']), 'node-1', signer))
    await stage.start('node-1', 'node-2')
    await stage.untilUp(['node-1', 'node-2'])
    await stage.of('node-2').stop()
    await stage.until(() => !stage.status('node-1', 'node-2').up, 'node-2 gone')
    await stage.start('node-2')
    await stage.untilUp(['node-1', 'node-2'])
    expect(new Set(messages).size).to.equal(2)
  })

  const liars: readonly (readonly [string, () => IdentitySigner['sign']])[] = [
    ['signs with another key', () => testP256Signer('mallory').sign],
    ['gives no signature', () => async () => new Uint8Array(0)],
    [
      'gives what it signed for another link',
      () => {
        let first: Promise<Uint8Array> | undefined
        return (message) => {
          if (first !== undefined) return first
          first = testP256Signer('node-3').sign(message)
          return testP256Signer('mallory').sign(message)
        }
      },
    ],
  ]
  for (const [what, liar] of liars) {
    it(`identity: a node that ${what} has no link, and the others have theirs`, async () => {
      const cluster = withProvers(testCluster(3, 1), ['node-2', 'node-3'])
      const stage = begin(withIdentity(cluster, 'node-3', { key: testP256Signer('node-3').key, sign: liar() }))
      await stage.start('node-1', 'node-2', 'node-3', 'coordinator-1')
      await stage.untilUp(['node-1', 'node-2'], ['coordinator-1', 'node-1'], ['coordinator-1', 'node-2'])
      for (const name of ['node-1', 'node-2', 'coordinator-1']) {
        const reasons = () => [stage.status(name, 'node-3').downReason, stage.status('node-3', name).downReason]
        const refused = () => reasons().some((r) => r === 'IDENTITY_UNPROVED' || r === 'IDENTITY_UNAVAILABLE')
        await stage.until(refused, `${name} and node-3 without a link`)
      }
      expect(stage.seen.filter((s) => s.kind !== 'unproved' && (s.at === 'node-3' || s.from === 'node-3'))).to.deep.equal([])
      expect(stage.isUp('node-1', 'node-2')).to.equal(true)
    })
  }

  it('identity: a node that must prove one and has none, or that of another, does not start', () => {
    const stage = begin(withProvers(testCluster(2), ['node-1']))
    const missing = { ...stage.cluster, identity: () => undefined }
    for (const cluster of [missing, withIdentity(stage.cluster, 'node-1', testP256Signer('node-2'))]) {
      let code = 'NOTHING_THROWN'
      try {
        begin(cluster).make('node-1')
      } catch (error) {
        code = codeOf(error)
      }
      expect(code).to.equal('WRONG_IDENTITY')
    }
  })
}
