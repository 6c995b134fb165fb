import type { Connection } from './connection.ts'
import type { ApiKey, CreateApiKey, NewApiKey, Page, PageOf } from './resources.ts'

/** API keys of a tenant; an administrator's. Every method throws {@link ConclaveApiError}. */
export class ApiKeys {
  readonly #api: Connection

  constructor(api: Connection) {
    this.#api = api
  }

  /** Its secret is in the answer and nowhere else; never tried again once it may have arrived. */
  create(body: CreateApiKey): Promise<NewApiKey> {
    return this.#api.call('post', '/v1/api-keys', { body })
  }

  /** Newest first. */
  list({ limit = 50, ...query }: PageOf<'listApiKeys'> = {}): Promise<Page<ApiKey>> {
    return this.#api.call('get', '/v1/api-keys', { query: { limit, ...query } })
  }

  /** A new secret; the one before is taken for `overlapMs` more. */
  rotate(name: string, { overlapMs }: { readonly overlapMs?: number | undefined } = {}): Promise<NewApiKey> {
    return this.#api.call('post', '/v1/api-keys/{name}:rotate', { params: { name }, body: overlapMs === undefined ? {} : { overlapMs } })
  }

  revoke(name: string): Promise<ApiKey> {
    return this.#api.call('delete', '/v1/api-keys/{name}', { params: { name } })
  }
}
