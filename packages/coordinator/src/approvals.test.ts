import { fromHex, payloadHash, requestIdOf, tagged, toHex } from '@conclave/core'
import { expect } from 'chai'
import type { FakeNode } from './testing/fake-node.ts'
import { eventually, Harness, type ProblemAnswer, payment } from './testing/harness.ts'

const STATEMENT = toHex(tagged('fake-statement'))
const APPROVAL = { statement: STATEMENT, decision: 'approve', approver: 'alice', atMs: 1, signature: '11'.repeat(64) }
const CODES = { pending: 'PENDING_APPROVAL', rejected: 'REJECTED' } as const

/** A policy that waits for one approval, of anybody. */
class Waiting {
  mood: 'pending' | 'rejected' | 'allows' = 'pending'
  /** Approvals that reached the node. */
  taken = 0
  refuses: string | undefined

  constructor(node: FakeNode) {
    node.intercept = async (request, honest) => {
      if ('approval' in request) return this.#approval()
      const answer = await honest()
      if (this.mood === 'allows' || !('verdict' in answer)) return answer
      return { verdict: { ...answer.verdict, allowed: false, code: CODES[this.mood], reason: 'it waits for approvals', rule: 'large' } }
    }
  }

  #approval() {
    const code = this.refuses
    if (code !== undefined) return { failure: { code, message: 'no', retriable: false, culprits: [], waitingFor: [] } }
    this.taken++
    this.mood = 'allows'
    return { approvalTaken: { isNew: true } }
  }
}

const waitFor = (h: Harness, id: string, state: string) => eventually(async () => (await h.signing(id)).state === state)
const approvalsOf = (id: string) => `/v1/signing-requests/${id}/approvals`

describe('approvals at the coordinator', () => {
  it('a request waits for people, and is signed as soon as one approves, without another word', async () => {
    await using h = await Harness.start()
    const nodes = h.cluster.nodes.map((node) => new Waiting(node))
    const id = await h.request()
    await waitFor(h, id, 'pending_approval')
    expect((await h.signing(id)).nodeVerdicts.every((v) => v.code === 'PENDING_APPROVAL')).equal(true)
    const answer = await h.post<{ nodes: { node: number; code: string }[] }>(approvalsOf(id), APPROVAL, { as: 'viewer' })
    expect(answer.status).equal(200)
    expect(answer.body.nodes.every((n) => n.code === 'TAKEN')).equal(true)
    expect((await h.ended(id)).state).equal('signed')
    expect(nodes.every((n) => n.taken === 1)).equal(true)
    expect((await h.post<ProblemAnswer>(approvalsOf(id), APPROVAL)).body.code).equal('REQUEST_ENDED')
  })

  it('an approval that was given at a node is found out by asking', async () => {
    await using h = await Harness.start()
    const nodes = h.cluster.nodes.map((node) => new Waiting(node))
    const id = await h.request()
    await waitFor(h, id, 'pending_approval')
    for (const node of nodes) node.mood = 'allows'
    await h.passing(1000, async () => (await h.signing(id)).state === 'signed')
  })

  it('a rejection ends it, and so does the deadline', async () => {
    await using h = await Harness.start()
    const nodes = h.cluster.nodes.map((node) => new Waiting(node))
    const [rejected, expired] = [await h.request(1), await h.request(2, { deadlineMs: 5000 })]
    for (const id of [rejected, expired]) await waitFor(h, id, 'pending_approval')
    h.clock.advance(5000)
    const late = await h.ended(expired)
    expect(late).deep.include({ state: 'expired' })
    expect(late.error?.code).equal('APPROVALS_MISSING')
    for (const node of nodes) node.mood = 'rejected'
    await h.passing(1000, async () => (await h.signing(rejected)).state === 'rejected')
    expect((await h.signing(rejected)).error?.code).equal('REJECTED')
  })

  it('an approval that no node takes is refused with what each said; what is not one reaches no node', async () => {
    await using h = await Harness.start()
    const nodes = h.cluster.nodes.map((node) => new Waiting(node))
    const id = await h.request()
    await waitFor(h, id, 'pending_approval')
    for (const node of nodes) node.refuses = 'APPROVAL_SIGNATURE'
    const refused = await h.post<ProblemAnswer>(approvalsOf(id), APPROVAL)
    expect([refused.status, refused.body.code]).deep.equal([409, 'APPROVAL_REFUSED'])
    expect(refused.body.detail).contain('APPROVAL_SIGNATURE')
    for (const change of [{ decision: 'maybe' }, { statement: '11' }, { approver: 'Alice' }, { atMs: -1 }, { signature: '' }, { more: 1 }])
      expect((await h.post<ProblemAnswer>(approvalsOf(id), { ...APPROVAL, ...change })).status, JSON.stringify(change)).equal(400)
    expect((await h.post<ProblemAnswer>(approvalsOf('00'.repeat(32)), APPROVAL)).body.code).equal('REQUEST_NOT_FOUND')
    expect(nodes.every((n) => n.taken === 0)).equal(true)
  })

  it('nodes that make other statements of a request are never in one quorum', async () => {
    await using h = await Harness.start()
    for (const node of h.cluster.nodes.filter((n) => n.index >= 4)) node.statement = tagged('another policy')
    const waiting = h.cluster.nodes.map((node) => new Waiting(node))
    const id = await h.request()
    await waitFor(h, id, 'pending_approval')
    for (const node of waiting) node.mood = 'allows'
    await h.passing(1000, async () => (await h.signing(id)).state === 'signed')
    expect((await h.signing(id)).signers).deep.equal([1, 2, 3])
  })
})

describe('signed requests at the coordinator', () => {
  it('the id and the terms are those that the platform signed, and it is admitted once', async () => {
    await using h = await Harness.start()
    const said = { requester: 'exchange', nonce: '22'.repeat(32), notBeforeMs: 0, expiresAtMs: h.clock.nowMs() + 60_000 }
    const bytes = payment(3)
    const id = requestIdOf({
      ...{ clusterId: fromHex(h.cluster.lock.clusterId), keyId: 'main', payloadType: 'evm.tx' },
      items: [{ payloadHash: payloadHash(fromHex(bytes.slice(2))), path: [0, 5] }],
      ...{ ...said, nonce: fromHex(said.nonce) },
    })
    const proposals: unknown[] = []
    for (const node of h.cluster.nodes)
      node.intercept = (request, honest) => {
        if ('propose' in request) proposals.push(request.propose.terms)
        return honest()
      }
    const body = {
      keyId: 'main',
      derivationPath: 'm/0/5',
      payload: { type: 'evm.tx', bytes },
      signed: { ...said, signature: '33'.repeat(64) },
    }
    const post = () => h.post<ProblemAnswer & { requestId: string }>('/v1/signing-requests', body)
    const answers = await Promise.all([post(), post()])
    expect(answers.map((a) => a.status).sort()).deep.equal([201, 409])
    expect(answers.find((a) => a.status === 201)?.body.requestId).equal(toHex(id))
    expect(answers.find((a) => a.status === 409)?.body.code).equal('REQUEST_EXISTS')
    const ended = await h.ended(toHex(id))
    expect(ended.state).equal('signed')
    expect(Date.parse(ended.deadlineAt)).equal(said.expiresAtMs)
    for (const terms of proposals) expect(terms).deep.include({ requester: 'exchange', nonce: fromHex(said.nonce), keyEpoch: 0 })
    expect(proposals).not.lengthOf(0)
  })
})
