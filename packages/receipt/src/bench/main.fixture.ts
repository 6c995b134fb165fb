// What a long log costs against a short one, and a durable append against a bare fsync: `npm run -s bench:audit -- --json`.
import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type AuditLog, LogFiles, LogView } from '@conclave/audit'
import { BATCH_ENTRIES_MAX, formatBatch, keysOf, openLog, signedCheckpoint, testEntry } from '@conclave/audit/testing'
import { JUDGES, madeReceipt } from '../made-receipt.fixture.ts'
import { encodeReceipt } from '../receipt-document.ts'
import { verifyReceipt } from '../verify-receipt.ts'

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    dir: { type: 'string', default: tmpdir() },
    small: { type: 'string', default: '1000' },
    large: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '40' },
  },
})
const [small, large, rounds] = [Number(values.small), Number(values.large), Number(values.rounds)]
const KEYS = keysOf('n1', 2)

const median = (list: readonly number[]): number => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)] as number
const round = (value: number, digits = 1) => Number(value.toFixed(digits))
const progress = (line: string) => void process.stderr.write(`${line}\n`)

async function microseconds(act: () => Promise<unknown> | unknown): Promise<number> {
  const begin = process.hrtime.bigint()
  await act()
  return Number(process.hrtime.bigint() - begin) / 1e3
}

/** A log of that size with a cosigned checkpoint. */
async function build(dir: string, name: string, size: number): Promise<AuditLog> {
  const log = await openLog(dir, name)
  for (let i = 0; i < size; i += BATCH_ENTRIES_MAX) {
    const count = Math.min(BATCH_ENTRIES_MAX, size - i)
    await Promise.all(Array.from({ length: count }, (_, j) => log.append(testEntry(name, i + j))))
    // Faster than a node ever is, so that the disk has to be waited for.
    if (log.size % (16 * BATCH_ENTRIES_MAX) === 0) await log.flush()
  }
  await log.saveCheckpoint(await signedCheckpoint(name, await log.flush(), { cosigners: ['n3', 'n4'] }))
  progress(`${name}: built ${size} entries`)
  return log
}

const SIGNERS = ['n1', 'n2', 'n5']

/** A log of that size at each of three nodes, and a receipt of what they signed last. */
async function buildAll(dir: string, size: number): Promise<Uint8Array> {
  const logs = new Map<string, AuditLog>()
  for (const name of SIGNERS) logs.set(name, await build(join(dir, name), name, size))
  const { document } = await madeReceipt({ logs })
  for (const log of logs.values()) await log.close()
  return encodeReceipt(document)
}

/** What is measured of a log, one round: microseconds. */
interface Sample {
  readonly append: number
  readonly inclusion: number
  readonly receipt: number
  readonly start: number
}

class Subject {
  readonly dir: string
  readonly size: number
  readonly samples: Sample[] = []
  readonly #receipt: Uint8Array
  #appended = 0

  constructor(dir: string, size: number, receipt: Uint8Array) {
    this.dir = dir
    this.size = size
    this.#receipt = receipt
  }

  async measure(): Promise<void> {
    let log: AuditLog | undefined
    const start = await microseconds(async () => {
      log = await openLog(this.dir)
    })
    const opened = log as unknown as AuditLog
    const entry = testEntry('n1', this.size + this.#appended++)
    const append = await microseconds(() => opened.append(entry))
    await opened.close()
    // From the files, with nothing in memory.
    const view = await LogView.open(new LogFiles(this.dir), KEYS)
    const index = Math.floor(Math.random() * this.size)
    const inclusion = await microseconds(() => view.inclusion(index))
    const receipt = await microseconds(() => verifyReceipt(this.#receipt, JUDGES))
    this.samples.push({ append, inclusion, receipt, start })
  }

  median(of: keyof Sample): number {
    return median(this.samples.map((s) => s[of]))
  }
}

/** The same bytes, in turns: appended to a log, and written and synced by themselves. */
async function appendAgainstFsync(dir: string): Promise<{ append: number; fsync: number }> {
  const [log, bare] = [await openLog(join(dir, 'log')), await open(join(dir, 'bare'), 'w')]
  const [appends, fsyncs]: [number[], number[]] = [[], []]
  let at = 0
  for (let i = 0; i < 10 * rounds; i++) {
    const entry = testEntry('n1', i)
    const batch = formatBatch(i, [entry])
    const append = () => microseconds(() => log.append(entry)).then((us) => appends.push(us))
    const fsync = () =>
      microseconds(async () => {
        await bare.write(batch, 0, batch.length, at)
        await bare.sync()
      }).then((us) => fsyncs.push(us))
    // Neither always comes right behind the other.
    for (const act of i % 2 === 0 ? [append, fsync] : [fsync, append]) await act()
    at += batch.length
  }
  await bare.close()
  await log.close()
  return { append: median(appends), fsync: median(fsyncs) }
}

const work = await mkdtemp(join(values.dir, 'conclave-bench-audit-'))
try {
  const made = async (name: string, size: number) => {
    const receipt = await buildAll(join(work, name), size)
    return new Subject(join(work, name, 'n1'), size, receipt)
  }
  const subjects = [await made('small', small), await made('large', large)] as const
  // The first round warms up.
  for (const s of subjects) await s.measure()
  for (const s of subjects) s.samples.length = 0
  for (let i = 0; i < rounds; i++) for (const s of i % 2 === 0 ? subjects : subjects.toReversed()) await s.measure()
  const bound = Math.log2(large) / Math.log2(small)
  const rows = (['append', 'inclusion', 'receipt', 'start'] as const).map((what) => {
    const [a, b] = subjects.map((s) => s.median(what)) as [number, number]
    return [what, { smallUs: round(a), largeUs: round(b), ratio: round(b / a, 2) }] as const
  })
  const durable = await appendAgainstFsync(work)
  const ratio = durable.append / durable.fsync
  const holds = rows.every(([, r]) => r.ratio <= bound) && ratio <= 2
  const result = {
    ...{ small, large, rounds, logarithmRatio: round(bound, 2) },
    ...Object.fromEntries(rows),
    durableAppend: { appendUs: round(durable.append), fsyncUs: round(durable.fsync), ratio: round(ratio, 2) },
    holds,
  }
  if (values.json) process.stdout.write(`${JSON.stringify(result)}\n`)
  else for (const [name, value] of Object.entries(result)) process.stdout.write(`${name}: ${JSON.stringify(value)}\n`)
  process.exitCode = holds ? 0 : 1
} finally {
  await rm(work, { recursive: true })
}
