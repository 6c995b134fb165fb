import { expect } from 'chai'
import fc from 'fast-check'
import { utf8 } from './bytes.ts'
import { canonicalJson, JSON_DEPTH_MAX, type JsonValue, parseCanonicalJson } from './canonical-json.ts'
import { codeOf } from './errors.ts'

function codeFor(text: string): string {
  try {
    parseCanonicalJson(utf8(text))
    return 'accepted'
  } catch (error) {
    return codeOf(error)
  }
}

describe('canonical json', () => {
  it('canonical json: what is read is written the same, and one value has one text', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        const plain = JSON.parse(JSON.stringify(value)) as JsonValue
        const text = canonicalJson(plain)
        expect(parseCanonicalJson(utf8(text))).deep.equal(plain)
        expect(JSON.parse(text)).deep.equal(plain)
      }),
    )
    expect(canonicalJson({ b: [1, { d: null, c: 'x' }], a: -0, '10': true, '9': false })).equal(
      '{"10":true,"9":false,"a":0,"b":[1,{"c":"x","d":null}]}',
    )
  })

  it('canonical json: any other text of a value is refused', () => {
    const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)
    for (const text of ['{}', '[]', '"x"', '1', 'null', '{"a":1,"b":[true]}', nested(JSON_DEPTH_MAX)])
      expect(codeFor(text), text).equal('accepted')
    const bad = [
      '',
      '{',
      ' {}',
      '{}\n',
      '\ufeff{}',
      '{"b":1,"a":1}',
      '{"a":1,"a":1}',
      '{"a": 1}',
      '1.0',
      '1e0',
      '-0',
      '"\\u0078"',
      '12345678901234567890',
    ]
    for (const text of [...bad, nested(JSON_DEPTH_MAX + 2), '["\\/"]']) expect(codeFor(text), text).equal('BAD_JSON')
    expect(() => parseCanonicalJson(Uint8Array.of(0x22, 0xff, 0x22))).throw(/UTF-8/)
  })
})
