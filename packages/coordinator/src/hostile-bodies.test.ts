import { expect } from 'chai'
import fc from 'fast-check'
import { bodiesLike, type JsonSchema } from './testing/bodies.fixture.ts'
import type { OpenApi } from './testing/contract.ts'
import { Harness, type ProblemAnswer } from './testing/harness.ts'

const UNKNOWN_ID = 'ab'.repeat(32)
const MIB = 1 << 20
const RUNS = 60

interface Target {
  readonly method: string
  readonly path: string
  readonly schema: JsonSchema | undefined
}

/** Every route that may be sent a body, with its path filled in. */
function targetsOf({ paths }: OpenApi): readonly Target[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([method]) => method !== 'get')
      .map(([method, operation]) => {
        const { requestBody } = operation as { requestBody?: { content: { 'application/json': { schema: JsonSchema } } } }
        const filled = path.replaceAll(/\{(\w+)\}/g, (_, name) => (name === 'keyId' ? 'main' : UNKNOWN_ID))
        return { method: method.toUpperCase(), path: filled, schema: requestBody?.content['application/json'].schema }
      }),
  )
}

type Bytes = string | Uint8Array<ArrayBuffer>
const bytes = (text: string) => Uint8Array.from(Buffer.from(text, 'latin1'))

/** What no route takes: bytes, status, code, headers. */
const HOSTILE: readonly (readonly [string, Bytes, number, string, Record<string, string>?])[] = [
  ['no JSON', '{"keyId":', 400, 'BAD_JSON'],
  ['two documents', '{}{}', 400, 'BAD_JSON'],
  ['a comment', '{/**/}', 400, 'BAD_JSON'],
  ['nothing', '', 400, 'BAD_JSON'],
  ['NaN', '{"keyId":NaN}', 400, 'BAD_JSON'],
  ['deep lists', `${'['.repeat(100_000)}${']'.repeat(100_000)}`, 400, 'BAD_JSON'],
  ['deep objects', `${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`, 400, 'BAD_JSON'],
  ['a field twice', '{"keyId":"main","keyId":"other"}', 400, 'DUPLICATE_FIELD'],
  ['a field twice, once escaped', '{"keyId":"main","\\u006beyId":"main"}', 400, 'DUPLICATE_FIELD'],
  ['a prototype', '{"__proto__":{"role":"admin"}}', 400, 'BAD_JSON'],
  ['a constructor', '{"constructor":{"prototype":{"role":"admin"}}}', 400, 'BAD_JSON'],
  ['broken UTF-8', bytes('{"keyId":"\xff\xfe"}'), 400, 'BAD_JSON'],
  ['overlong UTF-8', bytes('{"keyId":"\xc0\xaf"}'), 400, 'BAD_JSON'],
  ['UTF-16', Uint8Array.from(Buffer.from('{"keyId":"main"}', 'utf16le')), 400, 'BAD_JSON'],
  ['a NUL', '{"keyId":"ma\\u0000in"}', 400, 'BAD_JSON'],
  ['half a surrogate pair', '{"keyId":"\\ud800"}', 400, 'BAD_JSON'],
  ['10 MB', new Uint8Array(10 * MIB).fill(0x20), 413, 'BODY_TOO_LARGE'],
  ['a form', 'keyId=main', 415, 'UNSUPPORTED_MEDIA_TYPE', { 'content-type': 'application/x-www-form-urlencoded' }],
  ['text', '{}', 415, 'UNSUPPORTED_MEDIA_TYPE', { 'content-type': 'text/plain' }],
  ['another character set', '{}', 415, 'UNSUPPORTED_MEDIA_TYPE', { 'content-type': 'application/json; charset=utf-16' }],
  ['no media type', '{}', 415, 'UNSUPPORTED_MEDIA_TYPE', { 'content-type': 'x' }],
  ['compressed', '{}', 415, 'UNSUPPORTED_MEDIA_TYPE', { 'content-encoding': 'gzip' }],
]

describe('hostile bodies', () => {
  let h: Harness
  let targets: readonly Target[] = []
  before(async () => {
    h = await Harness.start()
    targets = targetsOf((await h.contract()).document)
  })
  after(() => h[Symbol.asyncDispose]())

  it('there are routes to send them to', () => {
    expect(targets.length).above(5)
    expect(targets.filter((t) => t.schema !== undefined).length).above(4)
  })

  for (const [name, raw, status, code, more = {}] of HOSTILE) {
    it(`${name}: ${status} ${code} at every route that may have a body`, async () => {
      for (const { method, path } of targets) {
        const answer = await h.call<ProblemAnswer>(method, path, { raw, headers: { 'idempotency-key': 'hostile', ...more } })
        expect({ status: answer.status, code: answer.body.code }, `${method} ${path}`).deep.equal({ status, code })
      }
    })
  }

  it('whatever stands in the path or the query is answered, or refused with a code', async () => {
    const { paths } = (await h.contract()).document
    const text = fc.oneof(fc.constantFrom('main', '../x', '%00', '\0', "';--", '-1', '1e9', '[]', 'x'.repeat(300), '\ud800'), fc.string())
    const encoded = text.map((t) => encodeURIComponent(t.toWellFormed()))
    for (const [path, methods] of Object.entries(paths)) {
      for (const [method, operation] of Object.entries(methods)) {
        const { parameters = [] } = operation as { parameters?: readonly { in: string; name: string }[] }
        const names = parameters.filter((p) => p.in === 'query' && p.name !== 'waitMs').map((p) => p.name)
        const call = fc.tuple(encoded, fc.dictionary(fc.constantFrom('x', ...names), encoded, { maxKeys: 3 }))
        await fc.assert(
          fc.asyncProperty(call, async ([part, query]) => {
            const asked = Object.entries(query).map(([name, value]) => `${name}=${value}`)
            const url = path.replaceAll(/\{\w+\}/g, part) + (asked.length === 0 ? '' : `?${asked.join('&')}`)
            const answer = await h.exchange(method.toUpperCase(), url)
            expect(answer.status, url).below(500)
          }),
          { numRuns: 20 },
        )
      }
    }
  })

  it('whatever resembles a body, or does not, is taken or refused with a code that the document names, and never breaks anything', async () => {
    const { components } = (await h.contract()).document
    let posts = 0
    for (const { method, path, schema } of targets) {
      if (schema === undefined) continue
      await fc.assert(
        fc.asyncProperty(bodiesLike(schema, components.schemas as Record<string, JsonSchema>), async (body) => {
          // The harness holds the answer to the document: an unknown code or field fails there.
          const answer = await h.call(method, path, { body, headers: { 'idempotency-key': `fuzz-${++posts}` } })
          expect(answer.status).below(500)
        }),
        { numRuns: RUNS },
      )
    }
    expect(h.log.filter((line) => line.includes('unforeseen'))).deep.equal([])
  })
})
