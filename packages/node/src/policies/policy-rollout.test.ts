import { expect } from 'chai'
import { TestCluster } from '../cluster.fixture.ts'
import { expectSignature, newKey, pairsReady, proposal, sign, transfer, until, verdictIn } from '../requests.fixture.ts'
import { AUTHORS, payText, signedPolicy } from './authors.fixture.ts'

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
})
