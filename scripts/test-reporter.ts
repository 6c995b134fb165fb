// A mocha reporter: the usual one for people, and beside it an event file for scripts/run-tests.ts to count from. Every event is
// on disk before the next test starts, so a crash loses nothing.
import { appendFileSync } from 'node:fs'
import Mocha from 'mocha'
import { EVENTS_PATH, type TestEvent } from './test-events.ts'

const REASON_CHARS_MAX = 4000

/** Shown again at the end, where somebody looks who has only the end. */
const reasonOf = (error: { readonly stack?: string } | undefined) => (error?.stack ?? String(error)).slice(0, REASON_CHARS_MAX)

class EventReporter extends Mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options)
    const path = process.env[EVENTS_PATH]
    if (path === undefined) throw new Error(`${EVENTS_PATH} is not set: run ./scripts/test, or mocha with its own reporter`)
    const write = (event: TestEvent) => appendFileSync(path, `${JSON.stringify(event)}\n`)
    const titleOf = (test: Mocha.Runnable) => test.titlePath().join(' > ')
    runner.on('pass', (test) => write({ kind: 'pass', title: titleOf(test) }))
    runner.on('fail', (test, error) => write({ kind: 'fail', title: titleOf(test), why: reasonOf(error) }))
    runner.on('pending', (test) => write({ kind: 'skip', title: titleOf(test) }))
    runner.on('end', () => write({ kind: 'end' }))
  }
}

// mocha loads reporters with require(), to which this name is the whole module.
export { EventReporter as 'module.exports' }
