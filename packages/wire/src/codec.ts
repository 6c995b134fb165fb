import { ConclaveError } from '@conclave/core'
import protobuf from 'protobufjs/minimal.js'
import { type Codec, conclave } from './generated/messages.js'
import type { Field, Fields, MessageField, ValueOf } from './schema.ts'

/** Bytes that are not exactly one message, or a value that does not fit the wire. Codes: WIRE_DECODE, WIRE_ENCODE. */
export class WireError extends ConclaveError {}

type Plain = Record<string, unknown>
type Refuse = (path: string, why: string) => never
/** Where the cases of a oneof stand: beside the other fields (generated codec) or one level down (our values). */
type Layout = 'flat' | 'nested'

/** Room that is kept for the next message; longer ones, which only batches are, get room of their own. */
const KEPT_BYTES = 1 << 18
const kept = Buffer.alloc(KEPT_BYTES)

/** Lays a message out and hands the bytes to `use`: valid until it returns, and wiped then. */
function laidOut<T>(name: string, value: object, use: (bytes: Uint8Array) => T): T {
  const writer = protobuf.Writer.create()
  writer.buf = kept
  try {
    codecOf(name).encode(value, writer)
    return use(writer.finish(true))
  } finally {
    writer.buf.fill(0, 0, writer.pos)
    if (writer.buf !== kept) kept.fill(0)
  }
}

function codecOf(name: string): Codec {
  const codec = conclave[name]
  if (codec === undefined) throw new ConclaveError('ASSERTION', `no generated codec for ${name}`)
  return codec
}

function checkBytes(value: unknown, field: Extract<Field, { kind: 'bytes' }>, path: string, refuse: Refuse): Uint8Array {
  if (!(value instanceof Uint8Array)) return refuse(path, 'is not bytes')
  if (value.length === 0 && field.orEmpty) return new Uint8Array(0)
  if (value.length < field.min || value.length > field.max) return refuse(path, `has ${value.length} bytes`)
  return value
}

function checkField(value: unknown, field: Field, path: string, layout: Layout, refuse: Refuse): unknown {
  switch (field.kind) {
    case 'bytes':
      // Of what came in a copy, never a view into the frame: secrets must be wipeable and frames reusable.
      return layout === 'flat' ? new Uint8Array(checkBytes(value, field, path, refuse)) : checkBytes(value, field, path, refuse)
    case 'text':
      if (typeof value !== 'string' || value.length > field.charsMax) return refuse(path, 'is not a text within its limit')
      return value
    case 'number':
      if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > field.max) return refuse(path, 'is out of range')
      return value
    case 'flag':
      return typeof value === 'boolean' ? value : refuse(path, 'is not a flag')
    case 'list':
      if (!Array.isArray(value) || value.length < field.countMin || value.length > field.countMax)
        return refuse(path, `has not ${field.countMin} to ${field.countMax} items`)
      return value.map((v, i) => checkField(v, field.item, `${path}[${i}]`, layout, refuse))
    case 'message':
      return checkMessage(value, field.fields, path, layout, refuse)
    case 'oneof':
      return refuse(path, 'is a oneof')
  }
}

function checkMessage(value: unknown, fields: Fields, path: string, layout: Layout, refuse: Refuse): Plain {
  if (typeof value !== 'object' || value === null) return refuse(path, 'is missing')
  const source = value as Plain
  const out: Plain = {}
  for (const [name, field] of Object.entries(fields)) {
    if (field.kind !== 'oneof') {
      out[name] = checkField(source[name], field, `${path}.${name}`, layout, refuse)
      continue
    }
    const inner = (layout === 'nested' ? source[name] : source) as Plain
    const set = Object.keys(field.cases).filter((k) => inner?.[k] !== null && inner?.[k] !== undefined)
    const only = set[0]
    if (set.length !== 1 || only === undefined) return refuse(`${path}.${name}`, 'must have exactly one case')
    out[name] = { [only]: checkField(inner[only], field.cases[only] as Field, `${path}.${only}`, layout, refuse) }
  }
  return out
}

/** The generated codec has the cases of a oneof beside the other fields; our values have them one level down. */
function flatten(value: unknown, field: Field): unknown {
  if (field.kind === 'list') return (value as unknown[]).map((v) => flatten(v, field.item))
  if (field.kind !== 'message') return value
  const source = value as Plain
  const out: Plain = {}
  for (const [name, f] of Object.entries(field.fields)) {
    if (f.kind === 'oneof') {
      const [only, v] = Object.entries(source[name] as Plain)[0] as [string, unknown]
      out[only] = flatten(v, f.cases[only] as Field)
    } else out[name] = flatten(source[name], f)
  }
  return out
}

/**
 * The canonical bytes of a value.
 *
 * @throws {WireError} WIRE_ENCODE when the value breaks a limit: our own bug, or input that was not checked before.
 */
export function encode<M extends MessageField>(type: M, value: ValueOf<M>): Uint8Array {
  const refuse: Refuse = (path, why) => {
    throw new WireError('WIRE_ENCODE', `${path} ${why}`)
  }
  const checked = checkMessage(value, type.fields, type.name, 'nested', refuse)
  return laidOut(type.name, flatten(checked, type) as object, (bytes) => Buffer.from(bytes))
}

/**
 * Exactly one canonical message: unknown fields, wrong wire types, repeated fields, non-minimal varints, wrong lengths and
 * trailing bytes are all refused, because the value must encode to the very bytes that came in.
 *
 * @returns a value that shares no memory with `bytes`.
 * @throws {WireError} WIRE_DECODE, and nothing else.
 */
export function decode<M extends MessageField>(type: M, bytes: Uint8Array): ValueOf<M> {
  const refuse: Refuse = (path, why) => {
    throw new WireError('WIRE_DECODE', `${path} ${why}`)
  }
  let raw: unknown
  try {
    raw = codecOf(type.name).decode(bytes)
  } catch (cause) {
    throw new WireError('WIRE_DECODE', `not a ${type.name}`, { cause })
  }
  const value = checkMessage(raw, type.fields, type.name, 'flat', refuse)
  // Who sent the bytes knows them all: the time that this takes tells nobody anything.
  const isCanonical = laidOut(type.name, flatten(value, type) as object, (again) => Buffer.compare(again, bytes) === 0)
  if (!isCanonical) refuse(type.name, 'is not in canonical form')
  return value as ValueOf<M>
}
