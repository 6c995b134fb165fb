// Runs test files in a copy of the tree, and tells red from broken.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Mutant } from './mutants.ts'

const RUN_TIMEOUT_MS = 300_000

/** `green`, `red`: tests ran. `broken`: they could not be loaded, or did not end, which says nothing of any check. */
export interface Outcome {
  readonly state: 'green' | 'red' | 'broken'
  /** The first test that failed, or why nothing ran. */
  readonly detail: string
}

interface Report {
  readonly stats: { readonly tests: number; readonly passes: number; readonly failures: number }
  readonly failures: readonly { readonly fullTitle: string }[]
}

/** What mocha's JSON reporter has left behind, undefined for nothing: it writes only when everything was loaded. */
export function judge(json: string | undefined): Outcome {
  if (json === undefined) return { state: 'broken', detail: 'the tests did not load' }
  const { stats, failures } = JSON.parse(json) as Report
  if (stats.failures > 0) return { state: 'red', detail: failures[0]?.fullTitle ?? '' }
  return stats.passes > 0 ? { state: 'green', detail: '' } : { state: 'broken', detail: 'no test ran' }
}

export function runTests(root: string, files: readonly string[]): Outcome {
  const output = join(root, 'mutants-report.json')
  rmSync(output, { force: true })
  const mocha = join(root, 'node_modules/mocha/bin/mocha.js')
  const flags = [
    '--no-config',
    '--extension',
    'ts',
    '--timeout',
    '120000',
    '--bail',
    '--exit',
    '--reporter',
    'json',
    '--reporter-option',
    `output=${output}`,
  ]
  const run = spawnSync(process.execPath, [mocha, ...flags, ...files], { cwd: root, timeout: RUN_TIMEOUT_MS, stdio: 'ignore' })
  if (run.error !== undefined) return { state: 'broken', detail: `the run did not end: ${run.error.message}` }
  return judge(existsSync(output) ? readFileSync(output, 'utf8') : undefined)
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
