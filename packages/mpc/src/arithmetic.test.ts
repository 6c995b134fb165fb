import { ConclaveError, seededRandom, utf8 } from '@conclave/core'
import { expect } from 'chai'
import fc from 'fast-check'
import * as a from './arithmetic.ts'
import { always } from './testing/property.fixture.ts'
import { witness } from './testing/run.ts'
import { bytesOf, mod, q, scalar, toBigint } from './testing/scalars.fixture.ts'

const big = fc.bigInt({ min: 0n, max: q - 1n })

describe('arithmetic', () => {
  it('arithmetic: scalars are integers mod q', () => {
    always(
      fc.property(big, big, (x, y) => {
        const [s, t] = [scalar(x), scalar(y)]
        expect(a.addScalars(s, t)).to.deep.equal(scalar(x + y))
        expect(a.subScalars(s, t)).to.deep.equal(scalar(x - y))
        expect(a.mulScalars(s, t)).to.deep.equal(scalar(x * y))
        expect(a.negate(s)).to.deep.equal(scalar(-x))
        expect(a.sumScalars([s, t, s])).to.deep.equal(scalar(2n * x + y))
        expect([a.isZero(s), a.equalScalars(s, t), a.equalScalars(s, Uint8Array.from(s))]).to.deep.equal([x === 0n, x === y, true])
        if (x !== 0n) expect(a.mulScalars(s, a.invertScalar(s))).to.deep.equal(a.ONE)
        expect([s, t], 'operands').to.deep.equal([scalar(x), scalar(y)])
      }),
    )
    expect(() => a.invertScalar(a.ZERO)).to.throw()
  })

  it('arithmetic: a sum is fresh, whatever it is of', () => {
    for (const terms of [[], [a.ONE], [a.ZERO, a.ONE]]) a.sumScalars(terms).fill(255)
    expect([a.ZERO, a.ONE]).to.deep.equal([scalar(0n), scalar(1n)])
    expect(a.sumScalars([])).to.deep.equal(a.ZERO)
  })

  it('arithmetic: small numbers are scalars', () => {
    for (const n of [0, 1, 9, 0xffffffff]) expect(a.scalarOf(n)).to.deep.equal(scalar(BigInt(n)))
  })

  it('arithmetic: any string of up to 64 bytes is reduced', () => {
    always(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        expect(a.reduce(bytes)).to.deep.equal(scalar(toBigint(bytes)))
      }),
    )
  })

  it('arithmetic: only canonical scalars of 32 bytes are read, and what is read is a copy', () => {
    for (const x of [0n, 1n, q - 1n]) expect(a.scalarFromBytes(bytesOf(x))).to.deep.equal(scalar(x))
    for (const x of [q, q + 1n, q + 5n, 2n ** 256n - 1n]) expect(a.scalarFromBytes(bytesOf(x)), `${x}`).to.equal(undefined)
    for (const n of [0, 31, 33, 64]) expect(a.scalarFromBytes(new Uint8Array(n))).to.equal(undefined)
    always(
      fc.property(big, (x) => {
        const bytes = bytesOf(x)
        const read = a.scalarFromBytes(bytes)
        bytes.fill(0)
        expect(read).to.deep.equal(bytesOf(x))
      }),
    )
  })

  it('arithmetic: vectors are scalars one after the other', () => {
    const values = [1n, 0n, q - 1n].map(scalar)
    const packed = a.pack(values)
    expect(packed).to.have.length(96)
    expect(values.map((_, i) => a.scalarAt(packed, i))).to.deep.equal(values)
  })

  it('arithmetic: random scalars are 48 bytes mod q, and these are wiped', () => {
    const random = witness(seededRandom(utf8('scalars')))
    const again = seededRandom(utf8('scalars'))
    for (let i = 0; i < 50; i++) expect(a.randomScalar(random)).to.deep.equal(scalar(mod(toBigint(again.bytes(48)))))
    expect(random.given).to.have.length(50)
    expect(random.given.every((b) => b.length === 48 && b.every((v) => v === 0))).to.equal(true)
  })

  it('arithmetic: a generator that gives a scalar of 0 is refused', () => {
    const draw = (x: bigint) => () => a.randomScalar({ bytes: () => Uint8Array.from([...new Uint8Array(16), ...bytesOf(x)]) })
    for (const x of [0n, q]) expect(draw(x)).to.throw(ConclaveError).with.property('code', 'BAD_RANDOM')
    expect(draw(1n)()).to.deep.equal(a.ONE)
  })
})
