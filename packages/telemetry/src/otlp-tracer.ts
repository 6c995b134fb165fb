import { messageOf } from '@conclave/core'
import { type Span as OtelSpan, type Tracer as OtelTracer, ROOT_CONTEXT, SpanStatusCode, TraceFlags, trace } from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import type { OtlpOptions } from './open-tracer.ts'
import type { Attributes, Span, Tracer } from './span.ts'
import { parseTraceparent } from './traceparent.ts'

const QUEUE_MAX = 2048
/** With what it tries again. */
const SEND_TIMEOUT_MS = 4_000
/** Longer, so that whoever sends says why it failed. */
const EXPORT_TIMEOUT_MS = 6_000
const ATTRIBUTE_CHARS_MAX = 256

const flagsOf = (isSampled: boolean) => (isSampled ? TraceFlags.SAMPLED : TraceFlags.NONE)

function wrap(tracer: OtelTracer, span: OtelSpan): Span {
  const { traceId, spanId, traceFlags } = span.spanContext()
  return {
    traceparent: `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`,
    child: (name: string, attributes: Attributes = {}) =>
      wrap(tracer, tracer.startSpan(name, { attributes }, trace.setSpan(ROOT_CONTEXT, span))),
    set: (attributes) => void span.setAttributes(attributes),
    note: (name, attributes = {}) => void span.addEvent(name, attributes),
    end(code) {
      if (code !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: code }).setAttribute('error.type', code)
      span.end()
    },
  }
}

/**
 * Sends spans to an OTLP collector over HTTP, as JSON, in batches. A collector that is away costs the spans and nothing else: what waits for it
 * is bounded.
 */
export function otlpTracer({ url, service, instance, delayMs = 1_000, failed }: OtlpOptions): Tracer {
  const exporter = new OTLPTraceExporter({ url, timeoutMillis: SEND_TIMEOUT_MS })
  const send = exporter.export.bind(exporter)
  exporter.export = (spans, done) =>
    send(spans, (result) => {
      if (result.error !== undefined) failed?.(messageOf(result.error))
      done(result)
    })
  const processor = new BatchSpanProcessor({
    exporter,
    maxQueueSize: QUEUE_MAX,
    scheduledDelayMillis: delayMs,
    exportTimeoutMillis: EXPORT_TIMEOUT_MS,
  })
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': service, 'service.instance.id': instance }),
    spanLimits: { attributeValueLengthLimit: ATTRIBUTE_CHARS_MAX },
    spanProcessors: [processor],
  })
  const tracer = provider.getTracer('conclave')
  return {
    begin(name, traceparent, attributes = {}) {
      const parent = parseTraceparent(traceparent)
      if (parent === undefined) return wrap(tracer, tracer.startSpan(name, { attributes }, ROOT_CONTEXT))
      const { traceId, spanId, isSampled } = parent
      const context = trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags: flagsOf(isSampled), isRemote: true })
      return wrap(tracer, tracer.startSpan(name, { attributes }, context))
    },
    // What cannot be sent within the time of one export is lost, and said already.
    close: () => provider.shutdown().catch(() => undefined),
  }
}
