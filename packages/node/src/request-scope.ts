import { codeOf, toHex } from '@conclave/core'
import { NO_TRACER, type Span, type Tracer } from '@conclave/telemetry'
import type { Logger } from '@conclave/transport'

/** What this node says of itself while it handles one request, and where. */
export interface RequestScope {
  /** Every line names the request. */
  readonly log: Logger
  readonly span: Span
}

/** What a coordinator asks of a node about one request. */
export type RequestAct = 'propose' | 'sign'

export interface RequestScopesOptions {
  readonly log: Logger
  readonly tracer: Tracer | undefined
  /** An act has ended: with the code of the verdict, `SIGNED`, or that of the error. */
  ended?(act: RequestAct, code: string): void
}

export interface RequestNames {
  readonly act: RequestAct
  readonly requestId: Uint8Array
  /** Of whoever asked. */
  readonly traceparent: string
}

/** A logger whose every line has these fields too. */
export function withFields(log: Logger, fields: object): Logger {
  return {
    debug: (more, message) => log.debug({ ...fields, ...more }, message),
    info: (more, message) => log.info({ ...fields, ...more }, message),
    warn: (more, message) => log.warn({ ...fields, ...more }, message),
    error: (more, message) => log.error({ ...fields, ...more }, message),
  }
}

/** Makes the scopes of requests. */
export class RequestScopes {
  readonly #o: RequestScopesOptions

  constructor(options: RequestScopesOptions) {
    this.#o = options
  }

  /** Runs one act in a scope of its own. @param outcomeOf - the code of a result. @throws what `act` throws. */
  async run<T>(names: RequestNames, act: (scope: RequestScope) => Promise<T>, outcomeOf: (result: T) => string): Promise<T> {
    const { log, tracer = NO_TRACER, ended } = this.#o
    const signingRequest = toHex(names.requestId)
    const span = tracer.begin(names.act, names.traceparent, { 'conclave.request': signingRequest })
    try {
      const result = await act({ log: withFields(log, { signingRequest }), span })
      const code = outcomeOf(result)
      span.set({ 'conclave.code': code })
      span.end()
      ended?.(names.act, code)
      return result
    } catch (error) {
      span.end(codeOf(error))
      ended?.(names.act, codeOf(error))
      throw error
    }
  }
}
