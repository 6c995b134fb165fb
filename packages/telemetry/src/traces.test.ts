import { createServer } from 'node:http'
import { ConclaveError } from '@conclave/core'
import { expect } from 'chai'
import { openOtlpTracer } from './open-tracer.ts'
import { NO_SPAN, NO_TRACER, traced } from './span.ts'
import { OtlpReceiver } from './testing/otlp-receiver.ts'
import { parseTraceparent } from './traceparent.ts'

const PARENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'

describe('traces', () => {
  it('traceparent: what is not one of version 00 is ignored', () => {
    expect(parseTraceparent(PARENT)).to.deep.equal({
      traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
      spanId: '00f067aa0ba902b7',
      isSampled: true,
    })
    const hostile = [
      undefined,
      '',
      'x'.repeat(55),
      PARENT.toUpperCase(),
      PARENT.replace('00-', 'ff-'),
      `${PARENT}-more`,
      PARENT.replace(/4bf9.{28}/, '0'.repeat(32)),
      PARENT.replace('00f067aa0ba902b7', '0'.repeat(16)),
      'a'.repeat(1_000_000),
    ]
    for (const text of hostile) expect(parseTraceparent(text), String(text).slice(0, 60)).to.equal(undefined)
  })

  it('tracer: spans of two processes make one trace, with attributes, notes and errors', async () => {
    await using receiver = await OtlpReceiver.start()
    const open = (service: string) => openOtlpTracer({ url: receiver.url, service, instance: `${service}-1` })
    const [first, second] = [await open('first'), await open('second')]
    const root = first.begin('root', PARENT, { answer: 42 })
    const far = second.begin('far', root.traceparent)
    far.note('seen')
    const failed = await traced(far, 'part', async () => {
      throw new ConclaveError('BROKEN', 'it broke')
    }).catch((error: unknown) => error)
    far.end()
    root.end()
    await Promise.all([first.close(), second.close()])
    expect(failed).to.have.property('code', 'BROKEN')
    const named = (name: string) => receiver.spans.find((s) => s.name === name)
    const [top, remote, part] = [named('root'), named('far'), named('part')]
    expect(top).to.include({ service: 'first', instance: 'first-1', traceId: PARENT.slice(3, 35), parentSpanId: PARENT.slice(36, 52) })
    expect(top?.attributes).to.deep.equal({ answer: 42 })
    expect(remote).to.include({ service: 'second', traceId: top?.traceId, parentSpanId: top?.spanId })
    expect(remote?.events).to.deep.equal(['seen'])
    expect(part).to.include({ parentSpanId: remote?.spanId, status: 2 })
    expect(part?.attributes).to.deep.equal({ 'error.type': 'BROKEN' })
  })

  it('tracer: a hostile parent begins a trace of its own', async () => {
    await using receiver = await OtlpReceiver.start()
    const tracer = await openOtlpTracer({ url: receiver.url, service: 's', instance: 'i' })
    tracer.begin('root', '00-<script>').end()
    await tracer.close()
    expect(receiver.spans[0]).to.include({ name: 'root', parentSpanId: '' })
  })

  it('tracer: a collector that is away is told of and stops nothing', async () => {
    const nobody = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => nobody.once('listening', resolve))
    const { port } = nobody.address() as { port: number }
    await new Promise((resolve) => nobody.close(resolve))
    const told: string[] = []
    const failed = (reason: string) => void told.push(reason)
    const tracer = await openOtlpTracer({ url: `http://127.0.0.1:${port}/v1/traces`, service: 's', instance: 'i', failed })
    tracer.begin('root', undefined).end()
    await tracer.close()
    expect(told).to.have.length(1)
  }).timeout(30_000)

  it('tracer: without one nothing is made and everything goes on', async () => {
    const span = NO_TRACER.begin('root', PARENT)
    expect(span).to.equal(NO_SPAN)
    expect(span.child('part').traceparent).to.equal('')
    expect(await traced(span, 'part', async () => 7)).to.equal(7)
    await NO_TRACER.close()
  })
})
