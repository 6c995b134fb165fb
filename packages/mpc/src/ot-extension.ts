/**
 * OT extension, section 3: 128 seeds become 896 correlated rows, the last 128 of which pay for the check.
 *
 * Bob picks the choice vector x and knows rows V; Alice knows Delta and rows W with `W_j = V_j xor x_j Delta`.
 */
import { equalBytes, type Random, tagged, taggedExpand } from '@conclave/core'
import type { OtExtension } from '@conclave/wire'
import { bitOf, maskOf, transpose, xorMasked } from './bits.ts'
import { COLUMN_BYTES, KAPPA, ROW_BYTES, SEED_BYTES } from './constants.ts'
import { fold, Multiplier } from './gf128.ts'

/** `nu = T("ote", sid, pairCtx, saltBob)`: names one extension. */
export const extensionName = (sid: Uint8Array, pairCtx: Uint8Array, saltBob: Uint8Array): Uint8Array => tagged('ote', sid, pairCtx, saltBob)

const stream = (seeds: Uint8Array, i: number, nu: Uint8Array) =>
  taggedExpand('prg', COLUMN_BYTES, seeds.subarray(i * SEED_BYTES, (i + 1) * SEED_BYTES), nu)

/** chi_1..chi_6, bound to everything Bob has committed to. */
function multipliers(nu: Uint8Array, columns: Uint8Array): Multiplier[] {
  const blocks = COLUMN_BYTES / ROW_BYTES - 1
  const chi = taggedExpand('ote-chi', blocks * ROW_BYTES, nu, columns)
  return Array.from({ length: blocks }, (_, k) => new Multiplier(chi.subarray(k * ROW_BYTES, (k + 1) * ROW_BYTES)))
}

function checkHash(nu: Uint8Array, folded: readonly Uint8Array[]): Uint8Array {
  return tagged('ote-check', nu, ...folded)
}

export interface BobExtension {
  readonly nu: Uint8Array
  readonly message: OtExtension
  /** N bits: x. Secret. */
  readonly choices: Uint8Array
  /** N x 16: V. Secret. */
  readonly rows: Uint8Array
}

/** Bob's side. */
export function extendBob(
  sid: Uint8Array,
  pairCtx: Uint8Array,
  seeds: { seeds0: Uint8Array; seeds1: Uint8Array },
  random: Random,
): BobExtension {
  const salt = random.bytes(32)
  const nu = extensionName(sid, pairCtx, salt)
  const choices = random.bytes(COLUMN_BYTES)
  const zero = new Uint8Array(KAPPA * COLUMN_BYTES)
  const columns = new Uint8Array(KAPPA * COLUMN_BYTES)
  for (let i = 0; i < KAPPA; i++) {
    const t0 = stream(seeds.seeds0, i, nu)
    const c = stream(seeds.seeds1, i, nu)
    xorMasked(c, t0, 0xff)
    xorMasked(c, choices, 0xff)
    zero.set(t0, i * COLUMN_BYTES)
    columns.set(c, i * COLUMN_BYTES)
    t0.fill(0)
  }
  const chi = multipliers(nu, columns)
  const folded = Array.from({ length: KAPPA }, (_, i) => fold(chi, zero.subarray(i * COLUMN_BYTES, (i + 1) * COLUMN_BYTES)))
  const message = { salt, columns, check: fold(chi, choices), checkHash: checkHash(nu, folded) }
  const rows = transpose(zero)
  zero.fill(0)
  for (const t of folded) t.fill(0)
  return { nu, message, choices, rows }
}

export interface AliceExtension {
  readonly nu: Uint8Array
  /** N x 16: W. Secret. */
  readonly rows: Uint8Array
}

/**
 * Alice's side; undefined when check 3.1 fails.
 *
 * A failure depends on bits of Delta that Bob may have guessed, so the caller burns the pair.
 */
export function extendAlice(
  sid: Uint8Array,
  pairCtx: Uint8Array,
  held: { delta: Uint8Array; seeds: Uint8Array },
  message: OtExtension,
): AliceExtension | undefined {
  const nu = extensionName(sid, pairCtx, message.salt)
  const columns = new Uint8Array(KAPPA * COLUMN_BYTES)
  for (let i = 0; i < KAPPA; i++) {
    const column = stream(held.seeds, i, nu)
    xorMasked(column, message.columns.subarray(i * COLUMN_BYTES, (i + 1) * COLUMN_BYTES), maskOf(bitOf(held.delta, i)))
    columns.set(column, i * COLUMN_BYTES)
    column.fill(0)
  }
  const chi = multipliers(nu, message.columns)
  const folded = Array.from({ length: KAPPA }, (_, i) => {
    const sum = fold(chi, columns.subarray(i * COLUMN_BYTES, (i + 1) * COLUMN_BYTES))
    xorMasked(sum, message.check, maskOf(bitOf(held.delta, i)))
    return sum
  })
  const good = equalBytes(checkHash(nu, folded), message.checkHash)
  const rows = transpose(columns)
  columns.fill(0)
  for (const t of folded) t.fill(0)
  if (good) return { nu, rows }
  rows.fill(0)
  return undefined
}
