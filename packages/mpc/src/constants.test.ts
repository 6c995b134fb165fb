import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PARTIES_MAX } from '@conclave/core'
import { OtExtension, PairChoose, Vole } from '@conclave/wire'
import { expect } from 'chai'
import { ABORTS } from './abort.ts'
import * as constants from './constants.ts'
import { PATH_DEPTH_MAX } from './index.ts'
import { q } from './testing/scalars.fixture.ts'

/** Cells of every table row of the specification. */
const rows = readFileSync(join(import.meta.dirname, '../../../docs/spec/protocol.md'), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| '))
  .map((line) =>
    line
      .split('|')
      .map((cell) => cell.trim())
      .slice(1, -1),
  )

describe('constants', () => {
  it('constants: the table of the specification says the same', () => {
    const { COLUMNS, KAPPA, M, N, STATISTICAL } = constants
    const value = (name: string) => rows.find(([first]) => first === name)?.[1]
    expect({ kappa: value('kappa'), s: value('s'), m: value('m'), N: value('N'), columns: value('columns') }).to.deep.equal({
      kappa: `${KAPPA}`,
      s: `${STATISTICAL}`,
      m: `${M}`,
      N: `${N}`,
      columns: `${COLUMNS}`,
    })
    expect(value('n, t')).to.equal(`2 <= t <= n <= ${PARTIES_MAX}`)
  })

  it('constants: the table of checks in the specification names the same codes and consequences', () => {
    const table = rows.filter(([, code]) => /^`[A-Z_]+`$/.test(code ?? ''))
    const written = table.map(([check, code, , follows]) => ({
      check,
      code: code?.replaceAll('`', ''),
      burn: follows?.includes('burn'),
      retire: follows === 'retire',
      pending: follows?.includes('pending'),
    }))
    const ours = Object.entries(ABORTS).map(([code, { check, consequence }]) => ({
      check,
      code,
      burn: consequence === 'burn',
      retire: consequence === 'retire',
      pending: consequence === 'pending',
    }))
    expect(written).to.have.deep.members(ours)
  })

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

  it('constants: the lengths on the wire follow from them', () => {
    const { COLUMN_BYTES, COLUMNS, KAPPA, M, POINT_BYTES, SCALAR_BYTES } = constants
    expect(OtExtension.fields.columns.min).to.equal(KAPPA * COLUMN_BYTES)
    expect(PairChoose.fields.points.min).to.equal(KAPPA * POINT_BYTES)
    expect(Vole.fields.rows.min).to.equal(M * COLUMNS * SCALAR_BYTES)
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
