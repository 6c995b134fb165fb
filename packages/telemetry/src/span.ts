import { codeOf } from '@conclave/core'

/** Names and numbers that say what was done. Never a secret, never a payload. */
export type Attributes = Readonly<Record<string, string | number | boolean>>

/** A stretch of work in a trace. What happens after its end changes nothing. */
export interface Span {
  /** For another process to hang its own spans below this one; empty when nothing is traced. */
  readonly traceparent: string
  child(name: string, attributes?: Attributes): Span
  set(attributes: Attributes): void
  /** Something that happened at one moment of it. */
  note(name: string, attributes?: Attributes): void
  /** @param code - why it failed. */
  end(code?: string): void
}

export interface Tracer {
  /** @param traceparent - of the caller; anything that is none is ignored, and begins a trace of its own. */
  begin(name: string, traceparent: string | undefined, attributes?: Attributes): Span
  /** Sends what has ended, for a few seconds at most. Never rejects. */
  close(): Promise<void>
}

/** Does nothing. */
export const NO_SPAN: Span = Object.freeze({
  traceparent: '',
  child: () => NO_SPAN,
  set: () => undefined,
  note: () => undefined,
  end: () => undefined,
})

/** Traces nothing. */
export const NO_TRACER: Tracer = Object.freeze({ begin: () => NO_SPAN, close: async () => undefined })

/** Runs `act` as a part of `span`; what it throws is the code of the part, and is thrown. */
export async function traced<T>(span: Span, name: string, act: (part: Span) => Promise<T>): Promise<T> {
  const part = span.child(name)
  try {
    const result = await act(part)
    part.end()
    return result
  } catch (error) {
    part.end(codeOf(error))
    throw error
  }
}

/** The same for what is done in one turn. */
export function tracedNow<T>(span: Span, name: string, act: (part: Span) => T): T {
  const part = span.child(name)
  try {
    const result = act(part)
    part.end()
    return result
  } catch (error) {
    part.end(codeOf(error))
    throw error
  }
}
