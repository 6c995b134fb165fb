/**
 * OT extension, section 3: 128 seeds become 896 correlated rows, the last 128 of which pay for the check.
 *
 * Bob picks the choice vector x and knows rows V; Alice knows Delta and rows W with `W_j = V_j xor x_j Delta`.
 */
import { equalBytes, type Random, tagged, taggedExpand, taggedPrefix } from '@conclave/core'
import { kernel } from '@conclave/kernel'
import type { OtExtension } from '@conclave/wire'
import { xorStrings } from './bits.ts'
import { COLUMN_BYTES, KAPPA, ROW_BYTES } from './constants.ts'

/** `nu = T("ote", sid, pairCtx, saltBob)`: names one extension. */
export const extensionName = (sid: Uint8Array, pairCtx: Uint8Array, saltBob: Uint8Array): Uint8Array => tagged('ote', sid, pairCtx, saltBob)

const PRG = taggedPrefix('prg')
/** KAPPA columns of N bits. Secret; held by the kernel. */
const streams = (seeds: Uint8Array, nu: Uint8Array): Uint8Array => kernel.expandSeeds(PRG, seeds, nu, COLUMN_BYTES)

/** chi_1..chi_6, bound to everything Bob has committed to. */
const multipliers = (nu: Uint8Array, columns: Uint8Array): Uint8Array => taggedExpand('ote-chi', COLUMN_BYTES - ROW_BYTES, nu, columns)

const elementOf = (elements: Uint8Array, i: number): Uint8Array => elements.subarray(ROW_BYTES * i, ROW_BYTES * (i + 1))

function checkHash(nu: Uint8Array, folded: Uint8Array): Uint8Array {
  return tagged('ote-check', nu, ...Array.from({ length: KAPPA }, (_, i) => elementOf(folded, i)))
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
  return kernel.hold(() => {
    const zero = streams(seeds.seeds0, nu)
    const columns = streams(seeds.seeds1, nu)
    xorStrings(columns, KAPPA, zero)
    xorStrings(columns, KAPPA, choices)
    const chi = multipliers(nu, columns)
    const check = kernel.foldBlocks(chi, choices).slice()
    const message = { salt, columns: columns.slice(), check, checkHash: checkHash(nu, kernel.foldBlocks(chi, zero)) }
    return { nu, message, choices, rows: kernel.transpose(zero, KAPPA).slice() }
  })
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
  return kernel.hold(() => {
    const columns = streams(held.seeds, nu)
    xorStrings(columns, KAPPA, message.columns, held.delta)
    const folded = kernel.foldBlocks(multipliers(nu, message.columns), columns)
    xorStrings(folded, KAPPA, message.check, held.delta)
    if (!equalBytes(checkHash(nu, folded), message.checkHash)) return undefined
    return { nu, rows: kernel.transpose(columns, KAPPA).slice() }
  })
}
