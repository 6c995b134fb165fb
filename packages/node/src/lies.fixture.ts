import { decode, encode, type MessageField, SignCommit, SignOpen, SignVole, type ValueOf } from '@conclave/wire'
import type { Tamper } from './tampering.fixture.ts'

/** Changes the message of one round of signing that goes to `victim`. */
function lieIn<M extends MessageField>(victim: string, round: number, type: M, lie: (value: ValueOf<M>) => ValueOf<M>): Tamper {
  return (to, body) => {
    if (!('session' in body) || to.name !== victim || body.session.round !== round) return body
    return { session: { ...body.session, body: encode(type, lie(decode(type, body.session.body))) } }
  }
}
/** Still a canonical scalar. */
const flip = (bytes: Uint8Array): Uint8Array => bytes.map((v, i) => (i === 31 ? v ^ 1 : v))

/** Every column's check value is wrong wherever Delta has a 1, so the check fails for every Delta but zero. */
export const otLie = (victim: string): Tamper =>
  lieIn(victim, 1, SignCommit, (m) => ({ ...m, ots: m.ots.map((ot) => ({ ...ot, check: ot.check.map((v, i) => (i === 0 ? v ^ 1 : v)) })) }))
/** Every row is wrong, so the check fails for every choice but all zeros. */
export const voleLie = (victim: string): Tamper =>
  lieIn(victim, 2, SignVole, (m) => ({
    ...m,
    voles: m.voles.map((vole) => ({ ...vole, rows: vole.rows.map((v, i) => (i % 32 === 31 ? v ^ 1 : v)) })),
  }))
export const gammaULie = (victim: string): Tamper =>
  lieIn(victim, 3, SignOpen, (m) => ({ ...m, openings: m.openings.map((o) => ({ ...o, gammaU: flip(o.gammaU) })) }))
export const gammaVLie = (victim: string): Tamper =>
  lieIn(victim, 3, SignOpen, (m) => ({ ...m, openings: m.openings.map((o) => ({ ...o, gammaV: flip(o.gammaV) })) }))
