import { connect } from 'node:net'
import { expect } from 'chai'
import { Gauge, Registry } from 'prom-client'
import { boundedLabel } from './bounded-label.ts'
import { openListener, type Readiness } from './listener.ts'
import { watchProcess } from './process-metrics.ts'

const READY: Readiness = { isReady: true, code: 'READY', detail: 'all is well' }

async function open(over: { registry?: Registry; ready?: () => Readiness; failed?: (reason: string) => void } = {}) {
  const listener = await openListener({ listen: '127.0.0.1:0', registry: new Registry(), ready: () => READY, ...over })
  return { ...listener, [Symbol.asyncDispose]: () => listener.close() }
}

describe('listener', () => {
  it('metrics: the registry as it is now, with what the process costs', async () => {
    const registry = new Registry()
    const stop = watchProcess(registry)
    new Gauge({ name: 'answer', help: 'The answer.', registers: [registry] }).set(42)
    await using listener = await open({ registry })
    const answer = await fetch(`${listener.url}/metrics`)
    const text = await answer.text()
    stop()
    expect(answer.status).to.equal(200)
    expect(answer.headers.get('content-type')).to.contain('text/plain')
    expect(text).to.contain('answer 42')
    expect(Number(/^process_cpu_seconds_total (.+)$/m.exec(text)?.[1])).to.be.greaterThan(0)
    expect(Number(/^process_resident_memory_bytes (.+)$/m.exec(text)?.[1])).to.be.greaterThan(1 << 20)
  })

  it('health: alive at once, ready when it says so, with the reason when not', async () => {
    let readiness = READY
    await using listener = await open({ ready: () => readiness })
    expect((await fetch(`${listener.url}/healthz`)).status).to.equal(200)
    expect((await fetch(`${listener.url}/readyz?x=1`)).status).to.equal(200)
    readiness = { isReady: false, code: 'DRAINING', detail: 'it is stopping' }
    const answer = await fetch(`${listener.url}/readyz`)
    expect(answer.status).to.equal(503)
    expect(answer.headers.get('retry-after')).to.equal('1')
    expect(await answer.json()).to.deep.equal({ status: 'not ready', code: 'DRAINING', detail: 'it is stopping' })
    expect((await fetch(`${listener.url}/healthz`)).status).to.equal(200)
  })

  it('listener: nothing else is answered, and what is not HTTP ends nothing', async () => {
    await using listener = await open()
    expect((await fetch(`${listener.url}/v1/keys`)).status).to.equal(404)
    expect((await fetch(`${listener.url}/metrics`, { method: 'POST', body: 'x' })).status).to.equal(405)
    const socket = connect(Number(new URL(listener.url).port), '127.0.0.1')
    socket.end(Buffer.alloc(100_000, 1))
    await new Promise((resolve) => socket.once('close', resolve).on('error', () => undefined))
    expect((await fetch(`${listener.url}/healthz`)).status).to.equal(200)
  })

  it('metrics: a metric that cannot be read is an error of the scrape, which is told, and of nothing else', async () => {
    const registry = new Registry()
    new Gauge({
      name: 'broken',
      help: 'Breaks.',
      registers: [registry],
      collect: () => {
        throw new Error('cannot be read')
      },
    })
    const told: string[] = []
    await using listener = await open({ registry, failed: (reason) => void told.push(reason) })
    const answer = await fetch(`${listener.url}/metrics`)
    expect(answer.status).to.equal(500)
    expect(await answer.text()).to.not.contain('cannot be read')
    expect(told).to.deep.equal(['cannot be read'])
    expect((await fetch(`${listener.url}/healthz`)).status).to.equal(200)
  })

  it('listener: an address that is taken or none has a code', async () => {
    await using listener = await open()
    const codeOf = (listen: string) =>
      openListener({ listen, registry: new Registry(), ready: () => READY }).then(
        () => 'opened',
        (error) => error.code,
      )
    expect(await codeOf(new URL(listener.url).host)).to.equal('METRICS_LISTEN')
    expect(await codeOf('nonsense')).to.equal('METRICS_LISTEN')
    expect(await codeOf('127.0.0.1:99999')).to.equal('METRICS_LISTEN')
  })

  it('label: the first names stay, what is beyond them or no name is OTHER', () => {
    const label = boundedLabel(2)
    expect(['A', 'B', 'C', 'A', 'B'].map(label)).to.deep.equal(['A', 'B', 'OTHER', 'A', 'B'])
    const route = '/v1/keys/:keyId([0-9a-f]+)::refresh'
    expect(boundedLabel()(route)).to.equal(route)
    for (const hostile of ['', 'a\nb', 'a"} 1', 'é']) expect(boundedLabel()(hostile)).to.equal('OTHER')
    expect(boundedLabel()('x'.repeat(1000))).to.equal('OTHER')
  })
})
