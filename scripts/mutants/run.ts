// Runs test files in a copy of the tree, and tells red from broken.
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { EVENTS_PATH, parseEvents, type TestEvent } from '../test-events.ts'
import type { Mutant } from './mutants.ts'

const RUN_TIMEOUT_MS = 300_000

/** `green`, `red`: tests ran. `broken`: they could not be loaded, or did not end, which says nothing of any check. */
export interface Outcome {
  readonly state: 'green' | 'red' | 'broken'
  /** The first test that failed, or why nothing ran. */
  readonly detail: string
}

/** Mocha's own JSON report is written last, and not at all when an error holds a bigint: the event file has each test as it ended. */
export function judge(events: readonly TestEvent[]): Outcome {
  const [failed] = events.flatMap((e) => (e.kind === 'fail' ? [e.title] : []))
  if (failed !== undefined) return { state: 'red', detail: failed.split(' > ').at(-1) ?? '' }
  if (!events.some((e) => e.kind === 'end')) return { state: 'broken', detail: 'the tests did not load, or did not end' }
  return events.some((e) => e.kind === 'pass') ? { state: 'green', detail: '' } : { state: 'broken', detail: 'no test ran' }
}

export function runTests(root: string, files: readonly string[]): Outcome {
  const events = join(root, 'mutants-events')
  writeFileSync(events, '')
  const mocha = join(root, 'node_modules/mocha/bin/mocha.js')
  const flags = ['--no-config', '--extension', 'ts', '--timeout', '120000', '--bail', '--exit', '--reporter', './scripts/test-reporter.ts']
  const env = { ...process.env, [EVENTS_PATH]: events }
  spawnSync(process.execPath, [mocha, ...flags, ...files], {
    cwd: root,
    env,
    timeout: RUN_TIMEOUT_MS,
    killSignal: 'SIGKILL',
    stdio: 'ignore',
  })
  return judge(parseEvents(readFileSync(events, 'utf8')))
}

/** The file with the check taken out. @throws {RangeError} when the text is not there exactly once. */
export function mutated(source: string, { text, replacement, file }: Mutant): string {
  const [before, after, ...more] = source.split(text)
  if (before === undefined || after === undefined || more.length > 0) throw new RangeError(`${file} does not hold exactly once: ${text}`)
  return before + replacement + after
}

/** Breaks one file of the copy, runs the mutant's tests, and mends it. */
export function tryMutant(root: string, mutant: Mutant): Outcome {
  const path = join(root, mutant.file)
  const source = readFileSync(path, 'utf8')
  writeFileSync(path, mutated(source, mutant))
  try {
    return runTests(root, mutant.tests)
  } finally {
    writeFileSync(path, source)
  }
}
