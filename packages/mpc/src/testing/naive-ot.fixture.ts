/**
 * OT extension and random VOLE a second time, from the formulas of docs/spec/protocol.md sections 3 and 4.
 *
 * Randomness in the order in which it is drawn: Bob 32 bytes of salt, then 112 of choice bits; Alice 32 bytes of salt, then alpha_1,
 * alpha_2, alpha_m of 48 bytes each.
 */
import type { Random } from '@conclave/core'
import { encode, OtExtension, type Vole } from '@conclave/wire'
import {
  type Bits,
  bigEndian,
  bitsOf,
  bytesOf,
  fromPolynomial,
  Hs,
  join,
  M,
  mod,
  N,
  packBits,
  q,
  same,
  stretch,
  T,
  timesBit,
  timesPolynomial,
  toPolynomial,
  transposed,
  u32,
  xorBits,
} from './naive-maths.fixture.ts'

/** A check of the specification that did not hold. */
export class NaiveAbort extends Error {
  readonly check: string

  constructor(check: string) {
    super(`check ${check}`)
    this.check = check
  }
}

/** One secret scalar: 48 bytes mod q. */
export const drawScalar = (random: Random): bigint => bigEndian(random.bytes(48)) % q

const prg = (seed: Uint8Array, nu: Uint8Array): Bits => bitsOf(stretch('prg', N / 8, seed, nu))
const name = (sid: Uint8Array, pairCtx: Uint8Array, salt: Uint8Array) => T('ote', sid, pairCtx, salt)
const chis = (nu: Uint8Array, columns: Uint8Array): readonly bigint[] => {
  const bits = bitsOf(stretch('ote-chi', 96, nu, columns))
  return [0, 1, 2, 3, 4, 5].map((k) => toPolynomial(bits.slice(128 * k, 128 * k + 128)))
}

/** `sum_k chi_k s^(k) + s^(7)` of a string of seven blocks. */
function folded(chi: readonly bigint[], string: Bits): Bits {
  const block = (k: number) => toPolynomial(string.slice(128 * k, 128 * k + 128))
  return fromPolynomial(chi.reduce((sum, c, k) => sum ^ timesPolynomial(c, block(k)), block(6)))
}

export interface NaiveBob {
  readonly nu: Uint8Array
  readonly message: OtExtension
  readonly x: Bits
  /** V, 896 rows of 128 bits. */
  readonly rows: readonly Bits[]
}

/** @param guess - a cheat: the first bit of this column is wrong, which betrays the bit of Delta to who sees whether 3.1 holds. */
export function extendBob(
  sid: Uint8Array,
  pairCtx: Uint8Array,
  seeds: readonly (readonly Uint8Array[])[],
  random: Random,
  guess?: number,
): NaiveBob {
  const salt = random.bytes(32)
  const nu = name(sid, pairCtx, salt)
  const x = bitsOf(random.bytes(N / 8))
  const [t0, t1] = seeds.map((list) => list.map((seed) => prg(seed, nu))) as [Bits[], Bits[]]
  const columns = join(t0.map((t, i) => packBits(xorBits(t, t1[i]!, x))))
  if (guess !== undefined) columns[112 * guess]! ^= 1
  const chi = chis(nu, columns)
  const checkHash = T('ote-check', nu, ...t0.map((t) => packBits(folded(chi, t))))
  return { nu, message: { salt, columns, check: packBits(folded(chi, x)), checkHash }, x, rows: transposed(t0) }
}

export interface NaiveAlice {
  readonly nu: Uint8Array
  /** W, 896 rows of 128 bits. */
  readonly rows: readonly Bits[]
  readonly delta: Bits
}

/** @throws {NaiveAbort} 3.1. */
export function extendAlice(
  sid: Uint8Array,
  pairCtx: Uint8Array,
  held: { readonly delta: Bits; readonly seeds: readonly Uint8Array[] },
  message: OtExtension,
): NaiveAlice {
  const nu = name(sid, pairCtx, message.salt)
  const c = held.delta.map((_, i) => bitsOf(message.columns.slice(112 * i, 112 * i + 112)))
  const columns = held.delta.map((bit, i) => xorBits(prg(held.seeds[i]!, nu), timesBit(bit, c[i]!)))
  const chi = chis(nu, message.columns)
  const xt = bitsOf(message.check)
  const tt = columns.map((column, i) => packBits(xorBits(folded(chi, column), timesBit(held.delta[i]!, xt))))
  if (!same(T('ote-check', nu, ...tt), message.checkHash)) throw new NaiveAbort('3.1')
  return { nu, rows: transposed(columns), delta: held.delta }
}

const COLUMNS = [0, 1, 2]
const ROWS = Array.from({ length: M }, (_, j) => j)

/** pad[j][c]. */
const padsOf = (nu: Uint8Array, saltAlice: Uint8Array, rows: readonly Bits[]): readonly (readonly bigint[])[] =>
  ROWS.map((j) => {
    const row = packBits(rows[j]!)
    return COLUMNS.map((c) => Hs('pad', nu, saltAlice, join([u32(j), row]), u32(c)))
  })

interface Bound {
  readonly ctx: Uint8Array
  readonly otHash: Uint8Array
}

const bound = (nu: Uint8Array, ot: OtExtension, saltAlice: Uint8Array): Bound => ({
  ctx: T('vole', nu, saltAlice),
  otHash: T('ot-message', encode(OtExtension, ot)),
})

/** chi_1, chi_2 and the coefficient 1 of the mask. */
const coefficients = ({ ctx, otHash }: Bound, rows: Uint8Array): readonly bigint[] => [
  Hs('vole-chi', ctx, otHash, T('vole-rows', rows), u32(1)),
  Hs('vole-chi', ctx, otHash, T('vole-rows', rows), u32(2)),
  1n,
]

const dot = (a: readonly bigint[], b: readonly bigint[]): bigint => mod(a.reduce((sum, v, i) => sum + v * b[i]!, 0n))
const hashU = (ctx: Uint8Array, u: readonly bigint[]) => T('vole-u', ctx, join(u.map((v) => bytesOf(v, 32))))

function gadgetOf({ ctx, otHash }: Bound, message: Vole): readonly bigint[] {
  const voleHash = T('vole-message', message.salt, T('vole-rows', message.rows), message.maskHash, message.mask)
  return ROWS.map((j) => Hs('gadget', ctx, otHash, voleHash, u32(j)))
}

export interface NaiveAliceVole {
  readonly message: Vole
  readonly alpha: readonly bigint[]
  readonly t: readonly bigint[]
}

/** @param guess - a cheat: row j has another alpha_1, which betrays the choice bit to who sees whether 4.1 holds. */
export function voleAlice({ nu, rows, delta }: NaiveAlice, ot: OtExtension, random: Random, guess?: number): NaiveAliceVole {
  const salt = random.bytes(32)
  const alpha = COLUMNS.map(() => drawScalar(random))
  const t0 = padsOf(nu, salt, rows)
  const t1 = padsOf(
    nu,
    salt,
    rows.map((w) => xorBits(w, delta)),
  )
  const extra = (j: number, c: number) => (j === guess && c === 0 ? 1n : 0n)
  const rowBytes = join(ROWS.flatMap((j) => COLUMNS.map((c) => bytesOf(mod(t0[j]![c]! - t1[j]![c]! + alpha[c]! + extra(j, c)), 32))))
  const b = bound(nu, ot, salt)
  const chi = coefficients(b, rowBytes)
  const maskHash = hashU(
    b.ctx,
    t0.map((row) => dot(chi, row)),
  )
  const message = { salt, rows: rowBytes, maskHash, mask: bytesOf(dot(chi, alpha), 32) }
  const g = gadgetOf(b, message)
  const t = [0, 1].map((c) =>
    mod(
      -dot(
        g,
        t0.map((row) => row[c]!),
      ),
    ),
  )
  return { message, alpha: alpha.slice(0, 2), t }
}

export interface NaiveBobVole {
  readonly beta: bigint
  readonly r: readonly bigint[]
}

/** @throws {NaiveAbort} 0 on a scalar that is not canonical, 4.1. */
export function voleBob(nu: Uint8Array, ot: OtExtension, held: { x: Bits; rows: readonly Bits[] }, message: Vole): NaiveBobVole {
  const scalar = (i: number) => bigEndian(message.rows.slice(32 * i, 32 * i + 32))
  const Q = ROWS.map((j) => COLUMNS.map((c) => scalar(3 * j + c)))
  const v = bigEndian(message.mask)
  if ([v, ...Q.flat()].some((a) => a >= q)) throw new NaiveAbort('0')
  const S = padsOf(nu, message.salt, held.rows)
  const x = held.x.map(BigInt)
  const R = ROWS.map((j) => COLUMNS.map((c) => mod(S[j]![c]! + x[j]! * Q[j]![c]!)))
  const b = bound(nu, ot, message.salt)
  const chi = coefficients(b, message.rows)
  const u = ROWS.map((j) => mod(dot(chi, R[j]!) - x[j]! * v))
  if (!same(hashU(b.ctx, u), message.maskHash)) throw new NaiveAbort('4.1')
  const g = gadgetOf(b, message)
  const column = (c: number) =>
    dot(
      g,
      R.map((row) => row[c]!),
    )
  return { beta: dot(g, x), r: [column(0), column(1)] }
}
