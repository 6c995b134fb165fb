/**
 * Random VOLE, Variant II, section 4: from correlated rows to `t_c + r_c = alpha_c * beta`.
 *
 * The gadget vector comes from a hash over Alice's last message, so she cannot fit her input to it (Asharov's first departure).
 */
import { concat, equalBytes, type Random, tagged, u32 } from '@conclave/core'
import { encode, OtExtension, Vole } from '@conclave/wire'
import {
  addScalars,
  hashToScalar,
  mulScalars,
  randomScalar,
  reduce,
  type Scalar,
  scalarFromBytes,
  scalarHasher,
  scalarToBytes,
  subScalars,
} from './arithmetic.ts'
import { bitOf } from './bits.ts'
import { COLUMNS, M, ROW_BYTES, SCALAR_BYTES } from './constants.ts'

/** M x COLUMNS scalars, row-major. */
type Pads = readonly Scalar[]

/** Pads of section 3: one scalar per row and column; the row index and both salts are bound. */
function pads(nu: Uint8Array, saltAlice: Uint8Array, rows: Uint8Array, offset?: Uint8Array): Pads {
  const hash = scalarHasher('pad', nu, saltAlice)
  const out: Scalar[] = []
  const row = new Uint8Array(ROW_BYTES)
  for (let j = 0; j < M; j++) {
    for (let b = 0; b < ROW_BYTES; b++) row[b] = (rows[j * ROW_BYTES + b] as number) ^ ((offset?.[b] ?? 0) as number)
    for (let c = 0; c < COLUMNS; c++) out.push(hash(u32(j), u32(c), row))
  }
  row.fill(0)
  return out
}

/** `sum_j factor_j * table[j][c]`, reduced once. */
function column(factors: readonly Scalar[], table: Pads, c: number): Scalar {
  let sum = 0n
  for (let j = 0; j < M; j++) sum += (factors[j] as Scalar) * (table[COLUMNS * j + c] as Scalar)
  return reduce(sum)
}

/** The hashes that bind OT message and VOLE message. */
function challenges(nu: Uint8Array, ot: OtExtension, salt: Uint8Array, rows: Uint8Array) {
  const ctx = tagged('vole', nu, salt)
  const otHash = tagged('ot-message', encode(OtExtension, ot))
  const rowsHash = tagged('vole-rows', rows)
  return { ctx, otHash, chi: [1, 2].map((k) => hashToScalar('vole-chi', ctx, otHash, rowsHash, u32(k))) as [Scalar, Scalar] }
}

/** `chi_1 a_1 + chi_2 a_2 + a_3` for every row. */
function fold(chi: readonly [Scalar, Scalar], table: Pads): Scalar[] {
  return Array.from({ length: M }, (_, j) =>
    reduce(chi[0] * (table[3 * j] as Scalar) + chi[1] * (table[3 * j + 1] as Scalar) + (table[3 * j + 2] as Scalar)),
  )
}

function maskHash(ctx: Uint8Array, rows: readonly Scalar[]): Uint8Array {
  const parts = rows.map(scalarToBytes)
  const joined = concat(...parts)
  const hash = tagged('vole-u', ctx, joined)
  for (const p of [joined, ...parts]) p.fill(0)
  return hash
}

function gadget(ctx: Uint8Array, otHash: Uint8Array, message: Vole): Scalar[] {
  const hash = scalarHasher('gadget', ctx, otHash, tagged('vole-message', encode(Vole, message)))
  return Array.from({ length: M }, (_, j) => hash(u32(j)))
}

export interface AliceVole {
  readonly message: Vole
  /** alpha_1, alpha_2. Secret. */
  readonly alpha: readonly [Scalar, Scalar]
  /** t_1, t_2. Secret. */
  readonly t: readonly [Scalar, Scalar]
}

/** Alice's side: random inputs, one message. */
export function voleAlice(nu: Uint8Array, ot: OtExtension, rows: Uint8Array, delta: Uint8Array, random: Random): AliceVole {
  const salt = random.bytes(32)
  const alpha = [randomScalar(random), randomScalar(random), randomScalar(random)] as const
  const t0 = pads(nu, salt, rows)
  const t1 = pads(nu, salt, rows, delta)
  const q = concat(...t0.map((t, i) => scalarToBytes(addScalars(subScalars(t, t1[i] as Scalar), alpha[i % COLUMNS] as Scalar))))
  const { ctx, otHash, chi } = challenges(nu, ot, salt, q)
  const mask = reduce(chi[0] * alpha[0] + chi[1] * alpha[1] + alpha[2])
  const message = { salt, rows: q, maskHash: maskHash(ctx, fold(chi, t0)), mask: scalarToBytes(mask) }
  const g = gadget(ctx, otHash, message)
  return { message, alpha: [alpha[0], alpha[1]], t: [subScalars(0n, column(g, t0, 0)), subScalars(0n, column(g, t0, 1))] }
}

export interface BobVole {
  /** Secret. */
  readonly beta: Scalar
  /** r_1, r_2. Secret. */
  readonly r: readonly [Scalar, Scalar]
}

/** What a VOLE message can be: fine, not canonical (no secret involved), or inconsistent (check 4.1: burn). */
export type VoleOutcome = BobVole | 'malformed' | 'inconsistent'

/** Bob's side. */
export function voleBob(nu: Uint8Array, ot: OtExtension, held: { choices: Uint8Array; rows: Uint8Array }, message: Vole): VoleOutcome {
  const mask = scalarFromBytes(message.mask)
  const q = Array.from({ length: M * COLUMNS }, (_, i) => scalarFromBytes(message.rows.subarray(i * SCALAR_BYTES, (i + 1) * SCALAR_BYTES)))
  if (mask === undefined || q.includes(undefined)) return 'malformed'
  const { ctx, otHash, chi } = challenges(nu, ot, message.salt, message.rows)
  const bits = Array.from({ length: M }, (_, j) => BigInt(bitOf(held.choices, j)))
  const s = pads(nu, message.salt, held.rows)
  const r = s.map((v, i) => addScalars(v, mulScalars(bits[Math.floor(i / COLUMNS)] as bigint, q[i] as Scalar)))
  const folded = fold(chi, r).map((v, j) => subScalars(v, mulScalars(bits[j] as bigint, mask)))
  // 4.1: without this a cheating sender learns bits of beta from our abort, row by row.
  if (!equalBytes(maskHash(ctx, folded), message.maskHash)) return 'inconsistent'
  const g = gadget(ctx, otHash, message)
  const beta = reduce(g.reduce((sum, v, j) => sum + v * (bits[j] as bigint), 0n))
  return { beta, r: [column(g, r, 0), column(g, r, 1)] }
}
