/** JSON, as far as a document's schemas go. */
type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json }

const NAME = /^[A-Z][A-Za-z]{0,63}$/

function isObject(value: Json): value is { readonly [name: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * Moves every schema that has a title to the components under that name, and leaves a reference: what the routes share has one name for
 * generated clients. Example values are left alone.
 *
 * @throws {Error} when two different schemas have one title.
 */
export function hoistNamed<D extends object>(document: D): D {
  const named = new Map<string, Json>()
  const visit = (value: Json): Json => {
    if (Array.isArray(value)) return value.map(visit)
    if (!isObject(value)) return value
    const entries = Object.entries(value).map(
      ([key, inner]) => [key, key === 'example' || key === 'examples' ? inner : visit(inner)] as const,
    )
    const copy = Object.fromEntries(entries) as { readonly [name: string]: Json }
    const { title, ...schema } = copy
    if (typeof title !== 'string' || !NAME.test(title) || !('type' in copy || 'anyOf' in copy || 'enum' in copy)) return copy
    const known = named.get(title)
    if (known !== undefined && JSON.stringify(known) !== JSON.stringify(schema)) throw new Error(`two schemas are called ${title}`)
    named.set(title, schema)
    return { $ref: `#/components/schemas/${title}` }
  }
  const plain = JSON.parse(JSON.stringify(document)) as { components?: object }
  const paths = visit(plain as Json) as { components?: object }
  const schemas = Object.fromEntries([...named].sort(([a], [b]) => (a < b ? -1 : 1)))
  return { ...paths, components: { ...paths.components, schemas } } as unknown as D
}
