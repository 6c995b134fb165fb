import type { Tracer } from './span.ts'

export interface OtlpOptions {
  /** Of the collector: the full URL of its traces, e.g. http://127.0.0.1:4318/v1/traces. */
  readonly url: string
  /** What the process is, e.g. `conclave-node`. */
  readonly service: string
  /** Which of them. */
  readonly instance: string
  /** How long ended spans wait to be sent together; a second by default. */
  readonly delayMs?: number
  /** Told when spans could not be sent. */
  failed?(reason: string): void
}

/** A tracer that sends to an OTLP collector. Only here are its libraries loaded: who traces nothing does not pay for them. */
export async function openOtlpTracer(options: OtlpOptions): Promise<Tracer> {
  const { otlpTracer } = await import('./otlp-tracer.ts')
  return otlpTracer(options)
}
