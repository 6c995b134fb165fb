import {
  CorrelateOt,
  DealCommit,
  DealOpen,
  DealSubshare,
  decode,
  encode,
  type MessageField,
  type OtExtension,
  SignCommit,
  SignOpen,
  SignPartial,
  type ValueOf,
} from '@conclave/wire'
import type { Dice } from './dice.ts'

/** A scalar below the group order, whatever it is. */
const scalar = (dice: Dice): Uint8Array => {
  const out = dice.bytes(32)
  out[0] = (out[0] as number) & 0x7f
  return out
}

/** The message with some fields changed; undefined when the body is not one. */
function altered<M extends MessageField>(
  type: M,
  body: Uint8Array,
  change: (m: ValueOf<M>) => Partial<ValueOf<M>>,
): Uint8Array | undefined {
  try {
    const value = decode(type, body)
    return encode(type, { ...value, ...change(value) })
  } catch {
    // Another plug-in has already made something else of it.
    return undefined
  }
}

type DealDeviation = 'equivocate' | 'wrong-degree' | 'wrong-share'

/** Messages in which a key is dealt. */
export function rewriteDeal(deviation: DealDeviation, kind: string, round: number, body: Uint8Array, dice: Dice): Uint8Array | undefined {
  if (kind !== 'deal') return undefined
  if (deviation === 'wrong-share') return round === 3 ? altered(DealSubshare, body, () => ({ subshare: scalar(dice) })) : undefined
  if (deviation === 'equivocate') {
    if (round === 1) return dice.chance(0.5) ? altered(DealCommit, body, () => ({ commitment: dice.bytes(32) })) : undefined
    return round === 2 ? altered(DealOpen, body, () => ({ salt: dice.bytes(32) })) : undefined
  }
  if (round !== 2) return undefined
  const isLonger = dice.chance(0.5)
  return altered(DealOpen, body, ({ coefficients, proofs }) =>
    isLonger
      ? { coefficients: [...coefficients, ...coefficients.slice(0, 1)], proofs: [...proofs, ...proofs.slice(0, 1)] }
      : { coefficients: coefficients.slice(0, -1), proofs: proofs.slice(0, -1) },
  )
}

type SignDeviation = 'equivocate' | 'wrong-degree' | 'wrong-share' | 'cheat-ot'

/** One bit of one column: noticed exactly when the peer's secret has a 1 there. */
const cheated = (ots: readonly OtExtension[], dice: Dice): readonly OtExtension[] =>
  ots.map((ot, i) => {
    if (i > 0) return ot
    const columns = Uint8Array.from(ot.columns)
    const at = dice.between(0, columns.length - 1)
    columns[at] = (columns[at] as number) ^ 1
    return { ...ot, columns }
  })

/** Messages in which correlations are made. */
export function rewriteCorrelate(round: number, body: Uint8Array, dice: Dice): Uint8Array | undefined {
  return round === 1 ? altered(CorrelateOt, body, ({ ots }) => ({ ots: cheated(ots, dice) })) : undefined
}

/** Messages of a signing session. */
export function rewriteSign(deviation: SignDeviation, round: number, body: Uint8Array, dice: Dice): Uint8Array | undefined {
  if (deviation === 'equivocate' && round === 1)
    return altered(SignCommit, body, (m) => ({ commitments: m.commitments.map(() => dice.bytes(32)) }))
  if (deviation === 'cheat-ot' && round === 1) return altered(SignCommit, body, ({ ots }) => ({ ots: cheated(ots, dice) }))
  if (deviation !== 'wrong-share') return undefined
  if (round === 3) {
    const field = dice.pick(['gammaU', 'gammaV', 'psi'] as const)
    return altered(SignOpen, body, ({ openings }) => ({ openings: openings.map((o) => ({ ...o, [field]: scalar(dice) })) }))
  }
  if (round !== 4) return undefined
  const field = dice.pick(['u', 'w'] as const)
  return altered(SignPartial, body, ({ partials }) => ({ partials: partials.map((p) => ({ ...p, [field]: scalar(dice) })) }))
}
