import type { paths } from './generated/api.ts'

/** The methods of the API that this client uses. */
export type Method = 'get' | 'post' | 'patch' | 'delete'
type Operation<M extends Method, P extends keyof paths> = paths[P] extends { readonly [K in M]: infer O } ? O : never
/** The paths of the document that have a method. */
export type PathOf<M extends Method> = { [P in keyof paths]: [Operation<M, P>] extends [never] ? never : P }[keyof paths]

type Part<Name extends string, T> = [T] extends [never] ? unknown : { readonly [K in Name]: T }
type PathParameters<O> = O extends { readonly parameters: { readonly path: infer T } } ? T : never
type Query<O> = O extends { readonly parameters: { readonly query?: infer T } } ? Exclude<T, undefined> : never
type Header<O> = O extends { readonly parameters: { readonly header: { readonly 'idempotency-key': infer T } } } ? T : never
type Body<O> = O extends { readonly requestBody?: infer B }
  ? Exclude<B, undefined> extends { readonly content: { readonly 'application/json': infer T } }
    ? T
    : never
  : never

/** What a call has to say, as the document says; a POST that needs an idempotency key cannot be made without. */
export type Call<M extends Method, P extends keyof paths, O = Operation<M, P>> = Part<'params', PathParameters<O>> &
  Partial<Part<'query', Query<O>>> &
  Part<'idempotencyKey', Header<O>> &
  (O extends { readonly requestBody: unknown } ? Part<'body', Body<O>> : Partial<Part<'body', Body<O>>>)

type Success<R> = R[keyof R & (200 | 201 | 202)]
/** What the document says that a call is answered with. */
export type Answer<M extends Method, P extends keyof paths> =
  Operation<M, P> extends { readonly responses: infer R }
    ? Success<R> extends { readonly content: { readonly 'application/json': infer T } }
      ? T
      : never
    : never

/** A call without its types: what goes over the wire. */
export interface PlainCall {
  readonly method: Method
  /** With its parameters and its query. */
  readonly path: string
  readonly body?: unknown
  readonly idempotencyKey?: string
}

interface Parts {
  readonly params?: { readonly [name: string]: string }
  readonly query?: { readonly [name: string]: string | number | undefined }
  readonly body?: unknown
  readonly idempotencyKey?: string
}

/** A typed call as it goes over the wire. @param template - a path of the document, with its parameters in braces. */
export function plainCall(method: Method, template: string, { params = {}, query = {}, ...rest }: Parts): PlainCall {
  const path = template.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params[name] ?? ''))
  const given = Object.entries(query).flatMap(([name, value]) => (value === undefined ? [] : [[name, `${value}`] as const]))
  return { method, path: given.length === 0 ? path : `${path}?${new URLSearchParams(Object.fromEntries(given))}`, ...rest }
}
