import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { codeOf, utf8 } from '@conclave/core'
import { expect } from 'chai'
import { alterations } from './altered.fixture.ts'
import { JUDGES, madeReceipt } from './made-receipt.fixture.ts'
import { RECEIPT_ATTACKS } from './receipt-attacks.fixture.ts'
import { encodeReceipt, parseReceipt, RECEIPT_BYTES_MAX, type ReceiptDocument } from './receipt-document.ts'
import { type VerifyReceiptOptions, verifyReceipt } from './verify-receipt.ts'

function outcome(bytes: Uint8Array, options: VerifyReceiptOptions = JUDGES): string {
  try {
    verifyReceipt(bytes, options)
    return 'HOLDS'
  } catch (error) {
    return codeOf(error)
  }
}

describe('verify receipt', () => {
  it('honest: a receipt holds with the lock alone, and says what it does not prove', async () => {
    const { document, policy } = await madeReceipt({ path: [0, 5], isPq: true })
    const bytes = encodeReceipt(document)
    const { holds, unproved } = verifyReceipt(bytes, JUDGES)
    const told = holds.join('\n')
    for (const word of [
      'under m/0/5',
      'exchange signed',
      'alice approved',
      'bob approved',
      'with ML-DSA-65 too',
      'n5 allowed it by rule pay-much',
    ])
      expect(told).to.include(word)
    expect(unproved.join('\n')).to.include('how many approvals the rule asks for')
    const withPolicy = verifyReceipt(bytes, { ...JUDGES, policy })
    expect(withPolicy.holds.at(-1)).to.equal('each of them held the approvals that pay-much asks for')
    expect(withPolicy.unproved.join('\n')).not.to.include('approvals')
  })

  it('honest: without requesters, with a node that did not record its end, and of other curves', async () => {
    const open = await madeReceipt({ isOpen: true })
    expect(verifyReceipt(encodeReceipt(open.document), JUDGES).unproved.join('\n')).to.include('who asked')
    const events = (node: string, all: Parameters<NonNullable<Parameters<typeof madeReceipt>[0]>['events'] & object>[1]) =>
      node === 'n2' ? all.filter((e) => e.kind !== 'session.signed') : all
    const crashed = await madeReceipt({ events })
    expect(verifyReceipt(encodeReceipt(crashed.document), JUDGES).unproved.join('\n')).to.include('how it ended at n2')
    const others = await madeReceipt({ signers: [2, 3, 4] })
    expect(outcome(encodeReceipt(others.document))).to.equal('HOLDS')
  })

  it('R1: what is not canonical JSON, too long, or another format is refused', async () => {
    const text = new TextDecoder().decode(encodeReceipt((await madeReceipt()).document))
    for (const other of [
      '',
      '{}',
      '[]',
      `${text}\n`,
      ` ${text}`,
      text.replace('{', '{ '),
      text.replace('conclave-receipt/1', 'conclave-receipt/2'),
      JSON.stringify(JSON.parse(text), null, 1),
      `${text.slice(0, -1)},"z":1}`,
    ])
      expect(outcome(utf8(other)), other.slice(0, 40)).to.equal('RECEIPT_MALFORMED')
    expect(outcome(new Uint8Array(RECEIPT_BYTES_MAX + 1))).to.equal('RECEIPT_TOO_LARGE')
    expect(outcome(Uint8Array.of(0xff))).to.equal('RECEIPT_MALFORMED')
  })

  for (const { check, name, code, make, judges } of RECEIPT_ATTACKS)
    it(`${check}: ${name}: ${code}`, async () => {
      expect(outcome(encodeReceipt(await make()), judges)).to.equal(code)
    })

  it('attacks: the specification and the code have the same, with the same codes, in the same order', () => {
    const text = readFileSync(join(import.meta.dirname, '../../../docs/spec/receipt.md'), 'utf8')
    const rows = [...text.matchAll(/^\| (R\d+) \| (.+) \| `([A-Z_]+)` \|$/gm)].map(([, check, name, code]) => ({ check, name, code }))
    expect(rows.slice(-RECEIPT_ATTACKS.length)).to.deep.equal(RECEIPT_ATTACKS.map(({ check, name, code }) => ({ check, name, code })))
    const checks = new Set([...RECEIPT_ATTACKS.map((a) => a.check), 'R1'])
    expect(checks.size).to.equal(16)
  })

  it('every field: changed, left out, doubled or put elsewhere, and the receipt is refused', async () => {
    const { document, policy } = await madeReceipt({ before: 1 })
    const judges = { ...JUDGES, policy }
    let count = 0
    const left: string[] = []
    for (const { what, value } of alterations(JSON.parse(new TextDecoder().decode(encodeReceipt(document))))) {
      const said = outcome(encodeReceipt(value as unknown as ReceiptDocument), judges)
      if (said === 'HOLDS') left.push(what)
      else expect(said, what).to.match(/^RECEIPT_/)
      count++
    }
    expect(count).to.be.above(1000)
    // The last entry of a node, its outcome, may be missing: then the receipt does not say how it ended there, and proves the rest.
    expect(left).to.deep.equal([0, 1, 2].map((i) => `receipt.nodes.${i}.entries, alteration 0`))
  })

  it('every 61st byte: with one bit flipped, the receipt is refused', async () => {
    const bytes = encodeReceipt((await madeReceipt()).document)
    for (let i = 0; i < bytes.length; i += 61) {
      const flipped = Uint8Array.from(bytes)
      flipped[i] = (flipped[i] as number) ^ 1
      expect(outcome(flipped), `byte ${i}`).to.match(/^RECEIPT_/)
    }
    expect(parseReceipt(bytes)).to.have.property('format')
  })
})
