import { Compile, type Validator } from 'typebox/schema'

interface Operation {
  readonly operationId: string
  readonly responses: Readonly<Record<string, { readonly content: Readonly<Record<string, { readonly schema: object }>> }>>
}

export interface OpenApi {
  readonly openapi: string
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, object>> }
}

export interface Exchange {
  readonly method: string
  /** With its query. */
  readonly path: string
  readonly status: number
  readonly contentType: string
  readonly body: unknown
}

const PARAMETER = /\{[^}]+\}/g
/** Of a path or a method that is of no route, as an id with strange characters in it makes one. */
const UNROUTED: ReadonlySet<unknown> = new Set(['ROUTE_NOT_FOUND', 'METHOD_NOT_ALLOWED'])
const PROBLEM = { $ref: '#/components/schemas/Problem' }

/** Every object as if it said `additionalProperties: false`: an answer may have no field that is not in the document. */
function closed(schema: unknown, inAllOf = false): unknown {
  if (Array.isArray(schema)) return schema.map((s) => closed(s, inAllOf))
  if (typeof schema !== 'object' || schema === null) return schema
  const inner = Object.fromEntries(Object.entries(schema).map(([name, value]) => [name, closed(value, name === 'allOf')]))
  return 'properties' in schema && !('additionalProperties' in schema) && !inAllOf ? { ...inner, additionalProperties: false } : inner
}

/** Holds answers to the OpenAPI document. */
export class Contract {
  readonly document: OpenApi
  readonly #components: unknown
  readonly #paths: readonly (readonly [RegExp, string])[]
  readonly #validators = new Map<string, Validator>()

  constructor(document: OpenApi) {
    this.document = document
    this.#components = closed(document.components)
    // A verb after the id is not a part of the id.
    this.#paths = Object.keys(document.paths).map((path) => [
      new RegExp(`^${path.replaceAll('{path}', '[^?]+').replaceAll(PARAMETER, '[^/:?]+')}(\\?|$)`),
      path,
    ])
  }

  /** The operation of a call, if the document has one. */
  operation(method: string, path: string): Operation | undefined {
    const known = this.#paths.find(([pattern]) => pattern.test(path))
    return known === undefined ? undefined : this.document.paths[known[1]]?.[method.toLowerCase()]
  }

  /** What of an answer is not as the document says; empty when all is. What it does not know must be refused. */
  faults({ method, path, status, contentType, body }: Exchange): readonly string[] {
    const operation = this.operation(method, path)
    if (operation === undefined || UNROUTED.has((body as { code?: unknown } | null)?.code)) {
      return status < 400 ? [`${method} ${path} is in no document and answers ${status}`] : this.#check('problem', PROBLEM, body)
    }
    const { operationId, responses } = operation
    const type = contentType.split(';')[0] as string
    const media = responses[status]?.content[type]
    if (media === undefined) return [`${operationId} answers ${status} ${type}: ${JSON.stringify(body).slice(0, 200)}`]
    return this.#check(`${operationId} ${status}`, closed(media.schema) as object, body)
  }

  #check(name: string, schema: object, body: unknown): readonly string[] {
    let validator = this.#validators.get(name)
    if (validator === undefined) {
      validator = Compile({ components: this.#components, allOf: [schema] } as never)
      this.#validators.set(name, validator)
    }
    if (validator.Check(body)) return []
    return validator.Errors(body)[1].map((e) => `${name} ${e.instancePath}: ${e.message} ${JSON.stringify(e.params)}`)
  }
}
