import { type PartyId, tagged, u32, utf8 } from '@conclave/core'
import { expect } from 'chai'
import { type abortOf, burnsPairs } from '../abort.ts'
import { type PairState, pairId } from '../pair-state.ts'
import { of } from '../protocol.ts'
import { BURNING, expectAborts } from './claims.fixture.ts'
import { pairOf } from './committee.ts'
import { runCorrelate } from './pool.ts'
import { type InFlight, partyRandom, type Tamper } from './run.ts'

export const SEED = 'correlate'
export const COUNT = 3
export const of3 = (m: InFlight) => m.from === 3

/** Parties 1 and 3 make COUNT correlations. */
export const run = (tamper?: Tamper, watch?: (m: InFlight) => void) =>
  runCorrelate(1, 3, SEED, COUNT, { ...(tamper === undefined ? {} : { tamper }), ...(watch === undefined ? {} : { watch }) })

export const pairAt = (self: PartyId) => of(pairOf(1, 3), self)
export const nonceIn = (seed: string) => tagged('correlate-nonce', utf8(seed))
export const poolIdOf = (nonce: Uint8Array, k: number) => tagged('pool', pairId((pairOf(1, 3).get(1) as PairState).public), nonce, u32(k))

/** Choice bits of party 1 in entry k: it draws a salt and a choice vector for each. */
export function choicesOf(k: number): Uint8Array {
  const draw = partyRandom(`pool/${SEED}/3`, 1)
  for (let i = 0; i < k; i++) {
    draw.bytes(32)
    draw.bytes(112)
  }
  draw.bytes(32)
  return draw.bytes(112)
}

/** Party 1 stops with this abort; burning only where section 6 says so. */
export function stops(tamper: Tamper, code: Parameters<typeof abortOf>[0], culprits: readonly PartyId[]): void {
  expectAborts(run(tamper), [1], code, culprits)
  expect(burnsPairs(code)).to.equal(BURNING.includes(code))
}
