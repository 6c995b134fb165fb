import fc from 'fast-check'

/** As much of JSON Schema as the bodies of the API use. */
export interface JsonSchema {
  readonly $ref?: string
  readonly type?: string
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly anyOf?: readonly JsonSchema[]
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly items?: JsonSchema
  readonly maxItems?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly pattern?: string
}

const REF = '#/components/schemas/'
const NUMBERS = [0, -1, 1.5, 1e308, -1e308, 5e-324, 2 ** 53, 2 ** 64, Number.MAX_SAFE_INTEGER]
const TEXTS = [
  '',
  'main',
  'MAIN',
  '0x',
  '0x00',
  '0xzz',
  'm/0/5',
  "m/44'/0",
  'm/',
  '../..',
  'constructor',
  '__proto__',
  ' ',
  '\u202e',
  '💥',
  'x'.repeat(5000),
]

const anything = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }).map((value) => (JSON.stringify(value).includes('__proto__') ? null : value)),
  fc.constantFrom<unknown>(...NUMBERS, ...TEXTS, null, true, [], {}, [[]]),
)

function valid(schema: JsonSchema, named: Readonly<Record<string, JsonSchema>>): fc.Arbitrary<unknown> {
  if (schema.$ref !== undefined) return valid(named[schema.$ref.slice(REF.length)] as JsonSchema, named)
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum)
  if ('const' in schema) return fc.constant(schema.const)
  if (schema.anyOf !== undefined) return fc.oneof(...schema.anyOf.map((s) => bodiesLike(s, named)))
  switch (schema.type) {
    case 'object': {
      const fields = Object.entries(schema.properties ?? {}).map(([name, inner]) => [name, bodiesLike(inner, named)] as const)
      return fc.record(Object.fromEntries(fields), { requiredKeys: [...(schema.required ?? [])] })
    }
    case 'array':
      return fc.array(bodiesLike(schema.items ?? {}, named), { maxLength: 4 })
    case 'integer':
      return fc.integer({ min: schema.minimum ?? -10, max: Math.min(schema.maximum ?? 10, 2 ** 31) })
    case 'string':
      return schema.pattern === undefined ? fc.constantFrom(...TEXTS) : fc.stringMatching(new RegExp(schema.pattern))
    case 'boolean':
      return fc.boolean()
    default:
      return fc.constant(null)
  }
}

/** Mostly what a schema describes; here and there something else in the place of a part of it. */
export function bodiesLike(schema: JsonSchema, named: Readonly<Record<string, JsonSchema>>): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 12, arbitrary: valid(schema, named) }, { weight: 1, arbitrary: anything })
}
