import { ConclaveError } from '@conclave/core'
import protobuf from 'protobufjs/minimal.js'
import { type Codec, conclave } from './generated/messages.js'
import type { Field, ListField, MessageField, OneOfField, ValueOf } from './schema.ts'

/** Bytes that are not exactly one message, or a value that does not fit the wire. Codes: WIRE_DECODE, WIRE_ENCODE. */
export class WireError extends ConclaveError {}

type Plain = Record<string, unknown>
/** Says what is wrong with the value at {@link place}. */
type Refuse = (why: string) => never
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

/** What is known of a message type beforehand. */
interface Plan {
  readonly fields: readonly (readonly [name: string, field: Field, at: string])[]
  /** There is no oneof in it, at any depth. */
  readonly isFlat: boolean
}

const plans = new WeakMap<MessageField, Plan>()

function planOf(type: MessageField): Plan {
  const known = plans.get(type)
  if (known !== undefined) return known
  const entries = Object.entries(type.fields)
  const plan = {
    fields: entries.map(([name, field]) => [name, field, `.${name}`] as const),
    isFlat: entries.every(([, field]) => isFlat(field)),
  }
  plans.set(type, plan)
  return plan
}

function isFlat(field: Field): boolean {
  if (field.kind === 'list') return isFlat(field.item)
  return field.kind === 'message' ? planOf(field).isFlat : field.kind !== 'oneof'
}

/** Where in the message the value is that is looked at, in pieces: joined only when something is wrong there. */
const place: string[] = []

/** Checks a whole message, and says where it breaks a limit. */
function checked(type: MessageField, value: unknown, layout: Layout, code: 'WIRE_ENCODE' | 'WIRE_DECODE'): Plain {
  place.length = 0
  return checkMessage(value, type, layout, (why) => {
    throw new WireError(code, `${type.name}${place.join('')} ${why}`)
  })
}

function checkBytes(value: unknown, field: Extract<Field, { kind: 'bytes' }>, refuse: Refuse): Uint8Array {
  if (!(value instanceof Uint8Array)) return refuse('is not bytes')
  if (value.length === 0 && field.orEmpty) return new Uint8Array(0)
  if (value.length < field.min || value.length > field.max) return refuse(`has ${value.length} bytes`)
  return value
}

function checkField(value: unknown, field: Field, layout: Layout, refuse: Refuse): unknown {
  switch (field.kind) {
    case 'bytes':
      // Of what came in a copy, never a view into the frame: secrets must be wipeable and frames reusable.
      return layout === 'flat' ? new Uint8Array(checkBytes(value, field, refuse)) : checkBytes(value, field, refuse)
    case 'text':
      if (typeof value !== 'string' || value.length > field.charsMax) return refuse('is not a text within its limit')
      return value
    case 'number':
      if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > field.max) return refuse('is out of range')
      return value
    case 'flag':
      return typeof value === 'boolean' ? value : refuse('is not a flag')
    case 'list':
      return checkList(value, field, layout, refuse)
    case 'message':
      return checkMessage(value, field, layout, refuse)
    case 'oneof':
      return refuse('is a oneof')
  }
}

function checkList(value: unknown, field: ListField, layout: Layout, refuse: Refuse): unknown[] {
  if (!Array.isArray(value) || value.length < field.countMin || value.length > field.countMax)
    return refuse(`has not ${field.countMin} to ${field.countMax} items`)
  const out: unknown[] = []
  for (let i = 0; i < value.length; i++) {
    place.push(`[${i}]`)
    out.push(checkField(value[i], field.item, layout, refuse))
    place.pop()
  }
  return out
}

function checkMessage(value: unknown, type: MessageField, layout: Layout, refuse: Refuse): Plain {
  if (typeof value !== 'object' || value === null) return refuse('is missing')
  const source = value as Plain
  const out: Plain = {}
  for (const [name, field, at] of planOf(type).fields) {
    place.push(at)
    out[name] = field.kind === 'oneof' ? checkCase(source, name, field, layout, refuse) : checkField(source[name], field, layout, refuse)
    place.pop()
  }
  return out
}

function checkCase(source: Plain, name: string, field: OneOfField, layout: Layout, refuse: Refuse): Plain {
  const inner = (layout === 'nested' ? source[name] : source) as Plain
  let only: string | undefined
  for (const k in field.cases) {
    if (inner?.[k] === null || inner?.[k] === undefined) continue
    if (only !== undefined) return refuse('must have exactly one case')
    only = k
  }
  if (only === undefined) return refuse('must have exactly one case')
  place.push('.', only)
  const value = checkField(inner[only], field.cases[only] as MessageField, layout, refuse)
  place.length -= 2
  return { [only]: value }
}

/** The generated codec has the cases of a oneof beside the other fields; our values have them one level down. */
function flatten(value: unknown, field: Field): unknown {
  if (field.kind === 'list') return isFlat(field.item) ? value : (value as unknown[]).map((v) => flatten(v, field.item))
  if (field.kind !== 'message' || isFlat(field)) return value
  const source = value as Plain
  const out: Plain = {}
  for (const [name, f] of planOf(field).fields) {
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
  const sound = checked(type, value, 'nested', 'WIRE_ENCODE')
  return laidOut(type.name, flatten(sound, type) as object, (bytes) => Buffer.from(bytes))
}

/**
 * Exactly one canonical message: unknown fields, wrong wire types, repeated fields, non-minimal varints, wrong lengths and
 * trailing bytes are all refused, because the value must encode to the very bytes that came in.
 *
 * @returns a value that shares no memory with `bytes`.
 * @throws {WireError} WIRE_DECODE, and nothing else.
 */
export function decode<M extends MessageField>(type: M, bytes: Uint8Array): ValueOf<M> {
  let raw: unknown
  try {
    raw = codecOf(type.name).decode(bytes)
  } catch (cause) {
    throw new WireError('WIRE_DECODE', `not a ${type.name}`, { cause })
  }
  const value = checked(type, raw, 'flat', 'WIRE_DECODE')
  // Who sent the bytes knows them all: the time that this takes tells nobody anything.
  const isCanonical = laidOut(type.name, flatten(value, type) as object, (again) => Buffer.compare(again, bytes) === 0)
  if (!isCanonical) throw new WireError('WIRE_DECODE', `${type.name} is not in canonical form`)
  return value as ValueOf<M>
}
