import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const PLACE = '/usr/lib/postgresql'
const NOBODY = 65534

/** Where the programs of a PostgreSQL server are on this machine. */
export function postgresPrograms(): string | undefined {
  const versions = existsSync(PLACE) ? readdirSync(PLACE).sort((a, b) => Number(b) - Number(a)) : []
  return versions.map((v) => join(PLACE, v, 'bin')).find((bin) => ['initdb', 'postgres'].every((name) => existsSync(join(bin, name))))
}

/** It refuses to be run by root. */
const unprivileged = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {}

/** A server of its own in a temporary directory, on a Unix socket only. */
export class PostgresServer implements AsyncDisposable {
  readonly #bin: string
  readonly #dir: string
  #process: ReturnType<typeof spawn> | undefined

  private constructor(bin: string, dir: string) {
    this.#bin = bin
    this.#dir = dir
  }

  static async start(bin: string): Promise<PostgresServer> {
    const dir = await mkdtemp(join(tmpdir(), 'conclave-pg-'))
    await chmod(dir, 0o777)
    const server = new PostgresServer(bin, dir)
    await server.#run('initdb', ['-D', join(dir, 'data'), '-U', 'conclave', '-A', 'trust', '-E', 'UTF8', '--no-locale', '--no-sync'])
    await server.up()
    return server
  }

  get url(): string {
    return `postgres://conclave@localhost/postgres?host=${encodeURIComponent(this.#dir)}`
  }

  /** A new database on it. */
  async fresh(name: string): Promise<string> {
    await this.#run('createdb', ['-h', this.#dir, '-U', 'conclave', name])
    return this.url.replace('/postgres?', `/${name}?`)
  }

  async up(): Promise<void> {
    const args = ['-D', join(this.#dir, 'data'), '-k', this.#dir, '-c', 'listen_addresses=', '-c', 'max_connections=60', '-c', 'fsync=on']
    this.#process = spawn(join(this.#bin, 'postgres'), args, { stdio: ['ignore', 'ignore', 'pipe'], ...unprivileged })
    for await (const line of this.#process.stderr ?? []) if (String(line).includes('ready to accept connections')) break
    this.#process.stderr?.resume()
  }

  /** Gone at once, as by a power cut; `up` recovers it. */
  async down(): Promise<void> {
    const server = this.#process
    if (server === undefined || server.exitCode !== null || server.signalCode !== null) return
    const exited = once(server, 'exit')
    // To the postmaster: its children are ended by it, without a checkpoint.
    server.kill('SIGQUIT')
    await exited
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.down()
    await rm(this.#dir, { recursive: true, force: true })
  }

  async #run(name: string, args: readonly string[]): Promise<void> {
    const child = spawn(join(this.#bin, name), args, { stdio: ['ignore', 'ignore', 'inherit'], ...unprivileged })
    const [code] = await once(child, 'exit')
    if (code !== 0) throw new Error(`${name} ended with ${code}`)
  }
}
