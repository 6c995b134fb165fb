import { expect } from 'chai'
import fc from 'fast-check'
import { checkJson } from './json-body.ts'

const check = (text: string) => checkJson(text, JSON.parse(text))
const refused = (text: string, code: string) =>
  expect(() => check(text), text.slice(0, 80))
    .throw()
    .include({ code })

describe('JSON body', () => {
  it('any value, however it is written, is taken', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5, stringUnit: 'grapheme' }), fc.nat(3), (value, indent) => {
        const text = JSON.stringify(value, null, indent)
        if (text.includes('\\u0000') || text.includes('__proto__')) return
        check(text)
      }),
    )
  })

  it('a field that is named twice in one object is refused, at any depth, with equal values too', () => {
    refused('{"a":1,"a":1}', 'DUPLICATE_FIELD')
    refused('[0,{"b":{"a":"x:y","a":"\\"a\\":1"}}]', 'DUPLICATE_FIELD')
    refused('{"a":1,"\\u0061":2}', 'DUPLICATE_FIELD')
    check('{"a":{"a":[{"a":1},{"a":2}]}}')
    check('{"a":"\\\\","b":"\\\\\\"a\\":1:","":"::"}')
  })

  it('a text with a NUL or half a character, as a name too, is refused', () => {
    for (const text of ['"\\u0000"', '{"a":["x\\u0000"]}', '{"\\u0000":1}', '"\\ud800"', '{"\\udc00":1}']) refused(text, 'BAD_JSON')
    check('"\\ud83d\\ude00"')
  })

  it('32 levels are taken, more are not, however many there are', () => {
    check(`${'['.repeat(32)}${']'.repeat(32)}`)
    refused(`${'['.repeat(34)}${']'.repeat(34)}`, 'BAD_JSON')
    refused(`${'{"a":['.repeat(1000)}${']}'.repeat(1000)}`, 'BAD_JSON')
  })
})
