// Changes of text files and of JSON: lines and words move, values become what a parser may stumble over.
import { utf8 } from '@conclave/core'
import type { Edit, Step } from './mutation.ts'

const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes)
const pick = <T>(list: readonly T[], i: number): T => list[i % list.length] as T

const WORDS = [
  ...['', 'null', '~', 'true', '-1', '0', '1e400', '.nan', '0x10', '010', '1_000', '9007199254740993', '2026-01-01'],
  ...[
    '"',
    "'",
    '`',
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '|',
    '>',
    '#',
    '%',
    '@',
    '&a',
    '*a',
    '!!binary',
    '!<tag:x>',
    '<<',
    '---',
    '...',
    '?',
    '- ',
  ],
  ...['__proto__', 'constructor', 'toString', '\u0000', '\ufeff', '\u2028', '\ud800', '\r', '\t', 'é', '\u202e', '../..', 'x'.repeat(5000)],
]

function lines(change: (all: string[], step: Step) => void): Edit {
  return (bytes, step) => {
    const all = textOf(bytes).split('\n')
    change(all, step)
    return utf8(all.join('\n'))
  }
}

function words(change: (word: string, step: Step) => string): Edit {
  return (bytes, step) => {
    const all = textOf(bytes).split(/(\s+|[{}[\],:"'])/)
    const at = step.at % all.length
    return utf8(all.map((w, i) => (i === at ? change(w, step) : w)).join(''))
  }
}

/** Edits follow each other: what is long already is not made longer. */
const LONG_CHARS = 64 * 1024

export const TEXT_EDITS: readonly Edit[] = [
  lines((all, { at }) => void all.splice(at % all.length, 1)),
  lines((all, { at, size }) => void all.splice(size % all.length, 0, pick(all, at))),
  lines((all, { at, size }) => {
    all[at % all.length] = ' '.repeat(size % 9) + pick(all, at).trimStart()
  }),
  words((_, { size }) => pick(WORDS, size)),
  words((w, { size }) => w + pick(WORDS, size)),
  words((w, { size }) => (w.length > LONG_CHARS ? w : w.repeat(1 + (size % 200)))),
]

const VALUES: readonly unknown[] = [
  null,
  true,
  '',
  'x',
  '0x',
  -1,
  0,
  1.5,
  2 ** 32,
  2 ** 53,
  1e308,
  [],
  {},
  [[]],
  'x'.repeat(5000),
  '\u0000',
  'ab'.repeat(32),
]
const NAMES = ['extra', '__proto__', 'constructor', '0', '']
const DROPPED = Symbol('dropped')
type Box = Record<string | number, unknown>

/** Every place of a value, as the object that holds it and the name there. */
function placesOf(box: Box): readonly (readonly [Box, string])[] {
  return Object.entries(box).flatMap(([name, v]) => [
    [box, name] as const,
    ...(typeof v === 'object' && v !== null ? placesOf(v as Box) : []),
  ])
}

/** Calls `change` at one place of a JSON value; what it returns is put there, `DROPPED` takes the place away. */
function json(change: (value: unknown, step: Step, box: Box) => unknown): Edit {
  return (bytes, step) => {
    let root: Box
    try {
      root = { value: JSON.parse(textOf(bytes)) }
    } catch {
      // An earlier step has left no JSON: the text edits go on with it.
      return bytes
    }
    const [box, name] = pick(placesOf(root), step.at)
    const changed = change(box[name], step, box)
    if (changed !== DROPPED) box[name] = changed
    else if (Array.isArray(box)) box.splice(Number(name), 1)
    else delete box[name]
    return utf8(JSON.stringify(root.value) ?? '')
  }
}

function nested(value: unknown, depth: number): unknown {
  let deep = value
  for (let i = 0; i < depth; i++) deep = i % 2 === 0 ? [deep] : { deep }
  return deep
}

const anyValue: Edit = json((_, { size }) => pick(VALUES, size))

export const JSON_EDITS: readonly Edit[] = [
  anyValue,
  anyValue,
  json(() => DROPPED),
  json((value, { size }, box) => {
    // Defined and not assigned: `__proto__` is to be a name like any other.
    Object.defineProperty(box, pick(NAMES, size), { value, enumerable: true, configurable: true, writable: true })
    return value
  }),
  json((value, { size }) => Array.from({ length: size % 40 }, () => value)),
  json((value, { size }) => nested(value, size % 200)),
  json((_, { at, size }, box) => {
    const [from, there] = pick(placesOf(box), at + size)
    return structuredClone(from[there])
  }),
]
