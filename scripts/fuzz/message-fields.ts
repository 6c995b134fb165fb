// Changes of a protobuf message that keep it one, or nearly: whole fields are dropped, repeated, moved and renamed, lengths lie.
import { concat } from '@conclave/core'
import type { Edit, Step } from './mutation.ts'

const DEPTH_MAX = 4
const BYTES = 2

interface Field {
  readonly number: number
  readonly wire: number
  /** The whole field, tag included. */
  readonly bytes: Uint8Array
  /** What follows tag and length. */
  readonly payload: Uint8Array
}

/** The value may be wrong above 2^32: nothing here needs it. */
function readVarint(bytes: Uint8Array, from: number): { readonly value: number; readonly end: number } | undefined {
  let value = 0
  for (let i = 0; i < 10; i++) {
    const byte = bytes[from + i]
    if (byte === undefined) return undefined
    value += (byte & 0x7f) * 2 ** (7 * i)
    if (byte < 0x80) return { value, end: from + i + 1 }
  }
  return undefined
}

function varint(value: number): Uint8Array {
  const out: number[] = []
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Uint8Array.from([...out, rest])
    out.push((rest % 128) | 0x80)
  }
}

/** The fields of a message, or undefined when the bytes are none. */
export function fieldsOf(bytes: Uint8Array): readonly Field[] | undefined {
  const fields: Field[] = []
  for (let at = 0; at < bytes.length; ) {
    const tag = readVarint(bytes, at)
    const number = Math.floor((tag?.value ?? 0) / 8)
    const wire = (tag?.value ?? 0) % 8
    if (tag === undefined || number === 0 || (wire !== 0 && wire !== BYTES)) return undefined
    const next = readVarint(bytes, tag.end)
    if (next === undefined) return undefined
    const end = wire === BYTES ? next.end + next.value : next.end
    if (end > bytes.length) return undefined
    const payload = bytes.subarray(wire === BYTES ? next.end : tag.end, end)
    fields.push({ number, wire, bytes: bytes.subarray(at, end), payload })
    at = end
  }
  return fields
}

const made = (number: number, wire: number, ...rest: readonly Uint8Array[]) => concat(varint(number * 8 + wire), ...rest)
const delimited = (number: number, payload: Uint8Array) => made(number, BYTES, varint(payload.length), payload)
const LENGTHS = [0x7fffffff, 0xffffffff, 2 ** 31, 2 ** 53 - 1, 1 << 20]
const NUMBERS = [0, 1, 255, 0x7fffffff, 0xffffffff, 2 ** 40]

type FieldEdit = (field: Field, step: Step, other: readonly Field[]) => readonly Uint8Array[]
const EDITS: readonly FieldEdit[] = [
  () => [],
  (f) => [f.bytes, f.bytes],
  (f, { size }) => [made(f.number + 1 + (size % 9), f.wire, ...(f.wire === BYTES ? [varint(f.payload.length)] : []), f.payload)],
  (f) => (f.wire === BYTES ? [made(f.number, 0, varint(f.payload.length))] : [delimited(f.number, f.payload)]),
  // A length that the message does not have.
  (f, { size }) => [made(f.number, BYTES, varint(LENGTHS[size % LENGTHS.length] as number), f.payload)],
  (f, { size }) => (f.wire === BYTES ? [delimited(f.number, f.payload.subarray(0, size % (f.payload.length + 1)))] : [f.bytes]),
  (f, { size, value }) =>
    f.wire === BYTES ? [delimited(f.number, concat(f.payload, new Uint8Array(1 + (size % 64)).fill(value)))] : [f.bytes],
  (f, { size }) =>
    f.wire === 0
      ? [made(f.number, 0, varint(NUMBERS[size % NUMBERS.length] as number))]
      : [
          delimited(
            f.number,
            f.payload.map((b, i) => (i === size % f.payload.length ? b ^ 1 : b)),
          ),
        ],
  // The same number in one byte too many.
  (f) =>
    f.wire === 0
      ? [
          made(
            f.number,
            0,
            f.payload.map((b, i) => (i === f.payload.length - 1 ? b | 0x80 : b)),
            Uint8Array.of(0),
          ),
        ]
      : [f.bytes],
  (f, { size }, other) => [(other[size % Math.max(1, other.length)] ?? f).bytes],
  (f, { size }, other) => [f.bytes, (other[size % Math.max(1, other.length)] ?? f).bytes],
]

function editAt(bytes: Uint8Array, step: Step, other: Uint8Array, depth = 0): Uint8Array {
  const fields = fieldsOf(bytes) ?? []
  const at = step.at % Math.max(1, fields.length)
  const field = fields[at]
  if (field === undefined) return bytes
  const others = fieldsOf(other) ?? []
  const inside = depth < DEPTH_MAX && ((step.value >> depth) & 1) === 1 && field.wire === BYTES
  const edit = EDITS[step.size % EDITS.length] as FieldEdit
  const put =
    inside && (fieldsOf(field.payload)?.length ?? 0) > 0
      ? [delimited(field.number, editAt(field.payload, step, others.find((o) => o.number === field.number)?.payload ?? other, depth + 1))]
      : edit(field, { ...step, size: Math.floor(step.size / EDITS.length) }, others)
  return concat(...fields.flatMap((f, i) => (i === at ? put : [f.bytes])))
}

function swapFields(bytes: Uint8Array, { at, size }: Step): Uint8Array {
  const fields = [...(fieldsOf(bytes) ?? [])]
  if (fields.length < 2) return bytes
  const [moved] = fields.splice(at % fields.length, 1) as [Field]
  fields.splice(size % (fields.length + 1), 0, moved)
  return concat(...fields.map((f) => f.bytes))
}

export const MESSAGE_EDITS: readonly Edit[] = [editAt, editAt, swapFields]
