// The longer search: `npm run fuzz -- --minutes 5 [--seed n] [--only name]`. What it finds becomes a file of the corpus, which every test run replays.
import { createHash, randomInt } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, relative } from 'node:path'
import { parseArgs } from 'node:util'
import fc from 'fast-check'
import { inputOf, type Recipe, recipe } from './fuzz/mutation.ts'
import { corpusFile, encodeInput, loadTargets, ROOT, type Started, type Target, tryInput } from './fuzz/targets.ts'

const RUNS_PER_ROUND = 4
const NAME_DIGITS = 12

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

/** One round of one target. @returns the shrunk input that broke a promise, and how. */
async function search(target: Target, started: Started, seed: number, timeMs: number) {
  const made = (r: Recipe) => inputOf(target.kind, started.seeds, r)
  const property = fc.asyncProperty(recipe, (r) => tryInput(target, started, made(r)))
  const limits = { interruptAfterTimeLimit: timeMs, markInterruptAsFailure: false }
  const outcome = await fc.check(property, { seed, numRuns: RUNS_PER_ROUND * target.runs, ...limits })
  const [found] = outcome.counterexample ?? []
  return { runs: outcome.numRuns, found: found === undefined ? undefined : { input: made(found), why: String(outcome.errorInstance) } }
}

function keep(target: Target, input: Uint8Array): string {
  const content = encodeInput(target, input)
  const file = corpusFile(target, createHash('sha256').update(content).digest('hex').slice(0, NAME_DIGITS))
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, content)
  return relative(ROOT, file)
}

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '5' }, seed: { type: 'string' }, only: { type: 'string', default: '' } },
})
const seed = values.seed === undefined ? randomInt(2 ** 31) : Number(values.seed)
const deadlineMs = Date.now() + Number(values.minutes) * 60_000
const leftMs = () => deadlineMs - Date.now()
if (!Number.isInteger(seed) || !(leftMs() > 0)) throw new RangeError('--seed is a whole number, --minutes a number above 0')

let targets = (await loadTargets()).filter((t) => t.name.includes(values.only))
const started = new Map<Target, Started>()
let runs = 0
let findings = 0
print(`seed ${seed}, ${targets.length} targets, ${values.minutes} minutes`)
for (let round = 0; leftMs() > 0 && targets.length > 0; round++) {
  for (const target of targets) {
    if (leftMs() <= 0) break
    const ready = started.get(target) ?? (await target.start())
    started.set(target, ready)
    const { runs: tried, found } = await search(target, ready, (seed + round) | 0, leftMs())
    runs += tried
    if (found === undefined) continue
    findings++
    print(`FOUND ${target.name} (seed ${seed + round}): ${found.why}\n      kept in ${keep(target, found.input)}`)
    // It would find the same again.
    targets = targets.filter((t) => t !== target)
  }
}
for (const ready of started.values()) await ready.stop?.()
print(`${runs} inputs, ${findings} findings`)
process.exit(findings > 0 ? 1 : 0)
