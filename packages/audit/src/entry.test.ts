import { type AuditEvent, utf8 } from '@conclave/core'
import { expect } from 'chai'
import fc from 'fast-check'
import { type AuditEntry, encodeEntry, formatBundle, parseBundle, parseEntry } from './entry.ts'

const ENTRY: AuditEntry = {
  node: 'n1',
  timeMs: Date.UTC(2030, 0, 2, 3, 4, 5, 678),
  kind: 'pair.reset',
  details: { zeta: 1, alpha: 'ä "x"\n', list: ['a', 2], none: null, yes: true },
}
const TEXT =
  '{"details":{"alpha":"ä \\"x\\"\\n","list":["a",2],"none":null,"yes":true,"zeta":1},"kind":"pair.reset","node":"n1","time":"2030-01-02T03:04:05.678Z","v":1}'
const isRefused = (act: () => unknown) => expect(act).throws().with.property('code', 'BAD_ENTRY')

describe('audit entry', () => {
  it('an entry: is one line of JSON that a person can read, and comes back as it was', () => {
    expect(Buffer.from(encodeEntry(ENTRY)).toString()).equals(TEXT)
    expect(parseEntry(utf8(TEXT))).deep.equals(ENTRY)
  })

  it('another form of the same: is refused', () => {
    const forms = [
      TEXT.replace('{"details"', '{ "details"'),
      TEXT.replace('"v":1', '"v":2'),
      TEXT.replace('"v":1', '"v":1,"more":1'),
      TEXT.replace('"v":1', '"v":1,"v":1'),
      TEXT.replace(',"v":1', ''),
      TEXT.replace('"zeta":1', '"zeta":1.0'),
      TEXT.replace('"zeta":1', '"zeta":1e0'),
      TEXT.replace('"zeta":1', '"zeta":-0'),
      TEXT.replace('"zeta":1', '"zeta":0.5'),
      TEXT.replace('"zeta":1', '"zeta":9007199254740993'),
      TEXT.replace('ä', '\\u00e4'),
      TEXT.replace('"alpha"', '"__proto__"'),
      TEXT.replace('678Z', '678+00:00'),
      TEXT.replace('2030-01-02', '2030-02-30'),
      TEXT.replace('"n1"', '"N1"'),
      TEXT.replace('pair.reset', 'pairreset'),
      TEXT.replace('["a",2]', '["a",null]'),
      TEXT.replace('["a",2]', '[["a"]]'),
      TEXT.replace('["a",2]', '{}'),
      TEXT.replace('null', '"\\ud800"'),
      `${TEXT}\n`,
      `\ufeff${TEXT}`,
      'null',
      '[]',
      '',
    ]
    for (const form of forms) isRefused(() => parseEntry(utf8(form)))
    isRefused(() => parseEntry(Uint8Array.of(0xff)))
  })

  it('too much of anything: is refused', () => {
    const withDetails = (details: AuditEvent['details']) => () => encodeEntry({ ...ENTRY, details })
    isRefused(withDetails({ a: 'x'.repeat(8193) }))
    isRefused(withDetails({ a: Array.from({ length: 1025 }, () => 1) }))
    isRefused(withDetails(Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`a${i}`, 1]))))
    isRefused(withDetails(Object.fromEntries(Array.from({ length: 5 }, (_, i) => [`a${i}`, 'x'.repeat(8000)]))))
    for (const timeMs of [-1, 0.5, Number.NaN, 8.64e15]) isRefused(() => encodeEntry({ ...ENTRY, timeMs }))
  })

  it('any entry: survives the way there and back, and any bytes are an entry or refused', () => {
    const value = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.maxSafeInteger().map((n) => n + 0),
      fc.boolean(),
      fc.constant(null),
      fc.array(fc.string({ unit: 'grapheme' })),
    )
    const details = fc.dictionary(fc.stringMatching(/^[a-z][a-zA-Z0-9]{0,5}$/), value, { noNullPrototype: true })
    fc.assert(
      fc.property(details, fc.nat(), (d, timeMs) => {
        const entry = { ...ENTRY, timeMs, details: d }
        expect(parseEntry(encodeEntry(entry))).deep.equals(entry)
      }),
    )
    fc.assert(fc.property(fc.uint8Array(), (bytes) => void isRefused(() => parseEntry(bytes))))
  })

  it('a bundle: has exactly as many entries as it should, and not a byte more', () => {
    const entries = [utf8('a'), utf8(''), utf8('ccc')]
    const bundle = formatBundle(entries)
    expect(parseBundle(bundle, 3).map((e) => Buffer.from(e).toString())).deep.equals(['a', '', 'ccc'])
    for (const count of [0, 2, 4]) isRefused(() => parseBundle(bundle, count))
    for (let end = 0; end < bundle.length; end++) isRefused(() => parseBundle(bundle.subarray(0, end), 3))
    isRefused(() => parseBundle(Uint8Array.of(...bundle, 0), 3))
  })
})
