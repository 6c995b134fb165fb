import { CorrelateOt, CorrelateVole, decode, encode, type MessageField, SignCommit, type ValueOf } from '@conclave/wire'
import type { Tamper } from '../tampering.fixture.ts'

/** Changes what goes to `victim` and is a message of this type; other sessions have rounds of the same numbers. */
function lieIn<M extends MessageField>(victim: string, type: M, lie: (value: ValueOf<M>) => ValueOf<M>): Tamper {
  return (to, body) => {
    if (!('session' in body) || to.name !== victim) return body
    let value: ValueOf<M>
    try {
      value = decode(type, body.session.body)
    } catch {
      // Another message.
      return body
    }
    return { session: { ...body.session, body: encode(type, lie(value)) } }
  }
}

const inFirst = <V>(list: readonly V[], lie: (value: V) => V): readonly V[] => list.map((value, i) => (i === 0 ? lie(value) : value))

/** A wrong check value of the first entry: check 3.1 fails for every Delta but zero. */
export const correlateOtLie = (victim: string): Tamper =>
  lieIn(victim, CorrelateOt, (m) => ({
    ...m,
    ots: inFirst(m.ots, (ot) => ({ ...ot, check: ot.check.map((v, i) => (i === 0 ? v ^ 1 : v)) })),
  }))

/** Wrong rows of the first entry: check 4.1 fails for all choices but zeros. */
export const correlateVoleLie = (victim: string): Tamper =>
  lieIn(victim, CorrelateVole, (m) => ({
    ...m,
    voles: inFirst(m.voles, (vole) => ({ ...vole, rows: vole.rows.map((v, i) => (i % 32 === 31 ? v ^ 1 : v)) })),
  }))

/** Other names in the place of what is offered. */
export const offerLie = (victim: string, names: (offered: readonly Uint8Array[]) => readonly Uint8Array[]): Tamper =>
  // A later message without an offer may look like this one.
  lieIn(victim, SignCommit, (m) => (m.offer.length === 0 ? m : { ...m, offer: names(m.offer) }))
