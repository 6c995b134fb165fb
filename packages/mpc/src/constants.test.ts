import { expect } from 'chai'
import { q } from './arithmetic.ts'
import * as constants from './constants.ts'
import { PATH_DEPTH_MAX } from './index.ts'

describe('constants', () => {
  it('constants: every number is the one in the table of the specification', () => {
    expect({ ...constants }).to.deep.equal({
      KAPPA: 128,
      STATISTICAL: 85,
      M: 768,
      N: 896,
      PAYLOAD: 2,
      COLUMNS: 3,
      SCALAR_BYTES: 32,
      POINT_BYTES: 33,
      COLUMN_BYTES: 112,
      ROW_BYTES: 16,
      SEED_BYTES: 32,
    })
    expect(PATH_DEPTH_MAX).to.equal(8)
  })

  it('constants: the numbers fit the bounds that the proofs need', () => {
    const { COLUMNS, KAPPA, M, N, PAYLOAD, STATISTICAL } = constants
    expect(q.toString(2)).to.have.length(256)
    // Variant II (Asharov): m >= log q + 3 s + 2 kappa.
    expect(M).to.be.at.least(256 + 3 * STATISTICAL + 2 * KAPPA)
    expect(N).to.equal(M + KAPPA)
    // One mask column is enough: rho = 1, as log q >= kappa + 2 log2 m.
    expect(256).to.be.at.least(KAPPA + 2 * Math.ceil(Math.log2(M)))
    expect(COLUMNS).to.equal(PAYLOAD + 1)
    expect(N % KAPPA).to.equal(0)
  })
})
