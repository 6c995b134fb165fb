import { expect } from 'chai'
import { ABORTS, type AbortCode, abortOf, blame, burnsPairs } from './abort.ts'
import { BURNING } from './testing/claims.fixture.ts'

const codes = Object.keys(ABORTS) as AbortCode[]

describe('abort', () => {
  it('abort: exactly 3.1, 4.1, 5.3 and 5.4 burn pair state', () => {
    expect(codes.filter(burnsPairs)).to.deep.equal(BURNING)
    expect(BURNING.map((c) => ABORTS[c as AbortCode].check)).to.deep.equal(['3.1', '4.1', '5.3', '5.4'])
  })

  it('abort: a code that is not of this table burns nothing', () => {
    for (const code of ['', 'INTERNAL', 'TIMEOUT', 'WIRE_DECODE', 'ot_check', 'toString', '__proto__', 'constructor'])
      expect(burnsPairs(code), code).to.equal(false)
  })

  it('abort: every numbered check of sections 1 to 5 and 7 has one code', () => {
    const numbered = codes.map((c) => ABORTS[c].check)
    const range = (section: number, last: number) => Array.from({ length: last }, (_, i) => `${section}.${i + 1}`)
    expect(numbered).to.have.members([
      ...range(1, 9),
      ...range(2, 4),
      '2.z',
      '2.c',
      '3.0',
      '3.1',
      '3.c',
      '4.1',
      '4.c',
      '0',
      ...range(5, 7),
      ...range(7, 5),
    ])
  })

  it('abort: without a culprit nobody is named and the run may be tried again', () => {
    const nobody = abortOf('SIGN_ECHO')
    expect(nobody.culprits).to.deep.equal([])
    expect(nobody.retriable).to.equal(true)
    expect(nobody.message).to.equal('parties saw different nonce commitments [check 5.1]')
    const two = abortOf('OT_CHECK', [2, 4])
    expect(two.retriable).to.equal(false)
    expect(two.details).to.deep.equal({ check: '3.1', culprits: [2, 4] })
    expect(two.message).to.contain('(party 2, 4)')
  })

  it('abort: blame throws once, naming all, and not at all for nobody', () => {
    expect(() => blame('OT_CHECK', [])).not.to.throw()
    expect(() => blame('OT_CHECK', [2, 4]))
      .to.throw()
      .with.property('culprits')
      .that.deep.equals([2, 4])
  })
})
