import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import type { Rig } from './cluster.ts'

/** A piece of a stack trace: never in what a person reads. */
export const STACK = / {4}at |node:internal|\.[cm]?[jt]s:\d+/
/** A stack trace as Node prints it: in a log of JSON lines it would be no line. */
const STACK_LINE = /^\s+at .+[:(]/m

/** Everything that the processes of a member have written: one log for each of its starts. */
export async function logsOf(dir: string): Promise<readonly string[]> {
  const files = (await readdir(dir)).filter((f) => f.endsWith('.log')).sort()
  return Promise.all(files.map((f) => readFile(join(dir, f), 'utf8')))
}

/** Every process is the one that it was, its API answers, and nothing has shown a stack trace to a person. */
export async function expectHealthy({ cluster }: Rig, pids: ReadonlyMap<string, number>): Promise<void> {
  expect([...cluster.pids()]).to.deep.equal([...pids])
  const answer = await fetch(`${cluster.url}/healthz`)
  expect([answer.status, await answer.json()]).to.deep.equal([200, { status: 'ok' }])
  for (const name of [...cluster.names, 'coordinator']) {
    expect(cluster.child(name)?.stderr, `${name} on standard error`).to.equal('')
    for (const log of await logsOf(cluster.dirOf(name))) expect(log, name).not.to.match(STACK_LINE)
  }
}
