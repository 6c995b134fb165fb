import type { SpawnSyncReturns } from 'node:child_process'

/** What the reporter writes while mocha runs, one JSON object a line. */
export type TestEvent =
  | { readonly kind: 'pass' | 'skip'; readonly title: string }
  | { readonly kind: 'fail'; readonly title: string; readonly why?: string }
  | { readonly kind: 'end' }

export interface Tally {
  readonly passed: number
  readonly failed: readonly string[]
  readonly skipped: readonly string[]
}

/** Name of the environment variable that carries the path of the event file to the reporter. */
export const EVENTS_PATH = 'CONCLAVE_TEST_EVENTS'

/** Reads an event file; a last line that was cut off by a crash is dropped. */
export function parseEvents(text: string): readonly TestEvent[] {
  const complete = text.slice(0, text.lastIndexOf('\n') + 1)
  return complete
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as TestEvent)
}

const indented = (text: string) => text.replace(/^/gm, '    ')

/**
 * Judges one run of mocha by what it reported and how it ended, so that no crash, hang or empty run can look green.
 *
 * @param hung - it had reported the end and had to be killed.
 */
export function tallyOf(events: readonly TestEvent[], exit: Pick<SpawnSyncReturns<string>, 'status' | 'signal'>, hung: boolean): Tally {
  const titles = (kind: TestEvent['kind']) => events.flatMap((e) => (e.kind !== 'end' && e.kind === kind ? [e.title] : []))
  const passed = titles('pass').length
  const failed = events.flatMap((e) => (e.kind === 'fail' ? [e.why === undefined ? e.title : `${e.title}\n${indented(e.why)}`] : []))
  const skipped = titles('skip')
  const how = exit.signal === null ? `exit code ${exit.status}` : exit.signal
  if (hung) failed.push('mocha: something kept it running after the last test')
  else if (!events.some((e) => e.kind === 'end')) failed.push(`mocha: it ended before its tests did (${how})`)
  else if (passed + failed.length + skipped.length === 0) failed.push('mocha: no test was found')
  else if (failed.length === 0 && exit.status !== 0) failed.push(`mocha: no test failed, but ${how}`)
  return { passed, failed, skipped }
}

/** The last line of `scripts/test`. */
export function summaryOf(tally: Tally): string {
  const skipped = tally.skipped.length > 0 ? `, ${tally.skipped.length} skipped` : ''
  return `${tally.passed} passed, ${tally.failed.length} failed${skipped}`
}
