/**
 * The limits of every field on the wire, from which the TypeScript types follow.
 *
 * proto/ says how a message is laid out; this says what is accepted: exact lengths, counts, ranges. A test holds the two equal.
 */

export interface BytesField {
  readonly kind: 'bytes'
  readonly min: number
  readonly max: number
  readonly orEmpty: boolean
}
export interface TextField {
  readonly kind: 'text'
  readonly charsMax: number
}
export interface NumberField {
  readonly kind: 'number'
  readonly max: number
}
export interface FlagField {
  readonly kind: 'flag'
}
export interface ListField<F extends ItemField = ItemField> {
  readonly kind: 'list'
  readonly item: F
  readonly countMin: number
  readonly countMax: number
}
export interface MessageField<S extends Fields = Fields> {
  readonly kind: 'message'
  readonly name: string
  readonly fields: S
}
/** Fields of which exactly one is set; the value is an object with that one key. */
export interface OneOfField<S extends Record<string, MessageField> = Record<string, MessageField>> {
  readonly kind: 'oneof'
  readonly cases: S
}
export type ItemField = BytesField | TextField | NumberField | MessageField
export type Field = BytesField | TextField | NumberField | FlagField | ListField | MessageField | OneOfField
export type Fields = Readonly<Record<string, Field>>

type OneCase<S extends Record<string, MessageField>> = { [K in keyof S]: { readonly [P in K]: ValueOf<S[K]> } }[keyof S]
type ItemValue<F> = F extends BytesField ? Uint8Array : F extends TextField ? string : F extends NumberField ? number : ValueOf<F>
type FieldValue<F> = F extends FlagField
  ? boolean
  : F extends ListField<infer I>
    ? readonly ItemValue<I>[]
    : F extends OneOfField<infer S>
      ? OneCase<S>
      : ItemValue<F>
/** The value of a message: plain, read-only, every field present. */
export type ValueOf<M> = M extends MessageField<infer S> ? { readonly [K in keyof S]: FieldValue<S[K]> } : never

/** Exactly `length` bytes. */
export const bytes = (length: number): BytesField => ({ kind: 'bytes', min: length, max: length, orEmpty: false })
/** Between `min` and `max` bytes. */
export const bytesBetween = (min: number, max: number): BytesField => ({ kind: 'bytes', min, max, orEmpty: false })
/** Exactly `length` bytes, or none. */
export const bytesOrEmpty = (length: number): BytesField => ({ kind: 'bytes', min: length, max: length, orEmpty: true })
export const text = (charsMax: number): TextField => ({ kind: 'text', charsMax })
export const number = (max = 0xffffffff): NumberField => ({ kind: 'number', max })
export const flag: FlagField = { kind: 'flag' }
export const list = <F extends ItemField>(item: F, countMax: number, countMin = 0): ListField<F> => ({
  kind: 'list',
  item,
  countMin,
  countMax,
})
export const message = <S extends Fields>(name: string, fields: S): MessageField<S> => ({ kind: 'message', name, fields })
export const oneOf = <S extends Record<string, MessageField>>(cases: S): OneOfField<S> => ({ kind: 'oneof', cases })
