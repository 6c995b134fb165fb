import { createHash } from 'node:crypto'
import { expect } from 'chai'
import fc from 'fast-check'
import { toHex, u32, utf8 } from './bytes.ts'
import { tagged, taggedExpand, taggedPrefix } from './hash.ts'

const partsOf = fc.array(fc.uint8Array({ maxLength: 24 }), { maxLength: 6 })

/** The specification's text, written down a second time. */
function naive(label: string, parts: readonly Uint8Array[]): string {
  const h = createHash('sha256').update(`conclave/v1/${label}`)
  for (const p of parts) {
    const length = Buffer.alloc(8)
    length.writeBigUInt64BE(BigInt(p.length))
    h.update(length).update(p)
  }
  return h.digest('hex')
}

describe('hash', () => {
  it('hash: T is what the specification says', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z-]{1,12}$/), partsOf, (label, parts) => toHex(tagged(label, ...parts)) === naive(label, parts)),
    )
    expect(toHex(tagged('x'))).to.equal(createHash('sha256').update('conclave/v1/x').digest('hex'))
  })

  it('ambiguous hash encoding: T is injective over re-splits of the same bytes (alpha-shuffle)', () => {
    const split = fc.tuple(
      fc.uint8Array({ minLength: 1, maxLength: 40 }),
      fc.array(fc.nat(40), { maxLength: 4 }),
      fc.array(fc.nat(40), { maxLength: 4 }),
    )
    const cut = (bytes: Uint8Array, at: readonly number[]) => {
      const points = [...new Set(at.map((a) => a % (bytes.length + 1)))].sort((a, b) => a - b)
      return [...points, bytes.length].map((end, i) => bytes.subarray(i === 0 ? 0 : (points[i - 1] as number), end))
    }
    fc.assert(
      fc.property(split, ([bytes, a, b]) => {
        const [left, right] = [cut(bytes, a), cut(bytes, b)]
        const same = left.length === right.length && left.every((p, i) => p.length === right[i]?.length)
        expect(toHex(tagged('t', ...left)) === toHex(tagged('t', ...right))).to.equal(same)
      }),
      { numRuns: 500 },
    )
  })

  it('hash: labels that continue each other do not collide', () => {
    fc.assert(fc.property(partsOf, partsOf, (a, b) => toHex(tagged('pad', ...a)) !== toHex(tagged('pad1', ...b))))
  })

  it('hash: short and long inputs are hashed alike, and nothing of one is left for the next', () => {
    for (const length of [0, 1, 63, 64, 32_700, 32_768, 40_000, 20]) {
      const parts = [new Uint8Array(length).fill(length), utf8('tail')]
      expect(toHex(tagged('long', ...parts)), `${length} bytes`).to.equal(naive('long', parts))
    }
    const digest = tagged('x')
    expect([digest.constructor, digest.buffer.byteLength]).to.deep.equal([Uint8Array, 32])
  })

  it('hash: the prefix is what is hashed before further parts', () => {
    fc.assert(
      fc.property(partsOf, fc.uint8Array({ maxLength: 9 }), (parts, last) => {
        const tail = taggedPrefix('t', last).subarray(taggedPrefix('t').length)
        const whole = createHash('sha256').update(taggedPrefix('t', ...parts))
        expect(whole.update(tail).digest('hex')).to.equal(toHex(tagged('t', ...parts, last)))
      }),
    )
  })

  it('hash: expansion of short and long inputs is T in counter mode, to the last byte', () => {
    for (const size of [0, 1, 1980, 2000, 2048, 2100, 14_336, 40_000]) {
      const parts = [utf8('a'), new Uint8Array(size).fill(size)]
      const blocks = [0, 1, 2].map((i) => naive('t', [...parts, u32(i)])).join('')
      for (const length of [0, 1, 32, 33, 96]) {
        expect(toHex(taggedExpand('t', length, ...parts)), `${size} to ${length} bytes`).to.equal(blocks.slice(0, 2 * length))
      }
    }
  })

  it('hash: expansion is T in counter mode, and a prefix of any longer one', () => {
    const long = taggedExpand('t', 80, utf8('a'))
    const blocks = [0, 1, 2].map((i) => toHex(tagged('t', utf8('a'), u32(i)))).join('')
    expect(toHex(long)).to.equal(blocks.slice(0, 160))
    expect(toHex(taggedExpand('t', 33, utf8('a')))).to.equal(blocks.slice(0, 66))
  })
})
