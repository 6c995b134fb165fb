// A mocha reporter: the usual one for people, and beside it an event file for scripts/run-tests.ts to count from. Every event is
// on disk before the next test starts, so a crash loses nothing.
import { appendFileSync } from 'node:fs'
import Mocha from 'mocha'
import { EVENTS_PATH, type TestEvent } from './test-events.ts'

class EventReporter extends Mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options)
    const path = process.env[EVENTS_PATH]
    if (path === undefined) throw new Error(`${EVENTS_PATH} is not set: run ./scripts/test, or mocha with its own reporter`)
    const write = (event: TestEvent) => appendFileSync(path, `${JSON.stringify(event)}\n`)
    const report = (kind: 'pass' | 'fail' | 'skip') => (test: Mocha.Runnable) => write({ kind, title: test.titlePath().join(' > ') })
    runner.on('pass', report('pass'))
    runner.on('fail', report('fail'))
    runner.on('pending', report('skip'))
    runner.on('end', () => write({ kind: 'end' }))
  }
}

// mocha loads reporters with require(), to which this name is the whole module.
export { EventReporter as 'module.exports' }
