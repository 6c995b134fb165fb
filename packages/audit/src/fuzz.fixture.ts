import { equalBytes } from '@conclave/core'
import { openCheckpoint, parseCheckpoint } from './checkpoint.ts'
import { encodeEntry, formatBundle, parseBundle, parseEntry } from './entry.ts'
import { formatNote, type NoteSignature, parseNote } from './note.ts'
import { keysOf, signedCheckpoint, testEntry } from './signed-log.fixture.ts'
import { formatBatch, parseTail } from './tail.ts'
import { parseTilePath, tilePath } from './tiles.ts'

const textOf = (input: Uint8Array) => new TextDecoder().decode(input)
const ENTRIES = [0, 1, 2].map((i) => testEntry('n1', i))

function startEntry() {
  const run = (input: Uint8Array) => {
    if (!equalBytes(encodeEntry(parseEntry(input)), input)) throw new Error('two forms of one entry are taken')
  }
  return { seeds: ENTRIES, run }
}

function startBundle() {
  const run = (input: Uint8Array) => {
    if (!equalBytes(formatBundle(parseBundle(input, 3)), input)) throw new Error('two forms of one bundle are taken')
  }
  return { seeds: [formatBundle(ENTRIES)], run }
}

function startTail() {
  const good = Buffer.concat([formatBatch(7, ENTRIES.slice(0, 2)), formatBatch(9, ENTRIES.slice(2))])
  const run = (input: Uint8Array) => {
    const { entries, bytes } = parseTail(input, 7)
    // Whatever is read was written: a batch is there as a whole or not at all.
    if (entries.some((e, i) => !equalBytes(e, ENTRIES[i] as Uint8Array))) throw new Error('an entry that nobody wrote')
    if (!good.subarray(0, bytes).equals(input.subarray(0, bytes))) throw new Error('a changed batch is taken')
  }
  return { seeds: [new Uint8Array(good)], run }
}

async function startCheckpoint() {
  const good = await signedCheckpoint('n1', { size: 3, root: new Uint8Array(32).fill(7) }, { cosigners: ['n2', 'n5'] })
  const run = (input: Uint8Array) => {
    const note = parseNote(input)
    if (!equalBytes(formatNote(note), input)) throw new Error('two forms of one note are taken')
    parseCheckpoint(note.text)
    openCheckpoint(input, keysOf('n1'), { strict: true })
    // The order of signatures says nothing, and one of three may be missing.
    const isKnown = (s: NoteSignature) => parseNote(good).signatures.some((g) => g.name === s.name && equalBytes(g.signature, s.signature))
    if (note.text !== parseNote(good).text || !note.signatures.every(isKnown)) throw new Error('a changed checkpoint verifies')
  }
  return { seeds: [good], run }
}

function startTilePath() {
  const run = (input: Uint8Array) => {
    const path = textOf(input)
    const address = parseTilePath(path)
    if (address !== undefined && tilePath(address) !== path) throw new Error('two paths of one tile are taken')
  }
  return { seeds: ['tile/0/000', 'tile/entries/x001/x234/067.p/9', 'tile/5/000.p/255'].map((p) => new TextEncoder().encode(p)), run }
}

export const TARGETS = [
  { name: 'audit.entry', kind: 'text', codes: /^BAD_ENTRY$/, runs: 400, start: startEntry },
  { name: 'audit.bundle', kind: 'bytes', codes: /^BAD_ENTRY$/, bounded: true, runs: 200, start: startBundle },
  { name: 'audit.tail', kind: 'bytes', codes: /^(AUDIT_DAMAGED|BAD_ENTRY)$/, bounded: true, runs: 400, start: startTail },
  { name: 'audit.checkpoint', kind: 'text', codes: /^(BAD_NOTE|BAD_CHECKPOINT|CHECKPOINT_\w+)$/, runs: 300, start: startCheckpoint },
  { name: 'audit.tile-path', kind: 'text', codes: /^$/, bounded: true, runs: 200, start: startTilePath },
] as const
