import { cp, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { freezeHash, fromHex, tagged, toHex, utf8 } from '@conclave/core'
import { type Frame, timeBytes } from '@conclave/wire'
import { expect } from 'chai'
import { ALICE } from '../approvals/people.fixture.ts'
import { TestCluster } from '../cluster.fixture.ts'
import { refusal } from '../refusal.fixture.ts'
import { codeIn, expectSignature, newKey, pairsReady, proposal, sign, transfer, until, verdictIn } from '../requests.fixture.ts'
import type { Store } from '../store/store.ts'
import type { Tamper } from '../tampering.fixture.ts'
import { ADA, AUTHORS, BEN, CEM, payText, signedPolicy } from './authors.fixture.ts'

describe('policies of a cluster', () => {
  let cluster: TestCluster
  let publicKey: Uint8Array
  let requests = 0
  const keeper = (name: string) => cluster.node(name).policies
  const sequenceAt = (name: string) => keeper(name).status().inForce.sequence
  const policyOf = (sequence: number, maxWei: number) => signedPolicy(payText(sequence, maxWei), cluster.lock)
  const everywhere = (sequence: number, names = cluster.names()) =>
    until(`policy ${sequence} everywhere`, () => names.every((name) => sequenceAt(name) === sequence))
  const verdict = async (party: number, wei: bigint) => {
    const body = await cluster.ask(party, { propose: proposal(++requests, transfer(wei)) })
    return 'failure' in body ? body.failure.code : verdictIn(body).code
  }
  /** One request, proposed to and signed by `signers`, as a coordinator does it: again while it is told that it may. */
  const signed = async (wei: bigint, signers: readonly number[] = [1, 2, 3]) => {
    const id = ++requests
    const said: string[] = []
    for (let attempt = 0; attempt < 50; attempt++) {
      const proposals = await Promise.all(signers.map((j) => cluster.ask(j, { propose: proposal(id, transfer(wei)) })))
      const failed = proposals.flatMap((b) => ('failure' in b ? [b.failure] : []))
      const bodies = failed.length > 0 ? proposals : await sign(cluster, id, signers, attempt)
      const failures = bodies.flatMap((b) => ('failure' in b ? [b.failure] : []))
      if (failures.length === 0) return { codes: said, signature: expectSignature(bodies, publicKey) }
      said.push(...failures.map((f) => f.code))
      const isFinal = failures.some((f) => !f.retriable)
      if (isFinal) return { codes: said, signature: undefined }
      await until('what comes is taken up', () => signers.every((j) => keeper(`n${j}`).status().waiting === null))
    }
    throw new Error(`never ended: ${said.join()}`)
  }

  before(async () => {
    cluster = await TestCluster.create(5, 3, AUTHORS)
    await cluster.start()
    publicKey = await newKey(cluster)
    await pairsReady(cluster)
  })
  after(() => cluster.close())

  it('policies: before the authors have signed one nothing is allowed, whatever a node has in its file', async () => {
    expect(keeper('n1').status()).to.deep.include({
      from: 'authors',
      waiting: null,
      authors: { required: 2, names: ['ada', 'ben', 'cem'] },
    })
    expect(sequenceAt('n1')).to.equal(0)
    expect(await verdict(1, 1n)).to.equal('POLICY_NO_RULE')
  })

  it('policies: submitted at one node, in force at all, and signed under', async () => {
    expect(await keeper('n4').submit(policyOf(1, 1000))).to.equal(true)
    expect(await keeper('n4').submit(policyOf(1, 1000))).to.equal(false)
    await everywhere(1)
    expect((await signed(5n)).signature).to.be.a('string')
    await until('every peer has said so', () =>
      keeper('n1')
        .status()
        .peers.every((p) => p.sequence === 1 && p.isLinkUp),
    )
  })

  it('policies: while another one comes, each request is signed under one of the two or refused so that it may be asked again', async () => {
    const running = Array.from({ length: 12 }, (_, i) =>
      signed(
        BigInt(i + 1),
        [
          [1, 2, 3],
          [3, 4, 5],
          [1, 3, 5],
        ][i % 3],
      ),
    )
    await keeper('n2').submit(policyOf(2, 500))
    const done = await Promise.all(running)
    await everywhere(2)
    for (const { codes, signature } of done) {
      expect(signature, codes.join()).to.be.a('string')
      for (const code of codes) expect(code).to.be.oneOf(['POLICY_STALE', 'PEER_STOPPED', 'REQUEST_CONFLICT'])
    }
    expect(await verdict(5, 501n)).to.equal('AMOUNT_OVER_LIMIT')
  })

  /** Has them begin an attempt that comes to nothing while the frames of node 2 are held back. */
  const begun = async (held: (body: Frame['body']) => boolean) => {
    const propose = proposal(++requests, transfer(3n))
    const parties = [1, 2, 3]
    for (const j of parties) await cluster.ask(j, { propose })
    cluster.tamper.set('n2', (_to, body) => (held(body) ? undefined : body))
    const codes = parties.map(async (j) =>
      codeIn(await cluster.ask(j, { sign: { requestId: propose.requestId, attempt: 0, signers: parties, epoch: 0 } })),
    )
    await until('the sessions run', () => parties.every((j) => cluster.pool(`n${j}`).running > 0))
    return codes
  }

  it('policies: a session that runs under the one before ends when another one is heard of', async () => {
    const codes = await begun((body) => 'session' in body)
    await keeper('n4').submit(policyOf(3, 500))
    // Who hears of the end from another before he hears of the policy says so.
    for (const code of await Promise.all(codes)) expect(code).to.be.oneOf(['POLICY_STALE', 'PEER_STOPPED'])
    cluster.tamper.clear()
    await everywhere(3)
  })

  it('policies: who signs under the new one does not wait for who has just heard of it', async () => {
    const next = policyOf(4, 500)
    cluster.tamper.set('n1', (_to, body) => ('policies' in body ? undefined : body))
    await keeper('n1').submit(next)
    const codes = await begun((body) => 'policies' in body)
    expect([1, 2, 3].map((j) => sequenceAt(`n${j}`))).to.deep.equal([4, 3, 3])
    keeper('n2').heard(1, { sequence: 4, hash: next.policyHash, policies: [next] })
    expect(await Promise.all(codes)).to.deep.equal(['PEER_STOPPED', 'POLICY_STALE', 'PEER_STOPPED'])
    cluster.tamper.clear()
    await keeper('n5').submit(next)
    await everywhere(4)
  })

  it('policies: a node that was away takes up the newest before it signs with anybody', async () => {
    await cluster.kill('n3')
    await cp(join(cluster.dir, 'n3'), join(cluster.dir, 'n3-old'), { recursive: true })
    await keeper('n1').submit(policyOf(6, 400))
    await everywhere(6, ['n1', 'n2', 'n4', 'n5'])
    await cluster.start(['n3'])
    expect(sequenceAt('n3')).to.equal(4)
    expect((await signed(7n, [1, 3, 5])).signature).to.be.a('string')
    expect(sequenceAt('n3')).to.equal(6)
    expect(await verdict(3, 401n)).to.equal('AMOUNT_OVER_LIMIT')
  })

  it('policies: an old disk does not bring an old policy back, and a restart keeps the new one', async () => {
    await cluster.kill('n3')
    await rm(join(cluster.dir, 'n3'), { recursive: true })
    await rename(join(cluster.dir, 'n3-old'), join(cluster.dir, 'n3'))
    await cluster.start(['n3'])
    await everywhere(6)
    for (const name of ['n1', 'n3']) expect(await refusal(() => keeper(name).submit(policyOf(5, 900)))).to.equal('POLICY_ROLLED_BACK')
    await cluster.kill('n3')
    // Nobody is there to tell it.
    cluster.tamper.set('n1', (_to, body) => ('policies' in body ? undefined : body))
    for (const name of ['n2', 'n4', 'n5']) cluster.tamper.set(name, cluster.tamper.get('n1') as Tamper)
    await cluster.start(['n3'])
    cluster.tamper.clear()
    expect(keeper('n3').status()).to.deep.include({ waiting: null, fork: null }).and.have.nested.include({ 'inForce.sequence': 6 })
    expect(keeper('n3').status().inForce.signedBy).to.deep.equal(['ada', 'ben'])
  })

  it('policies: two of one sequence are a fork: the first stays, it is said and kept, and a higher one heals it', async () => {
    const other = signedPolicy(payText(6, 900), { ...cluster.lock, by: [BEN, CEM] })
    const before = keeper('n2').status().inForce.hash
    expect(await refusal(() => keeper('n2').submit(other))).to.equal('POLICY_FORKED')
    keeper('n3').heard(2, { sequence: 6, hash: other.policyHash, policies: [other] })
    const fork = { sequence: 6, hash: toHex(other.policyHash) }
    for (const name of ['n2', 'n3']) expect(keeper(name).status(), name).to.deep.include({ waiting: null, fork })
    expect(keeper('n2').status().inForce.hash).to.equal(before)
    await cluster.kill('n2')
    await cluster.start(['n2'])
    expect(keeper('n2').status().fork).to.deep.equal(fork)
    await pairsReady(cluster)
    await keeper('n1').submit(policyOf(7, 400))
    await everywhere(7)
    expect(keeper('n2').status().fork).to.equal(null)
  })

  it('policies: what a peer passes on is judged as if anybody had brought it', async () => {
    const { clusterId } = cluster.lock
    const text = payText(9, 999)
    for (const bad of [
      signedPolicy(text, { clusterId, by: [ADA] }),
      signedPolicy(text, { clusterId, by: [ADA, ADA] }),
      signedPolicy(text, { clusterId: toHex(tagged('another')) }),
      { ...signedPolicy(text, { clusterId }), text: utf8(payText(9, 998)) },
    ])
      keeper('n1').heard(2, { sequence: 9, hash: bad.policyHash, policies: [bad] })
    expect(keeper('n1').status()).to.deep.include({ waiting: null }).and.have.nested.include({ 'inForce.sequence': 7 })
    expect(await verdict(1, 5n)).to.equal('ALLOWED')
  })

  it('policies: until the disk has the new one, a node that has heard of it signs nothing', async () => {
    await cluster.kill('n5')
    const gate = Promise.withResolvers<void>()
    const slow = (store: Store): Store => ({
      get: (section, key) => store.get(section, key),
      list: (section, page) => store.list(section, page),
      apply: async (changes) => {
        if (changes.some((c) => 'put' in c && c.put === 'policy')) await gate.promise
        await store.apply(changes)
      },
      close: () => store.close(),
    })
    await cluster.start(['n5'], { rig: (parts) => ({ ...parts, store: slow(parts.store) }) })
    await pairsReady(cluster)
    const propose = proposal(++requests, transfer(3n))
    const parties = [3, 4, 5]
    for (const j of parties) expect(verdictIn(await cluster.ask(j, { propose })).code).to.equal('ALLOWED')
    await keeper('n1').submit(policyOf(8, 400))
    await everywhere(8, ['n1', 'n2', 'n3', 'n4'])
    await until('n5 has heard', () => keeper('n5').status().waiting !== null)
    expect(await verdict(5, 1n)).to.equal('POLICY_STALE')
    const ask = { sign: { requestId: propose.requestId, attempt: 0, signers: parties, epoch: 0 } }
    const codes = await Promise.all(parties.map(async (j) => codeIn(await cluster.ask(j, ask))))
    expect(codes).to.deep.equal(['PEER_STOPPED', 'PEER_STOPPED', 'POLICY_STALE'])
    gate.resolve()
    await everywhere(8)
    expect((await signed(5n, parties)).signature).to.be.a('string')
  })

  it('policies: an approver whom only the policy on its way names freezes a node that has not taken it up', async () => {
    await cluster.kill('n3')
    const people = `approvers:\n  - { id: alice, keys: ["${ALICE.text}"] }\n`
    await keeper('n1').submit(signedPolicy(payText(9, 400, people), cluster.lock))
    const word = { scope: 'cluster', reason: 'now', by: 'approver:alice', atMs: 7 }
    const signature = ALICE.sign(freezeHash(fromHex(cluster.lock.clusterId), word))
    await cluster.node('n1').freezes.freeze({ ...word, at: timeBytes(7), signature })
    await cluster.start(['n3'])
    await until('frozen at n3', () =>
      cluster
        .node('n3')
        .freezes.list()
        .some((f) => f.isActive),
    )
    await everywhere(9)
  })
})
