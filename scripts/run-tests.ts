// Types, lint and tests, all of them whatever fails first; the last line is the count. Called by scripts/test.
// Tests run in two processes at once, those of clusters of real processes and all others: two processors are what CI has.
import { spawn, spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { EVENTS_PATH, parseEvents, summaryOf, type Tally, tallyOf } from './test-events.ts'

const root = join(import.meta.dirname, '..')
const bin = join(root, 'node_modules/.bin')
const env = { ...process.env, PATH: [bin, process.env.PATH].join(delimiter) }
const POLL_MS = 500
const LINGER_MS_MAX = 30_000

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

/** One command that counts as one test; its output is shown when it fails. */
function checkTally(title: string, command: string, args: readonly string[]): Tally {
  const started = performance.now()
  const run = spawnSync(join(bin, command), args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' })
  const ok = run.status === 0
  print(`${ok ? 'ok  ' : 'FAIL'} ${title} (${Math.round(performance.now() - started)} ms)`)
  if (!ok) print([run.stdout, run.stderr, run.error?.message].filter(Boolean).join('\n').trim())
  return ok ? { passed: 1, failed: [], skipped: [] } : { passed: 0, failed: [title], skipped: [] }
}

interface Group {
  readonly name: string
  readonly specs: readonly string[]
  /** Where its output goes; to ours when there is none. */
  readonly log?: string
}

/** Runs mocha in a process of its own; resolves also when that process crashes or does not end. */
function mochaTally({ name, specs, log }: Group, args: readonly string[]): Promise<Tally> {
  const eventsPath = join(dir, `${name}.events`)
  writeFileSync(eventsPath, '')
  const output = log === undefined ? 'inherit' : openSync(log, 'w')
  const events = () => parseEvents(readFileSync(eventsPath, 'utf8'))
  // Without the configuration file: its list of tests would be added to ours.
  const config = ['--no-config', '--extension', 'ts', '--timeout', '120000']
  const flags = [...config, '--forbid-only', '--reporter', './scripts/test-reporter.ts', ...args, ...specs]
  const child = spawn(process.execPath, [join(root, 'node_modules/mocha/bin/mocha.js'), ...flags], {
    cwd: root,
    env: { ...env, [EVENTS_PATH]: eventsPath },
    stdio: ['ignore', output, output],
  })
  let lingeredMs = 0
  let hung = false
  const watch = setInterval(() => {
    if (!events().some((e) => e.kind === 'end')) return
    lingeredMs += POLL_MS
    hung = lingeredMs >= LINGER_MS_MAX
    if (hung) child.kill('SIGKILL')
  }, POLL_MS)
  return new Promise((resolve) => {
    const finish = (status: number | null, signal: NodeJS.Signals | null) => {
      clearInterval(watch)
      if (typeof output === 'number') closeSync(output)
      resolve(tallyOf(events(), { status, signal }, hung))
    }
    child.on('error', () => finish(null, null))
    child.on('exit', finish)
  })
}

const dir = mkdtempSync(join(tmpdir(), 'conclave-test-'))
const tallies = [
  checkTally('types (tsc -b)', 'tsc', ['-b']),
  checkTally('lint (biome check)', 'biome', ['check', '--error-on-warnings', '.']),
]
const across = { name: 'across', specs: ['test/e2e/**/*.test.ts'], log: join(dir, 'across.log') }
const inside = { name: 'inside', specs: ['packages/*/src/**/*.test.ts', 'scripts/**/*.test.ts', 'test/integration/**/*.test.ts'] }
tallies.push(...(await Promise.all([inside, across].map((group) => mochaTally(group, process.argv.slice(2))))))
print(readFileSync(across.log, 'utf8'))
rmSync(dir, { recursive: true })

const total: Tally = {
  passed: tallies.reduce((sum, t) => sum + t.passed, 0),
  failed: tallies.flatMap((t) => t.failed),
  skipped: tallies.flatMap((t) => t.skipped),
}
for (const title of total.skipped) print(`skipped: ${title}`)
for (const title of total.failed) print(`failed: ${title}`)
print(summaryOf(total))
process.exitCode = total.failed.length > 0 ? 1 : 0
