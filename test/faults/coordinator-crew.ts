import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Child, CONCLAVE, type LocalCluster, until } from '@conclave/testnet'

const START_TIMEOUT_MS = 120_000
const STORE_LINES = /^store:\n {2}path: store\n/m
const HTTP_LINE = /^ {2}listen: 127\.0\.0\.1:\d+\n/m

/** To a receiver on this host, tried again soon. */
const WEBHOOKS = `webhooks: { networks: [127.0.0.0/8], timeoutMs: 2000, retryAfterMs: [${Array(30).fill(1000).join()}] }\n`

/** A coordinator's process: killed and started again. */
export class CrewMember {
  readonly name: string
  readonly url: string
  readonly apiKey: string
  readonly #dir: string
  #child: Child | undefined
  #starts = 0

  private constructor(name: string, dir: string, url: string, apiKey: string) {
    this.name = name
    this.#dir = dir
    this.url = url
    this.apiKey = apiKey
  }

  /** Gives the directory of a coordinator a port of its own and, when there is one, the database that all share. */
  static async prepare(cluster: LocalCluster, name: string, { port, databaseUrl }: { port: number; databaseUrl: string | undefined }) {
    const dir = cluster.dirOf(name)
    const file = join(dir, 'coordinator.yaml')
    const before = await readFile(file, 'utf8')
    const listening = before.replace(HTTP_LINE, `  listen: 127.0.0.1:${port}\n`)
    const shared = `store:\n  postgres: { url: '${databaseUrl}' }\n  leaseMs: 3000\n`
    const after = databaseUrl === undefined ? listening : listening.replace(STORE_LINES, shared)
    if (listening === before || (databaseUrl !== undefined && after === listening))
      throw new Error(`${file} is not as coordinator init made it`)
    await writeFile(file, after + WEBHOOKS)
    return new CrewMember(name, dir, `http://127.0.0.1:${port}`, (await readFile(join(dir, 'api-key'), 'utf8')).trim())
  }

  /** Begins to start; `ready` tells when it answers. */
  start(): void {
    const logFile = join(this.#dir, `chaos-${++this.#starts}.log`)
    const args = [CONCLAVE, 'coordinator', '--dir', this.#dir]
    this.#child = new Child({ name: this.name, command: process.execPath, args, logFile, watched: true })
  }

  get alive(): boolean {
    return this.#child?.alive === true
  }

  /** Until it takes requests. @throws {ConclaveError} CHILD_DIED, CHILD_TIMEOUT. */
  async ready(): Promise<void> {
    await this.#child?.logged('"coordinator started"', START_TIMEOUT_MS)
    const isReady = async () => (await fetch(`${this.url}/readyz`).catch(() => undefined))?.status === 200
    await until(isReady, { timeoutMs: START_TIMEOUT_MS, what: `${this.name} to be ready` })
  }

  /** SIGKILL. */
  async kill(): Promise<void> {
    await this.#child?.kill()
  }

  async stop(): Promise<void> {
    await this.#child?.stop()
  }
}
