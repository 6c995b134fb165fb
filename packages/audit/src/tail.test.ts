import { concat, utf8 } from '@conclave/core'
import { expect } from 'chai'
import { BATCH_HEADER_BYTES, formatBatch, parseTail } from './tail.ts'

const batch = (first: number, ...texts: readonly string[]) => formatBatch(first, texts.map(utf8))
const texts = (entries: readonly Uint8Array[]) => entries.map((e) => new TextDecoder().decode(e))
const codeOfParse = (bytes: Uint8Array) => {
  try {
    return parseTail(bytes, 7).isTorn ? 'torn' : 'whole'
  } catch (error) {
    return (error as { code?: string }).code
  }
}
const flipped = (bytes: Uint8Array, at: number) => bytes.map((b, i) => (i === at ? b ^ 0x10 : b))

describe('tail', () => {
  const [one, two] = [batch(7, 'first', 'second'), batch(9, 'third'.repeat(300))]
  const both = concat(one, two)

  it('batches: are read in order', () => {
    const { entries, bytes, isTorn } = parseTail(both, 7)
    expect(texts(entries)).deep.equals(['first', 'second', 'third'.repeat(300)])
    expect([bytes, isTorn]).deep.equals([both.length, false])
    expect(parseTail(new Uint8Array(0), 7)).deep.equals({ entries: [], bytes: 0, isTorn: false })
  })

  it('a batch that ends too early: is cut off, wherever it ends', () => {
    for (let length = one.length + 1; length < both.length; length++) {
      const { entries, bytes, isTorn } = parseTail(both.subarray(0, length), 7)
      expect([entries.length, bytes, isTorn], `${length}`).deep.equals([2, one.length, true])
    }
  })

  it('blocks that were never written: are cut off with their batch', () => {
    for (const [from, to] of [
      [one.length, both.length],
      [512, 1024],
      [1024, both.length],
    ] as const) {
      const holed = both.slice().fill(0, from, to)
      expect(parseTail(holed, 7)).deep.include({ bytes: one.length, isTorn: true })
    }
  })

  it('a changed byte: is damage, not a crash, in the last batch too', () => {
    for (let at = 0; at < both.length; at++) expect(codeOfParse(flipped(both, at)), `byte ${at}`).equals('AUDIT_DAMAGED')
  })

  it('a hole with something behind it: is damage, for what is behind was acknowledged', () => {
    const long = batch(7, 'x'.repeat(2000))
    const holed = concat(long, two).fill(0, 512, 1024)
    expect(codeOfParse(holed)).equals('AUDIT_DAMAGED')
    expect(codeOfParse(concat(long, two).fill(0, 0, 512))).equals('AUDIT_DAMAGED')
  })

  it('a batch of another place: is damage', () => {
    expect(codeOfParse(concat(one, batch(10, 'third')))).equals('AUDIT_DAMAGED')
    expect(codeOfParse(batch(8, 'first'))).equals('AUDIT_DAMAGED')
  })

  it('a header alone: is torn', () => {
    expect(codeOfParse(one.subarray(0, BATCH_HEADER_BYTES))).equals('torn')
  })
})
