import type { JsonValue } from '@conclave/core'
import { parseEvmAddress } from './evm-address.ts'
import { undecodable } from './payload-facts.ts'
import { quoted } from './printable.ts'

/** A member of a struct type. */
export interface TypedField {
  readonly name: string
  readonly type: string
}

/** Struct types by name, `EIP712Domain` among them. */
export type TypedTypes = Readonly<Record<string, readonly TypedField[]>>

/** A value that is no struct and no array, with its place, like `orders[2].amount`. */
export interface TypedLeaf {
  readonly place: string
  readonly type: string
  /** For a person: printable ASCII. */
  readonly text: string
}

/** What a person is asked to read of one message, at most. */
export const TYPED_LEAVES_MAX = 512
const TYPES_MAX = 64
const FIELDS_MAX = 128
const NAME = /^[A-Za-z_$][A-Za-z0-9_$]{0,127}$/
const ARRAY = /^(.+)\[([1-9][0-9]{0,8})?\]$/
const INTEGER =
  /^(u?)int(8|16|24|32|40|48|56|64|72|80|88|96|104|112|120|128|136|144|152|160|168|176|184|192|200|208|216|224|232|240|248|256)$/
const BYTES_N = /^bytes([1-9]|[12][0-9]|3[0-2])$/
const BUILT_IN = /^(u?int[0-9]*|bytes[0-9]*|address|bool|string)$/
const NUMBER_TEXT = /^(-?(0|[1-9][0-9]{0,77})|0x[0-9a-f]{1,64})$/

type JsonObject = { readonly [name: string]: JsonValue }

function refuse(message: string): never {
  undecodable('eip712', message)
}

/** An object with exactly these names. */
export function objectOf(value: JsonValue | undefined, names: readonly string[], what: string): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) refuse(`${what} is an object`)
  const found = Object.keys(value)
  const other = [...found.filter((name) => !names.includes(name)), ...names.filter((name) => !found.includes(name))]
  if (other.length > 0) refuse(`${what}: ${quoted(other[0] as string)} is missing or not expected`)
  return value as JsonObject
}

/** A name that means something to JavaScript could make a library see another type than is shown. */
function checkName(name: JsonValue | undefined): string {
  if (typeof name !== 'string' || !NAME.test(name) || name in Object.prototype) refuse('a name is 1 to 128 of a-z, A-Z, 0-9, "_" and "$"')
  return name as string
}

/** @throws {InvalidArgument} PAYLOAD_UNDECODABLE unless these are struct types, each member named once. */
export function parseTypes(value: JsonValue | undefined): TypedTypes {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) refuse('"types" is an object')
  const entries = Object.entries(value as JsonObject)
  if (entries.length > TYPES_MAX) refuse(`more than ${TYPES_MAX} types`)
  const types = entries.map(([type, members]): [string, readonly TypedField[]] => {
    if (!Array.isArray(members) || members.length === 0 || members.length > FIELDS_MAX) refuse(`a type has 1 to ${FIELDS_MAX} members`)
    const fields = (members as readonly JsonValue[]).map((member) => {
      const { name, type: of } = objectOf(member, ['name', 'type'], 'a member of a type')
      if (typeof of !== 'string' || of.length > 256) refuse('a type is named by text')
      return { name: checkName(name), type: of as string }
    })
    if (new Set(fields.map((f) => f.name)).size < fields.length) refuse('a member is named twice')
    if (BUILT_IN.test(type)) refuse('a type with the name of a built-in one')
    return [checkName(type), fields]
  })
  return Object.fromEntries(types)
}

function integerText(value: JsonValue, isUnsigned: boolean, bits: bigint): string {
  const isNumber = typeof value === 'number' && Number.isSafeInteger(value)
  if (!isNumber && !(typeof value === 'string' && NUMBER_TEXT.test(value)))
    refuse('an integer is a whole number, or text of its decimal or hexadecimal digits')
  const number = BigInt(value as string | number)
  const max = isUnsigned ? 1n << bits : 1n << (bits - 1n)
  if (number >= max || number < (isUnsigned ? 0n : -max)) refuse('an integer is out of the range of its type')
  return number.toString()
}

function bytesText(value: JsonValue, length: number | undefined): string {
  const isHex = typeof value === 'string' && /^0x([0-9a-fA-F]{2})*$/.test(value)
  if (!isHex || (length !== undefined && value.length !== 2 + 2 * length))
    refuse('bytes are 0x and hexadecimal, as many as their type says')
  return (value as string).toLowerCase()
}

function leafText(type: string, value: JsonValue): string {
  const integer = INTEGER.exec(type)
  if (integer !== null) return integerText(value, integer[1] === 'u', BigInt(integer[2] as string))
  const fixed = BYTES_N.exec(type)
  if (fixed !== null) return bytesText(value, Number(fixed[1]))
  if (type === 'bytes') return bytesText(value, undefined)
  if (type === 'address') return typeof value === 'string' ? parseEvmAddress(value) : refuse('an address is text')
  if (type === 'bool') return typeof value === 'boolean' ? String(value) : refuse('a bool is true or false')
  if (type === 'string') return typeof value === 'string' ? quoted(value) : refuse('a string is text')
  return refuse('a type that is not declared')
}

/** Everything in a value of a type, in the order of the types' members. */
class LeafReader {
  readonly leaves: TypedLeaf[] = []
  readonly #types: TypedTypes

  constructor(types: TypedTypes) {
    this.#types = types
  }

  read(type: string, value: JsonValue, place: string): void {
    const array = ARRAY.exec(type)
    if (array !== null) {
      this.#readArray(array, value, place)
      return
    }
    const fields = Object.hasOwn(this.#types, type) ? this.#types[type] : undefined
    if (fields === undefined) {
      this.#add({ place, type, text: leafText(type, value) })
      return
    }
    const object = objectOf(
      value,
      fields.map((f) => f.name),
      place === '' ? 'the message' : place,
    )
    for (const field of fields) this.read(field.type, object[field.name] as JsonValue, place === '' ? field.name : `${place}.${field.name}`)
  }

  #readArray([, item, length]: RegExpExecArray, value: JsonValue, place: string): void {
    if (!Array.isArray(value)) refuse('an array is a list')
    const list = value as readonly JsonValue[]
    if (length !== undefined && list.length !== Number(length)) refuse('an array has another length than its type')
    if (list.length === 0) this.#add({ place, type: `${item}[]`, text: 'empty' })
    for (const [i, entry] of list.entries()) this.read(item as string, entry, `${place}[${i}]`)
  }

  #add(leaf: TypedLeaf): void {
    if (this.leaves.length === TYPED_LEAVES_MAX) refuse(`more than ${TYPED_LEAVES_MAX} values, which nobody would read`)
    this.leaves.push(leaf)
  }
}

/**
 * Every value of a struct, checked against its type: nothing missing, nothing more.
 *
 * @throws {InvalidArgument} PAYLOAD_UNDECODABLE, BAD_ADDRESS.
 */
export function typedLeaves(types: TypedTypes, type: string, value: JsonValue): readonly TypedLeaf[] {
  const reader = new LeafReader(types)
  reader.read(type, value, '')
  return reader.leaves
}
