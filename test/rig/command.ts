import { spawn } from 'node:child_process'
import { CONCLAVE } from '@conclave/testnet'
import { expect } from 'chai'
import { STACK } from './health.ts'

/** A command that should refuse has all this time to do so; one that runs on is killed and has no exit code. */
const RUN_TIMEOUT_MS = 60_000

export interface Outcome {
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs `conclave` to its end. */
export function runConclave(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  const child = spawn(process.execPath, [CONCLAVE, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } })
  const timer = setTimeout(() => child.kill('SIGKILL'), RUN_TIMEOUT_MS)
  const read = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].on('data', (chunk: Buffer) => {
      read[name] += chunk.toString()
    })
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (exitCode) => {
      clearTimeout(timer)
      resolve({ exitCode, ...read })
    })
  })
}

/** Starts acts `width` at a time, in order; each has a promise of its own. */
export function pooled<T>(acts: readonly (() => Promise<T>)[], width: number): readonly Promise<T>[] {
  const results = acts.map(() => Promise.withResolvers<T>())
  // Whoever asks for a result sees its failure; until then it is not unhandled.
  for (const { promise } of results) promise.catch(() => undefined)
  let next = 0
  const work = async () => {
    while (next < acts.length) {
      const i = next++
      await acts[i]?.().then(results[i]?.resolve, results[i]?.reject)
    }
  }
  for (let i = 0; i < width; i++) void work()
  return results.map((r) => r.promise)
}

/** It failed as it should: exit code 1 and one line for a person, which ends with the stable code. */
export function expectRefused({ exitCode, stdout, stderr }: Outcome, code: string, says: RegExp = /./): void {
  expect(stderr).to.match(/^conclave: [^\n]+ \([A-Z][A-Z_]+\)\n$/)
  expect(stderr.slice(stderr.lastIndexOf('(') + 1, -2), stderr).to.equal(code)
  expect(stderr).to.match(says)
  expect(exitCode).to.equal(1)
  for (const text of [stderr, stdout]) expect(text).not.to.match(STACK)
}
