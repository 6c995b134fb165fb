// Types, lint and tests, all of them whatever fails first; the last line is the count. Called by scripts/test.
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
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

/** Runs mocha in a process of its own; resolves also when that process crashes or does not end. */
function mochaTally(args: readonly string[], eventsPath: string): Promise<Tally> {
  writeFileSync(eventsPath, '')
  const events = () => parseEvents(readFileSync(eventsPath, 'utf8'))
  const flags = ['--forbid-only', '--reporter', './scripts/test-reporter.ts', ...args]
  const child = spawn(process.execPath, [join(root, 'node_modules/mocha/bin/mocha.js'), ...flags], {
    cwd: root,
    env: { ...env, [EVENTS_PATH]: eventsPath },
    stdio: ['ignore', 'inherit', 'inherit'],
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
tallies.push(await mochaTally(process.argv.slice(2), join(dir, 'events')))
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
