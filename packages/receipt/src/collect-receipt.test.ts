import { ConclaveError, codeOf, type PartyId, toHex } from '@conclave/core'
import { expect } from 'chai'
import { collectReceipt } from './collect-receipt.ts'
import { JUDGES, madeReceipt } from './made-receipt.fixture.ts'
import { encodeReceipt, type ReceiptDocument } from './receipt-document.ts'
import { verifyReceipt } from './verify-receipt.ts'

const PLACES: readonly PartyId[] = [1, 2, 5]
type Part = Uint8Array | ConclaveError

describe('collect receipt', () => {
  let parts: Map<PartyId, Part>
  let asked: string[]
  let document: ReceiptDocument

  const alone = (change: Partial<ReceiptDocument>, i: number) =>
    encodeReceipt({ ...document, ...change, nodes: [document.nodes[i] as ReceiptDocument['nodes'][number]] })
  const collected = async (nodes: readonly PartyId[] = [3, ...PLACES]): Promise<string> => {
    const ask = async (node: PartyId, sid: Uint8Array) => {
      asked.push(`${node} ${toHex(sid).slice(0, 4)}`)
      const part = parts.get(node) ?? new ConclaveError('NO_RECEIPT', 'nothing was signed here')
      if (part instanceof ConclaveError) throw part
      return part
    }
    try {
      verifyReceipt(await collectReceipt({ ...JUDGES, nodes, ask }), JUDGES)
      return 'HOLDS'
    } catch (error) {
      return codeOf(error)
    }
  }

  beforeEach(async () => {
    asked = []
    document = (await madeReceipt()).document
    parts = new Map(PLACES.map((j, i) => [j, alone({}, i)]))
  })

  it('each signer is asked once, of the session that the first one names', async () => {
    expect(await collected()).to.equal('HOLDS')
    expect(asked[0]).to.equal('3 ')
    expect(asked[1]).to.equal('1 ')
    expect(asked.slice(2).map((a) => a.slice(0, 2))).to.deep.equal(['2 ', '5 '])
    expect(asked[2]).to.match(/^2 [0-9a-f]{4}$/)
  })

  it('nodes that heard of other approvals: each shows its own, and the receipt has all', async () => {
    const { policy, approvals } = document
    const hidden = (await madeReceipt({ approvers: ['bob'] })).document.policy
    parts.set(1, alone({ policy: { ...policy, approvers: hidden.approvers }, approvals: approvals.filter((a) => a.approver === 'bob') }, 0))
    expect(await collected()).to.equal('HOLDS')
  })

  it('a node that lies about what all have in common is passed over; about itself, the receipt is refused', async () => {
    const other = (await madeReceipt({ seed: 'other' })).document
    parts.set(1, alone({ statement: other.statement, items: other.items }, 0))
    expect(await collected()).to.equal('HOLDS')
    const [first] = other.nodes
    parts.set(1, encodeReceipt({ ...document, nodes: [{ ...(first as ReceiptDocument['nodes'][number]) }] }))
    expect(await collected([2])).to.equal('RECEIPT_VERDICT')
  })

  it('who waits, who is away, and nobody: each has its code', async () => {
    const waits = new ConclaveError('RECEIPT_NOT_READY', 'wait', { retriable: true })
    parts.set(5, waits)
    expect(await collected()).to.equal('RECEIPT_NOT_READY')
    parts.set(5, new ConclaveError('PEER_LOST', 'away', { retriable: true }))
    expect(await collected()).to.equal('RECEIPT_INCOMPLETE')
    expect(await collected([3])).to.equal('NO_RECEIPT')
    expect(await collected([])).to.equal('NO_RECEIPT')
    // One that waits tells more than one that has signed nothing.
    parts = new Map([[5, waits]])
    expect(await collected()).to.equal('RECEIPT_NOT_READY')
  })

  it('what is no receipt, or names no session, is refused', async () => {
    parts.set(1, new Uint8Array(3))
    expect(await collected([1])).to.equal('RECEIPT_MALFORMED')
    parts.set(1, encodeReceipt({ ...document, nodes: document.nodes.slice(0, 1).map((n) => ({ ...n, entries: [] })) }))
    expect(await collected([1])).to.equal('RECEIPT_MALFORMED')
  })
})
