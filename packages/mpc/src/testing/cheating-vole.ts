/**
 * An Alice whose Q is inconsistent in some rows, to learn choice bits of Bob from whether he stops (section 4).
 *
 * Challenges, mask and mask hash are recomputed over what she sends, so only check 4.1 can notice. Written from the specification.
 */
import { concat, type Random, tagged, u32, xor } from '@conclave/core'
import { encode, OtExtension, type Vole } from '@conclave/wire'
import { addScalars, hashToScalar, mulScalars, ONE, randomScalar, type Scalar, subScalars, sumScalars, ZERO } from '../arithmetic.ts'
import { COLUMNS, M, ROW_BYTES } from '../constants.ts'

export interface VoleInputs {
  readonly nu: Uint8Array
  readonly ot: OtExtension
  readonly salt: Uint8Array
  readonly alpha: readonly [Scalar, Scalar, Scalar]
  readonly t0: readonly Scalar[]
  readonly t1: readonly Scalar[]
}

/** Alice's pads and inputs, drawn in the order of the specification. */
export function prepareVole(nu: Uint8Array, ot: OtExtension, rows: Uint8Array, delta: Uint8Array, random: Random): VoleInputs {
  const salt = random.bytes(32)
  const alpha = [randomScalar(random), randomScalar(random), randomScalar(random)] as const
  const pad = (j: number, c: number, row: Uint8Array) => hashToScalar('pad', nu, salt, concat(u32(j), row), u32(c))
  const table = (offset: Uint8Array) =>
    Array.from({ length: M * COLUMNS }, (_, i) => {
      const j = Math.floor(i / COLUMNS)
      return pad(j, i % COLUMNS, xor(rows.subarray(j * ROW_BYTES, (j + 1) * ROW_BYTES), offset))
    })
  return { nu, ot, salt, alpha, t0: table(new Uint8Array(ROW_BYTES)), t1: table(delta) }
}

export interface RowCheat {
  /** The rows whose Q is off by `error`. */
  readonly rows: ReadonlySet<number>
  readonly column: 0 | 1 | 2
  readonly error: Scalar
  /** Alice's bet on the choice bits of those rows: she passes exactly when it is right. */
  readonly guess: 0 | 1
}

/** What Alice sends; honest without a cheat. */
export function voleMessage({ nu, ot, salt, alpha, t0, t1 }: VoleInputs, cheat?: RowCheat): Vole {
  const off = (j: number, c: number) => (cheat?.rows.has(j) && c === cheat.column ? cheat.error : ZERO)
  const q = t0.map((t, i) => {
    const honest = addScalars(subScalars(t, t1[i] as Scalar), alpha[i % COLUMNS] as Scalar)
    return addScalars(honest, off(Math.floor(i / COLUMNS), i % COLUMNS))
  })
  const rows = concat(...q)
  const ctx = tagged('vole', nu, salt)
  const bound = [ctx, tagged('ot-message', encode(OtExtension, ot)), tagged('vole-rows', rows)]
  const chi = [hashToScalar('vole-chi', ...bound, u32(1)), hashToScalar('vole-chi', ...bound, u32(2)), ONE]
  const combine = (values: readonly Scalar[]) => sumScalars(values.map((v, c) => mulScalars(chi[c] as Scalar, v)))
  const u = Array.from({ length: M }, (_, j) => {
    const honest = combine(t0.slice(COLUMNS * j, COLUMNS * (j + 1)))
    return cheat?.guess === 1 ? addScalars(honest, combine([0, 1, 2].map((c) => off(j, c)))) : honest
  })
  return { salt, rows, maskHash: tagged('vole-u', ctx, concat(...u)), mask: combine(alpha) }
}
