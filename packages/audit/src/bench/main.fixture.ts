// What a long log costs against a short one, and a durable append against a bare fsync: `npm run -s bench:audit -- --json`.
import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { openCheckpoint } from '../checkpoint.ts'
import { LogFiles } from '../disk.ts'
import type { AuditLog } from '../log.ts'
import { LogView } from '../log-view.ts'
import { leafHash, verifyInclusion } from '../merkle.ts'
import { keysOf, openLog, signedCheckpoint, testEntry } from '../signed-log.fixture.ts'
import { BATCH_ENTRIES_MAX, formatBatch } from '../tail.ts'

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
async function build(dir: string, size: number): Promise<void> {
  const log = await openLog(dir)
  for (let i = 0; i < size; i += BATCH_ENTRIES_MAX) {
    const count = Math.min(BATCH_ENTRIES_MAX, size - i)
    await Promise.all(Array.from({ length: count }, (_, j) => log.append(testEntry('n1', i + j))))
    // Faster than a node ever is, so that the disk has to be waited for.
    if (log.size % (16 * BATCH_ENTRIES_MAX) === 0) await log.flush()
  }
  await log.saveCheckpoint(await signedCheckpoint('n1', await log.flush(), { cosigners: ['n2', 'n5'] }))
  await log.close()
  progress(`built ${size} entries`)
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
  #appended = 0

  constructor(dir: string, size: number) {
    this.dir = dir
    this.size = size
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
    let proof: readonly Uint8Array[] = []
    const inclusion = await microseconds(async () => {
      proof = await view.inclusion(index)
    })
    let isRight = false
    const receipt = await microseconds(() => {
      const { size, root } = openCheckpoint(view.note, KEYS)
      isRight = verifyInclusion(leafHash(testEntry('n1', index)), { index, size }, proof, root)
    })
    if (!isRight) throw new Error(`the proof of entry ${index} of ${this.size} does not hold`)
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
  const subjects = [new Subject(join(work, 'small'), small), new Subject(join(work, 'large'), large)] as const
  for (const s of subjects) await build(s.dir, s.size)
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
