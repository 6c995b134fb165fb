/** Seeds of one multiplication as a pair setup would leave them, made in one place: only tests of sections 3 and 4 may. */
import { concat, seededRandom, tagged, u32, utf8 } from '@conclave/core'
import { bitOf } from '../bits.ts'
import { KAPPA } from '../constants.ts'

export interface Correlation {
  readonly sid: Uint8Array
  readonly pairCtx: Uint8Array
  readonly alice: { readonly delta: Uint8Array; readonly seeds: Uint8Array }
  readonly bob: { readonly seeds0: Uint8Array; readonly seeds1: Uint8Array }
}

export function correlation(seed: string): Correlation {
  const delta = seededRandom(utf8(`delta/${seed}`)).bytes(KAPPA / 8)
  const seeds = (b: number) => Array.from({ length: KAPPA }, (_, i) => tagged('test-seed', utf8(seed), u32(b), u32(i)))
  const [zero, one] = [seeds(0), seeds(1)]
  return {
    sid: tagged('test-sid', utf8(seed)),
    pairCtx: tagged('test-pair', utf8(seed)),
    alice: { delta, seeds: concat(...zero.map((s, i) => (bitOf(delta, i) === 1 ? (one[i] as Uint8Array) : s))) },
    bob: { seeds0: concat(...zero), seeds1: concat(...one) },
  }
}
