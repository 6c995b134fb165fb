import { ConclaveApiError } from '@conclave/client'
import { ConclaveError, codeOf, messageOf } from '@conclave/core'

/** How a command ends; beside these, 2 is wrong usage (docs/cli.md). */
export const FAILED = 1
/** Nothing is wrong, and nothing is signed yet: the request waits for people. */
export const WAITS_FOR_APPROVAL = 3
/** The policy of the nodes, or an approver, said no: the same again will be refused again. */
export const DENIED = 4

const DENIALS: ReadonlySet<string> = new Set(['POLICY_DENIED', 'REJECTED'])

/** Where a command says what it has to say. */
export interface Output {
  /** Its result: standard output. */
  print(line: string): void
  /** What goes on meanwhile: standard error. */
  progress(line: string): void
  /** With which exit code it ends, when that is not 0. */
  end(exitCode: number): void
}

export function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

export const terminal: Output = {
  print,
  progress: (line) => void process.stderr.write(`${line}\n`),
  end: (exitCode) => {
    process.exitCode = exitCode
  },
}

/** Columns under their heads, as wide as what is in them. @param rows - of as many cells as there are heads. */
export function table(heads: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const widths = heads.map((head, i) => Math.max(head.length, ...rows.map((row) => row[i]?.length ?? 0)))
  const lineOf = (row: readonly string[]) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd()
  return [heads.map((head) => head.toUpperCase()), ...rows].map(lineOf)
}

/** One line for a person: what happened and the stable code. No stack trace: it is ours, not the user's. */
export function printError(error: unknown): void {
  const line = error instanceof ConclaveError ? messageOf(error) : `unexpected failure: ${messageOf(error)}`
  process.stderr.write(`conclave: ${line.replaceAll('\n', ' ')} (${codeOf(error)})\n`)
  if (process.env.CONCLAVE_DEBUG !== undefined && error instanceof Error) process.stderr.write(`${error.stack}\n`)
}

/** Runs a command's action; a failure becomes one line and the exit code. */
export function guarded<A extends unknown[]>(action: (...args: A) => Promise<void>): (...args: A) => Promise<void> {
  return async (...args) => {
    try {
      await action(...args)
    } catch (error) {
      printError(error)
      process.exitCode = error instanceof ConclaveApiError && DENIALS.has(error.code) ? DENIED : FAILED
    }
  }
}

/** Resolves at SIGINT, SIGTERM, or when the process that started this one closes the IPC channel. */
export function untilStopped(): Promise<void> {
  return new Promise((resolve) => {
    const stop = () => {
      // Listened to, the channel would keep a process alive that has nothing left to do.
      if (process.connected) process.disconnect()
      resolve()
    }
    for (const signal of ['SIGINT', 'SIGTERM', 'disconnect'] as const) process.once(signal, stop)
  })
}
