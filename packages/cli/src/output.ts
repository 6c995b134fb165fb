import { ConclaveError, codeOf, messageOf } from '@conclave/core'

/** Exit codes: 0 done, 1 failed (one line on standard error says why), 2 wrong usage. */
export const FAILED = 1

export function print(line: string): void {
  process.stdout.write(`${line}\n`)
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
      process.exitCode = FAILED
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
