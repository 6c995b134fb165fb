/** Length of a W3C traceparent of version 00. */
export const TRACEPARENT_CHARS = 55
const FORMAT = /^00-(?<traceId>[0-9a-f]{32})-(?<spanId>[0-9a-f]{16})-(?<flags>[0-9a-f]{2})$/
const ZEROS = /^0+$/

/** Where a span hangs that another process began. */
export interface RemoteParent {
  readonly traceId: string
  readonly spanId: string
  readonly isSampled: boolean
}

/** A traceparent (W3C Trace Context, version 00), or undefined for anything else: what is not one says nothing and harms nothing. */
export function parseTraceparent(text: string | undefined): RemoteParent | undefined {
  if (text === undefined || text.length !== TRACEPARENT_CHARS) return undefined
  const { traceId = '', spanId = '', flags = '' } = FORMAT.exec(text)?.groups ?? {}
  if (traceId === '' || ZEROS.test(traceId) || ZEROS.test(spanId)) return undefined
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & 1) === 1 }
}
