import { deriveChild, type ExtendedKey, toHex } from '@conclave/core'
import { verifies } from '@conclave/mpc'
import { parsePolicy } from '@conclave/policy'
import type { SignedItem } from '@conclave/wire'
import { expect } from 'chai'
import { ALLOWED, TestCluster } from './cluster.fixture.ts'
import {
  type Body,
  codeIn,
  createdIn,
  createKey,
  expectSignature,
  KEY,
  pairsReady,
  propose,
  requestId,
  sign,
  signedIn,
  signTransfer,
  statusOf,
  transfer,
  until,
  verdictIn,
} from './requests.fixture.ts'

const HARDENED = 0x80000000
const SWEEPS = parsePolicy(`
version: 1
sequence: 2
rules:
  - name: sweep
    effect: allow
    when: { paths: ['m/0/*'], chains: [31337], destinations: ['${ALLOWED}'], amountMaxWei: '1000' }
  - name: frozen
    effect: deny
    when: { paths: [m/0/9] }
`)

describe('paths', () => {
  let cluster: TestCluster
  let root: ExtendedKey

  before(async () => {
    cluster = await TestCluster.create(3, 2)
    await cluster.start()
    root = createdIn((await createKey(cluster))[0] as Body)
  })
  after(() => cluster.close())

  const child = (path: readonly number[]) => deriveChild(root, path).publicKey
  const verdictOn = async (i: number, path: readonly number[], payload = transfer(1n)) =>
    verdictIn((await propose(cluster, i, [1], payload, { path }))[0] as Body)

  it('paths: a signature verifies under the child at its path and not under the root or another child', async () => {
    const bodies = await signTransfer(cluster, 1, [1, 2], { path: [0, 5] })
    expectSignature(bodies, child([0, 5]))
    const [{ digest, signature }] = signedIn(bodies[0] as Body).items as [SignedItem]
    for (const path of [[], [0], [5], [0, 6], [5, 0]]) expect(verifies(child(path), digest, signature), path.join()).to.equal(false)
    // The highest index and the greatest depth, and the key itself.
    const deep = [0x7fffffff, 1, 2, 3, 4, 5, 6, 7]
    expectSignature(await signTransfer(cluster, 2, [1, 3], { path: deep }), child(deep))
    expectSignature(await signTransfer(cluster, 3, [2, 3]), root.publicKey)
  })

  it('paths: nodes that were shown different paths under one id do not meet, and blame nobody', async () => {
    await propose(cluster, 10, [1], transfer(1n), { path: [0, 5] })
    await propose(cluster, 10, [2], transfer(1n), { path: [0, 6] })
    const stray = sign(cluster, 10, [1, 2])
    await until('both wait for each other', () => cluster.pool('n1').running === 1 && cluster.pool('n2').running === 1)
    cluster.hub.cut(cluster.member('n1'), cluster.member('n2'))
    // The same session name at both would have ended as a signature, or with a culprit and a burned pair.
    expect((await stray).map(codeIn)).to.deep.equal(['PEER_LOST', 'PEER_LOST'])
    cluster.hub.heal(cluster.member('n1'), cluster.member('n2'))
    await pairsReady(cluster)
  })

  it('paths: a request id stands for its first path', async () => {
    const first = await verdictOn(20, [0, 5])
    expect(first.allowed).to.equal(true)
    for (const path of [[], [0], [0, 6], [5, 0], [0, 5, 0]])
      expect(await verdictOn(20, path), path.join()).to.include({ allowed: false, code: 'REQUEST_CONFLICT' })
    expect(await verdictOn(20, [0, 5])).to.deep.equal(first)
    await propose(cluster, 20, [2], transfer(1n), { path: [0, 5] })
    expectSignature(await sign(cluster, 20, [1, 2]), child([0, 5]))
  })

  it('paths: a path without a child is denied by name, kept nowhere, and the node goes on', async () => {
    for (const path of [[HARDENED], [0, 0xffffffff], [44 + HARDENED, 60 + HARDENED]]) {
      const verdict = await verdictOn(30, path)
      expect(verdict).to.include({ allowed: false, code: 'BAD_PATH', rule: '' })
      expect(verdict.reason).to.contain('only non-hardened')
    }
    const signing = await cluster.ask(1, { sign: { requestId: requestId(30), attempt: 0, signers: [1, 2], epoch: 0 } })
    expect(codeIn(signing)).to.equal('UNKNOWN_REQUEST')
    expectSignature(await signTransfer(cluster, 31, [1, 2], { path: [0] }), child([0]))
  })

  it('paths: a node reports the chain code of its keys', async () => {
    for (const party of cluster.parties()) {
      const key = (await statusOf(cluster, party)).keys.find((k) => k.keyId === KEY)
      expect(toHex(key?.chainCode as Uint8Array)).to.equal(toHex(root.chainCode))
    }
  })

  it('paths: the policy is asked for the path, at the proposal and again at signing', async () => {
    await propose(cluster, 40, [1, 2], transfer(1n), { path: [1, 5] })
    for (const name of ['n1', 'n2', 'n3']) await cluster.kill(name)
    await cluster.start(undefined, { policy: SWEEPS })
    await pairsReady(cluster)
    for (const path of [[], [0], [1, 5], [0, 5, 0]])
      expect(await verdictOn(41, path), path.join()).to.include({ allowed: false, code: 'PATH_NOT_ALLOWED', rule: 'sweep' })
    expect(await verdictOn(41, [0, 9])).to.include({ allowed: false, code: 'POLICY_DENY_RULE', rule: 'frozen' })
    expect((await sign(cluster, 40, [1, 2])).map(codeIn)).to.deep.equal(['PATH_NOT_ALLOWED', 'PATH_NOT_ALLOWED'])
    expectSignature(await signTransfer(cluster, 42, [1, 2], { path: [0, 5] }), child([0, 5]))
  })
})
