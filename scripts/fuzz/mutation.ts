// Turns valid inputs into nearly valid ones. What to do is a small value that fast-check draws and shrinks; doing it is a function.
import { concat } from '@conclave/core'
import fc from 'fast-check'
import { MESSAGE_EDITS } from './message-fields.ts'
import { JSON_EDITS, TEXT_EDITS } from './text-edits.ts'

export type Kind = 'bytes' | 'message' | 'text' | 'json'

/** One change; the numbers mean what the edit makes of them, modulo what there is. */
export interface Step {
  readonly edit: number
  readonly at: number
  readonly size: number
  readonly value: number
}

/** `other` is a second valid input, to take pieces from. */
export type Edit = (bytes: Uint8Array, step: Step, other: Uint8Array) => Uint8Array

export interface Recipe {
  readonly seed: number
  readonly other: number
  readonly steps: readonly Step[]
}

const INPUT_BYTES_MAX = 1 << 20

export const recipe: fc.Arbitrary<Recipe> = fc.record({
  seed: fc.nat(0xffff),
  other: fc.nat(0xffff),
  steps: fc.array(fc.record({ edit: fc.nat(0xffff), at: fc.nat(0xfffff), size: fc.nat(0xffff), value: fc.nat(255) }), { maxLength: 4 }),
})

const cut = (bytes: Uint8Array, at: number, size: number) => [at % (bytes.length + 1), (at % (bytes.length + 1)) + (size % 64)] as const
const within = (bytes: Uint8Array, { at, size }: Step) => cut(bytes, at, size)
const RUNS = [0x00, 0xff, 0x7f, 0x80]

const BYTE_EDITS: readonly Edit[] = [
  (b, { at, value }) => b.map((v, i) => (i === at % b.length ? value : v)),
  (b, { at, value }) => b.map((v, i) => (i === at % b.length ? v ^ (1 << (value % 8)) : v)),
  (b, { at }) => b.subarray(0, at % (b.length + 1)),
  (b, s) => concat(b.subarray(0, within(b, s)[0]), b.subarray(within(b, s)[1])),
  (b, s) => concat(b.subarray(0, within(b, s)[1]), b.subarray(within(b, s)[0])),
  (b, { at, size, value }) =>
    concat(b.subarray(0, at % (b.length + 1)), new Uint8Array(size % 64).fill(value), b.subarray(at % (b.length + 1))),
  // Four bytes that may be a length.
  (b, { at, value }) => b.map((v, i) => (i >= at % b.length && i < (at % b.length) + 4 ? (RUNS[value % 4] as number) : v)),
  (b, { at, size }, other) => concat(b.subarray(0, at % (b.length + 1)), other.subarray(size % (other.length + 1))),
  (b, { value }) => concat(b, Uint8Array.of(value)),
]

const EDITS: Readonly<Record<Kind, readonly Edit[]>> = {
  bytes: BYTE_EDITS,
  // A byte edit breaks the form, which the first check finds: most changes keep it.
  message: [...BYTE_EDITS, ...MESSAGE_EDITS, ...MESSAGE_EDITS, ...MESSAGE_EDITS, ...MESSAGE_EDITS],
  text: [...BYTE_EDITS, ...TEXT_EDITS, ...TEXT_EDITS],
  json: [...TEXT_EDITS, ...JSON_EDITS, ...JSON_EDITS, ...JSON_EDITS],
}

/** The input that a recipe makes of valid ones. */
export function inputOf(kind: Kind, seeds: readonly Uint8Array[], { seed, other, steps }: Recipe): Uint8Array {
  const pick = (i: number) => seeds[i % seeds.length] as Uint8Array
  const edits = EDITS[kind]
  const made = steps.reduce((bytes, step) => (edits[step.edit % edits.length] as Edit)(bytes, step, pick(other)), pick(seed))
  return Uint8Array.from(made.subarray(0, INPUT_BYTES_MAX))
}
