import { utf8 } from '@conclave/core'
import { encodeReceipt } from '@conclave/receipt'
import { madeReceipt } from '@conclave/receipt/testing'
import type { Response } from '@conclave/wire'
import { expect } from 'chai'
import { eventually, Harness, type ProblemAnswer } from './testing/harness.ts'

const receiptOf = (id: string) => `/v1/signing-requests/${id}/receipt`
const refusal = (code: string, retriable: boolean): Response['body'] => ({
  failure: { code, message: 'no', retriable, culprits: [], waitingFor: [] },
})
const part = (receipt: Uint8Array): Response['body'] => ({ receipt: { receipt } })

describe('receipts at the coordinator', () => {
  it('a receipt: of nothing, of what is open, and of what was denied there is none', async () => {
    await using h = await Harness.start()
    expect((await h.get<ProblemAnswer>(receiptOf('00'.repeat(32)))).body.code).equal('REQUEST_NOT_FOUND')
    const words = { mood: 'PENDING_APPROVAL' }
    for (const node of h.cluster.nodes)
      node.intercept = async (request, honest) => {
        const answer = await honest()
        if (!('propose' in request) || !('verdict' in answer)) return answer
        return { verdict: { ...answer.verdict, allowed: false, code: words.mood, reason: 'no', rule: 'large' } }
      }
    const id = await h.request()
    await eventually(async () => (await h.signing(id)).state === 'pending_approval')
    const open = await h.get<ProblemAnswer>(receiptOf(id))
    expect([open.status, open.body.code, open.body.retriable, open.headers.get('retry-after')]).deep.equal([
      409,
      'RECEIPT_NOT_READY',
      true,
      '5',
    ])
    words.mood = 'REJECTED'
    await h.post(`/v1/signing-requests/${id}:cancel`, undefined)
    await h.ended(id)
    expect((await h.get<ProblemAnswer>(receiptOf(id))).body.code).equal('NO_RECEIPT')
  })

  it('a receipt: what nodes say is told, and what they make up is refused', async () => {
    await using h = await Harness.start()
    const id = await h.request()
    await h.ended(id)
    const answers = new Map<string, Response['body']>([
      ['RECEIPT_NOT_READY', refusal('RECEIPT_NOT_READY', true)],
      ['NO_RECEIPT', refusal('NO_RECEIPT', false)],
      ['NODES_UNREACHABLE', refusal('BUSY', true)],
    ])
    const made = encodeReceipt((await madeReceipt()).document)
    const check = async (code: string, answer: Response['body']) => {
      for (const node of h.cluster.nodes) node.intercept = async (request, honest) => ('receipt' in request ? answer : honest())
      expect((await h.get<ProblemAnswer>(receiptOf(id))).body.code).equal(code)
    }
    for (const [code, answer] of answers) await check(code, answer)
    await check('RECEIPT_REFUSED', part(utf8('{}')))
    await check('RECEIPT_REFUSED', part(utf8('not JSON')))
    // It verifies, for another cluster.
    await check('RECEIPT_REFUSED', part(made))
  })
})
