import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { ConclaveError } from '@conclave/core'

const STOP_TIMEOUT_MS = 10_000
const POLL_MS = 50
const STDERR_CHARS_MAX = 1 << 16

export interface ChildOptions {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  /** Receives standard output and standard error. */
  readonly logFile: string
  readonly env?: NodeJS.ProcessEnv
  /** Gives the child an IPC channel, by whose end it learns that we are gone. */
  readonly watched: boolean
}

/** A process of the testnet, by its id: started, waited for, stopped or killed. */
export class Child {
  readonly name: string
  readonly logFile: string
  readonly #process: ChildProcess
  #exit: string | undefined
  #stderr = ''

  constructor({ name, command, args, logFile, env, watched }: ChildOptions) {
    this.name = name
    this.logFile = logFile
    const log = createWriteStream(logFile, { flags: 'a' })
    const stdio: ('ignore' | 'pipe' | 'ipc')[] = watched ? ['ignore', 'pipe', 'pipe', 'ipc'] : ['ignore', 'pipe', 'pipe']
    this.#process = spawn(command, args, { stdio, ...(env === undefined ? {} : { env }) })
    this.#process.stdout?.pipe(log, { end: false })
    this.#process.stderr?.pipe(log, { end: false })
    this.#process.stderr?.on('data', (chunk: Buffer) => {
      this.#stderr = (this.#stderr + chunk.toString()).slice(-STDERR_CHARS_MAX)
    })
    this.#process.on('error', (error) => {
      this.#exit = error.message
    })
    this.#process.on('exit', (code, signal) => {
      this.#exit = signal ?? `exit code ${code}`
    })
    // After `exit`, when the last of its output has come.
    this.#process.on('close', () => log.end())
  }

  get pid(): number | undefined {
    return this.#process.pid
  }

  /** The end of what it wrote to standard error. */
  get stderr(): string {
    return this.#stderr
  }

  get alive(): boolean {
    return this.#exit === undefined
  }

  /** Waits until the log holds `text`. @throws {ConclaveError} CHILD_DIED with its last line, CHILD_TIMEOUT. */
  async logged(text: string, timeoutMs: number): Promise<void> {
    await until(
      async () => {
        const log = await readFile(this.logFile, 'utf8').catch(() => '')
        if (log.includes(text)) return true
        if (!this.alive)
          throw new ConclaveError('CHILD_DIED', `${this.name} stopped (${this.#exit}): ${log.trim().split('\n').at(-1)?.slice(0, 400)}`)
        return false
      },
      { timeoutMs, what: `${this.name} to start` },
    )
  }

  /** SIGKILL, and the end of the process. The signal is sent before this returns. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  /** SIGTERM, then SIGKILL when it does not go. */
  async stop(): Promise<void> {
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), STOP_TIMEOUT_MS)
    await this.#end('SIGTERM')
    clearTimeout(timer)
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    if (!this.alive) return
    const exited = once(this.#process, 'exit')
    this.#process.kill(signal)
    await exited
  }
}

/** Polls `test` until it is true. @throws {ConclaveError} CHILD_TIMEOUT naming `what`; whatever `test` throws. */
export async function until(test: () => Promise<boolean>, { timeoutMs, what }: { timeoutMs: number; what: string }): Promise<void> {
  const deadline = Date.now() + timeoutMs
  while (!(await test())) {
    if (Date.now() > deadline) throw new ConclaveError('CHILD_TIMEOUT', `waited ${timeoutMs} ms for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}

/** Runs a command to its end. @throws {ConclaveError} COMMAND_FAILED with what it wrote to standard error. */
export async function runCommand(command: string, args: readonly string[]): Promise<string> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const output: string[] = []
  const errors: string[] = []
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => errors.push(chunk.toString()))
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) throw new ConclaveError('COMMAND_FAILED', errors.join('').trim() || `${args.join(' ')} failed with ${code}`)
  return output.join('')
}
