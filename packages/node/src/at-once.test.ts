import { parsePolicy } from '@conclave/policy'
import { expect } from 'chai'
import { ALLOWED, TestCluster } from './cluster.fixture.ts'
import {
  type Body,
  codeIn,
  expectSignature,
  failureIn,
  newKey,
  pairsReady,
  proposal,
  requestId,
  signedIn,
  transfer,
  verdictIn,
} from './requests.fixture.ts'

const STRICT = parsePolicy(`
version: 1
sequence: 2
rules:
  - name: little
    effect: allow
    when: { chains: [31337], destinations: ['${ALLOWED}'], amountMaxWei: '10', feeMaxWei: '1000000000000000000' }
`)

describe('at once', () => {
  let cluster: TestCluster
  let publicKey: Uint8Array

  before(async () => {
    cluster = await TestCluster.create(3, 2)
    await cluster.start(['n1', 'n2'])
    await cluster.start(['n3'], { policy: STRICT })
    publicKey = await newKey(cluster)
  })
  after(() => cluster.close())

  /** The proposal and, without waiting for anything, the attempt. */
  function atOnce(i: number, signers: readonly number[], wei: bigint, attempt = 0): Promise<readonly { verdict: Body; signed: Body }[]> {
    const id = requestId(i)
    return Promise.all(
      signers.map(async (j) => {
        const verdict = cluster.ask(j, { propose: proposal(i, transfer(wei)) })
        const signed = cluster.ask(j, { sign: { requestId: id, attempt, signers, epoch: 0 } })
        return { verdict: await verdict, signed: await signed }
      }),
    )
  }
  const digestIn = (body: Body) => signedIn(body).items.map((item) => item.digest)
  const attempts = (all: readonly { signed: Body }[]) => all.map((a) => a.signed)

  it('at once: an attempt right behind its proposal is signed, and both are on the disk before anything is said of them', async () => {
    const answers = await atOnce(1, [1, 2], 5n)
    expectSignature(attempts(answers), publicKey)
    for (const { verdict } of answers) expect(verdictIn(verdict).allowed).to.equal(true)
    expect(await cluster.store('n1').list('request')).to.have.length(1)
  })

  it('at once: the same again gets the verdict again, and no second session', async () => {
    const [first] = await atOnce(2, [1, 2], 6n)
    const again = await atOnce(2, [1, 2], 6n)
    expect(attempts(again).map(codeIn)).to.deep.equal(['ATTEMPT_SPENT', 'ATTEMPT_SPENT'])
    for (const { verdict } of again) expect(verdictIn(verdict).allowed).to.equal(true)
    // The next attempt is another session, for the same digest.
    const next = attempts(await atOnce(2, [1, 2], 6n, 1))
    expectSignature(next, publicKey)
    expect(digestIn(next[0] as Body)).to.deep.equal(digestIn(first?.signed as Body))
  })

  it('at once: another payload under the same id is refused, and what is signed is the first one', async () => {
    const [first] = await atOnce(3, [1, 2], 7n)
    const other = await atOnce(3, [1, 2], 8n, 1)
    for (const { verdict } of other) expect(verdictIn(verdict)).to.include({ allowed: false, code: 'REQUEST_CONFLICT' })
    expect(digestIn(other[0]?.signed as Body)).to.deep.equal(digestIn(first?.signed as Body))
  })

  it('at once: who denies says so at once, and the others need not wait for silence', async () => {
    const [yes, no] = await atOnce(4, [1, 3], 11n)
    expect(verdictIn(no?.verdict as Body)).to.include({ allowed: false, code: 'AMOUNT_OVER_LIMIT' })
    expect(failureIn(no?.signed as Body)).to.deep.include({ code: 'AMOUNT_OVER_LIMIT', retriable: false })
    expect(failureIn(yes?.signed as Body)).to.deep.include({ code: 'PEER_STOPPED', waitingFor: [3] })
    // It stored nothing of it, and the others sign without it.
    expect(await cluster.store('n3').list('request')).to.have.length(0)
    expectSignature(attempts(await atOnce(4, [1, 2], 11n, 1)), publicKey)
  })

  it('at once: a payload that does not decode is denied, and the attempt with it', async () => {
    const verdict = cluster.ask(1, { propose: proposal(5, Uint8Array.of(2, 0xff)) })
    const signed = cluster.ask(1, { sign: { requestId: requestId(5), attempt: 0, signers: [1, 2], epoch: 0 } })
    expect(verdictIn(await verdict)).to.include({ allowed: false, code: 'PAYLOAD_UNDECODABLE' })
    expect(codeIn(await signed)).to.equal('UNKNOWN_REQUEST')
  })

  it('at once: what a node spent before a restart stays spent, and the next attempt signs', async () => {
    await atOnce(6, [1, 2], 3n)
    await cluster.kill('n2')
    await cluster.start(['n2'])
    await pairsReady(cluster)
    // What n2 spent before stays spent; it has the request on its disk.
    expect(attempts(await atOnce(6, [1, 2], 3n)).map(codeIn)).to.deep.equal(['ATTEMPT_SPENT', 'ATTEMPT_SPENT'])
    expectSignature(attempts(await atOnce(6, [1, 2], 3n, 1)), publicKey)
  })
})
