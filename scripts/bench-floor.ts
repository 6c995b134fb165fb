// What a pooled signature cannot do without, part by part and each by itself: `npm run -s bench:floor -- --json`.
import { once } from 'node:events'
import { mkdtemp, open, rm } from 'node:fs/promises'
import { Agent, createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { measureBareRounds } from './bench/bare-round.ts'
import { THRESHOLD } from './bench/cluster-rig.ts'
import { Committee } from './bench/ours.ts'
import { median, significant } from './bench/statistics.ts'

const PARTIES = 5
const TURNS = 1_000
const SAMPLES = 9
const POOLED = 20
const WRITES = 200
const RECORD_BYTES = 1_000
const HTTP_CALLS = 1_000
const BODY_BYTES = 2_000

/** One part: how long it takes from outside, and the processor time of all who do it. */
interface Part {
  readonly what: string
  readonly elapsedMs: number
  readonly cpuMs: number
}

const cpuMs = (before: NodeJS.CpuUsage): number => {
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1e3
}

/** The parties of one signature compute at the same time, as far as there are cores. */
function arithmetic(): { readonly part: Part; readonly sizes: readonly number[] } {
  const committee = new Committee(THRESHOLD, PARTIES)
  for (let i = 0; i < SAMPLES; i++) committee.signPooled(POOLED)
  const each = median(Array.from({ length: SAMPLES }, () => committee.signPooled(POOLED).cpuMs))
  return { part: { what: `arithmetic of ${THRESHOLD} parties`, elapsedMs: each, cpuMs: THRESHOLD * each }, sizes: committee.roundBytes }
}

async function rounds(dir: string, sizes: readonly number[]): Promise<readonly Part[]> {
  const names = Array.from({ length: THRESHOLD }, (_, i) => `party-${i + 1}`)
  const { p50Ms, cpuMs: each, systemMs } = await measureBareRounds(dir, { names, sizes, turns: TURNS, links: undefined })
  return [
    { what: `${sizes.length} rounds of ${THRESHOLD} processes that only send and wait`, elapsedMs: p50Ms, cpuMs: THRESHOLD * each },
    { what: 'of which the kernel', elapsedMs: Number.NaN, cpuMs: THRESHOLD * systemMs },
  ]
}

/** One record appended and synchronised, as the log of a node and every database do it. */
async function durableWrite(dir: string): Promise<Part> {
  await using file = await open(join(dir, 'writes'), 'a')
  const record = new Uint8Array(RECORD_BYTES)
  const times: number[] = []
  const before = process.cpuUsage()
  for (let i = 0; i < WRITES; i++) {
    const startedAt = performance.now()
    await file.write(record)
    await file.datasync()
    times.push(performance.now() - startedAt)
  }
  return { what: 'one durable write', elapsedMs: median(times), cpuMs: cpuMs(before) / WRITES }
}

/** A POST over a connection that stays open, with nothing done about it; both ends are in this process. */
async function httpCall(): Promise<Part> {
  const body = JSON.stringify({ text: 'x'.repeat(BODY_BYTES) })
  await using server = createServer((asked, answer) => {
    asked.resume().on('end', () => answer.end(body))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const { port } = server.address() as AddressInfo
  const call = async () => {
    const asked = request({ port, host: '127.0.0.1', method: 'POST', agent }).end(body)
    const [answer] = await once(asked, 'response')
    await once(answer.resume(), 'end')
  }
  for (let i = 0; i < HTTP_CALLS; i++) await call()
  const times: number[] = []
  const before = process.cpuUsage()
  for (let i = 0; i < HTTP_CALLS; i++) {
    const startedAt = performance.now()
    await call()
    times.push(performance.now() - startedAt)
  }
  const spent = cpuMs(before) / HTTP_CALLS
  agent.destroy()
  return { what: 'one HTTP call of no content, both ends', elapsedMs: median(times), cpuMs: spent }
}

const { values } = parseArgs({ options: { json: { type: 'boolean', default: false } } })
const dir = await mkdtemp(join(tmpdir(), 'conclave-floor-'))
try {
  const { part, sizes } = arithmetic()
  const parts = [part, ...(await rounds(dir, sizes)), await durableWrite(dir), await httpCall()]
  const shown = parts.map((p) => ({ ...p, elapsedMs: significant(p.elapsedMs), cpuMs: significant(p.cpuMs) }))
  for (const { what, elapsedMs, cpuMs: cpu } of shown)
    process.stdout.write(
      `${what.padEnd(56)} ${Number.isNaN(elapsedMs) ? ''.padStart(10) : `${elapsedMs} ms`.padStart(10)} ${`${cpu} ms CPU`.padStart(14)}\n`,
    )
  if (values.json) process.stdout.write(`${JSON.stringify({ parts: shown })}\n`)
} finally {
  await rm(dir, { recursive: true, force: true })
}
