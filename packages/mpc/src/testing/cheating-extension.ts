/**
 * A Bob who sends column i for another choice vector than the rest, to learn bit i of Delta from whether Alice stops (section 3).
 *
 * Everything else is as an honest Bob computes it from what he has sent, so only the check of 3.1 can notice. Written from the specification.
 */
import { tagged, taggedExpand } from '@conclave/core'
import { kernel } from '@conclave/kernel'
import type { OtExtension } from '@conclave/wire'
import { COLUMN_BYTES, KAPPA, SEED_BYTES } from '../constants.ts'
import { flip } from './run.ts'

export interface Held {
  readonly seeds0: Uint8Array
  readonly seeds1: Uint8Array
}

const part = (bytes: Uint8Array, i: number, size: number) => bytes.subarray(i * size, (i + 1) * size)

/** Bob's columns before he cheats. */
export interface Extension {
  readonly nu: Uint8Array
  readonly salt: Uint8Array
  readonly choices: Uint8Array
  readonly zero: readonly Uint8Array[]
  readonly columns: readonly Uint8Array[]
}

export function prepareExtension(sid: Uint8Array, pairCtx: Uint8Array, held: Held, salt: Uint8Array, choices: Uint8Array): Extension {
  const nu = tagged('ote', sid, pairCtx, salt)
  const stream = (seeds: Uint8Array, i: number) => taggedExpand('prg', COLUMN_BYTES, part(seeds, i, SEED_BYTES), nu)
  const zero = Array.from({ length: KAPPA }, (_, i) => stream(held.seeds0, i))
  const columns = zero.map((t0, i) => {
    const t1 = stream(held.seeds1, i)
    return t0.map((v, b) => v ^ (t1[b] as number) ^ (choices[b] as number))
  })
  return { nu, salt, choices, zero, columns }
}

function foldAll(nu: Uint8Array, columns: Uint8Array, vectors: readonly Uint8Array[]): readonly Uint8Array[] {
  const chi = taggedExpand('ote-chi', 96, nu, columns)
  return vectors.map((v) => kernel.foldBlocks(chi, v))
}

export interface Cheat {
  readonly column: number
  /** Which bit of x is another one in that column. */
  readonly bit: number
  /** Bob's bet on Delta's bit: he passes exactly when it is right. */
  readonly guess: 0 | 1
}

/** What Bob sends; honest without a cheat. */
export function extensionMessage({ nu, salt, choices, zero, columns }: Extension, cheat?: Cheat): OtExtension {
  const sent = columns.map((c, i) => (i === cheat?.column ? flip(c, cheat.bit) : c))
  const joined = Uint8Array.from(sent.flatMap((c) => [...c]))
  const error = flip(new Uint8Array(COLUMN_BYTES), cheat?.bit)
  const [check, errorFold, ...folded] = foldAll(nu, joined, [choices, error, ...zero]) as [Uint8Array, Uint8Array, ...Uint8Array[]]
  const expected = folded.map((t, i) => (i === cheat?.column && cheat.guess === 1 ? t.map((v, b) => v ^ (errorFold[b] as number)) : t))
  return { salt, columns: joined, check, checkHash: tagged('ote-check', nu, ...expected) }
}
