import { testLock } from '@conclave/audit/testing'
import { utf8 } from '@conclave/core'
import { expect } from 'chai'
import { type StrangersLock, strangersFindings } from './independent-receipt.fixture.ts'
import { madeReceipt } from './made-receipt.fixture.ts'
import { encodeReceipt } from './receipt-document.ts'

const LOCK: StrangersLock = {
  clusterId: testLock.clusterId,
  keys: new Map(testLock.nodes.flatMap((n) => n.checkpointKeys.filter((k) => k.type === 'ed25519').map((k) => [n.name, k.publicKey]))),
  // n1, n2 and n5 have Ed25519 keys, so each of them is cosigned by at most the two others.
  required: 1,
}

describe('independent reader of receipts', () => {
  it('a receipt: its proofs and signatures hold for a reader that shares no code with the verifier', async () => {
    const bytes = encodeReceipt((await madeReceipt()).document)
    expect(strangersFindings(bytes, LOCK)).to.deep.equal([])
    const text = new TextDecoder().decode(bytes)
    for (const [from, to] of [
      ['\\"code\\":\\"ALLOWED\\"', '\\"code\\":\\"allowed\\"'],
      ['"label":"', '"label":"x'],
      ['"atMs":7', '"atMs":8'],
      ['"index":7', '"index":6'],
    ] as const) {
      expect(text).to.include(from)
      expect(strangersFindings(utf8(text.replace(from, to)), LOCK), from).to.have.length(1)
    }
  })
})
