/**
 * Random VOLE, Variant II, section 4: from correlated rows to `t_c + r_c = alpha_c * beta`.
 *
 * The gadget vector comes from a hash over Alice's last message, so she cannot fit her input to it (Asharov's first departure).
 */
import { equalBytes, type Random, SecretScope, tagged, taggedPrefix, u32 } from '@conclave/core'
import { kernel } from '@conclave/kernel'
import { encode, OtExtension, type Vole } from '@conclave/wire'
import { areCanonical, hashToScalar, negate, pack, randomScalar, type Scalar, type Scalars, scalarAt } from './arithmetic.ts'
import { COLUMNS, M, PAYLOAD, ROW_BYTES } from './constants.ts'

/** Pads of section 3, M x COLUMNS: one scalar per row and column; the row index and both salts are bound. Secret; held by the kernel. */
function pads(nu: Uint8Array, saltAlice: Uint8Array, rows: Uint8Array, offset?: Uint8Array): Scalars {
  return kernel.hashRows(taggedPrefix('pad', nu, saltAlice), rows.subarray(0, M * ROW_BYTES), offset, COLUMNS)
}

/** What the challenges of one multiplication are bound to. */
interface Bound {
  readonly ctx: Uint8Array
  readonly otHash: Uint8Array
  readonly rowsHash: Uint8Array
}

const bind = (nu: Uint8Array, ot: OtExtension, salt: Uint8Array, rows: Uint8Array): Bound => ({
  ctx: tagged('vole', nu, salt),
  otHash: tagged('ot-message', encode(OtExtension, ot)),
  rowsHash: tagged('vole-rows', rows),
})

/** `chi_1, chi_2`: the weights of the columns before the mask, which has weight 1. */
function weights({ ctx, otHash, rowsHash }: Bound): Scalars {
  const chi = (k: number) => hashToScalar('vole-chi', ctx, otHash, rowsHash, u32(k))
  return pack([chi(1), chi(2)])
}

function gadget({ ctx, otHash, rowsHash }: Bound, { salt, maskHash, mask }: Omit<Vole, 'rows'>): Scalars {
  // The hash of the rows stands for the rows: 73 kB are read once.
  const message = tagged('vole-message', salt, rowsHash, maskHash, mask)
  return kernel.hashIndices(taggedPrefix('gadget', ctx, otHash, message), M)
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
  using scope = new SecretScope()
  const salt = random.bytes(32)
  const inputs = [scope.own(randomScalar(random)), scope.own(randomScalar(random)), scope.own(randomScalar(random))]
  const alpha = scope.own(pack(inputs))
  const offset = scope.own(new Uint8Array(ROW_BYTES))
  offset.set(delta)
  return kernel.hold(() => {
    const t0 = pads(nu, salt, rows)
    const q = kernel.maskedDifferences(t0, pads(nu, salt, rows, offset), alpha)
    const bound = bind(nu, ot, salt, q)
    const chi = weights(bound)
    const maskHash = tagged('vole-u', bound.ctx, kernel.foldColumns(t0, chi))
    const message = { salt, rows: q.slice(), maskHash, mask: kernel.foldColumns(alpha, chi).slice() }
    const sums = kernel.sumColumns(gadget(bound, message), t0, PAYLOAD)
    return {
      message,
      alpha: [scalarAt(alpha, 0).slice(), scalarAt(alpha, 1).slice()],
      t: [negate(scalarAt(sums, 0)), negate(scalarAt(sums, 1))],
    }
  })
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
  if (!areCanonical(message.mask) || !areCanonical(message.rows)) return 'malformed'
  const bits = held.choices.subarray(0, M / 8)
  return kernel.hold(() => {
    const bound = bind(nu, ot, message.salt, message.rows)
    const r = kernel.addSelected(pads(nu, message.salt, held.rows), bits, message.rows, COLUMNS)
    const u = kernel.subSelected(kernel.foldColumns(r, weights(bound)), bits, message.mask)
    // 4.1: without this a cheating sender learns bits of beta from our abort, row by row.
    if (!equalBytes(tagged('vole-u', bound.ctx, u), message.maskHash)) return 'inconsistent'
    const g = gadget(bound, message)
    const sums = kernel.sumColumns(g, r, PAYLOAD)
    return { beta: kernel.sumSelected(g, bits).slice(), r: [scalarAt(sums, 0).slice(), scalarAt(sums, 1).slice()] }
  })
}
