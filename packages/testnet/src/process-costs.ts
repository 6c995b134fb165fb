import { readdir, readFile } from 'node:fs/promises'
import type { LocalCluster } from './local-cluster.ts'

/** Processor time since the start of a process, in milliseconds, by what its threads are for. */
export interface ThreadCosts {
  /** The event loop. */
  readonly main: number
  /** Worker threads: protocol sessions. */
  readonly workers: number
  /** libuv's pool: the disk, and asynchronous cryptography. */
  readonly pool: number
  /** V8's own threads: garbage collection and compilation. */
  readonly engine: number
}

export interface ProcessCosts {
  readonly name: string
  readonly threads: ThreadCosts
  /** Processor time of child processes: a node's HSM agents. */
  readonly children: number
  /** Resident memory, children not counted. */
  readonly residentBytes: number
}

const ENGINE: ReadonlySet<string> = new Set(['V8Worker', 'DelayedTaskSche', 'SignalInspector'])

function purposeOf(threadName: string): keyof ThreadCosts {
  if (threadName === 'MainThread' || threadName === 'node') return 'main'
  if (threadName === 'libuv-worker') return 'pool'
  return ENGINE.has(threadName) ? 'engine' : 'workers'
}

/** The first figure of schedstat: nanoseconds on a processor. */
async function threadMs(pid: number, thread: string): Promise<number> {
  const text = await readFile(`/proc/${pid}/task/${thread}/schedstat`, 'utf8')
  return Number(text.split(' ', 1)[0]) / 1e6
}

async function threadCosts(pid: number): Promise<ThreadCosts> {
  const costs = { main: 0, workers: 0, pool: 0, engine: 0 }
  for (const thread of await readdir(`/proc/${pid}/task`)) {
    const name = (await readFile(`/proc/${pid}/task/${thread}/comm`, 'utf8')).trim()
    costs[purposeOf(name)] += await threadMs(pid, thread)
  }
  return costs
}

const total = ({ main, workers, pool, engine }: ThreadCosts) => main + workers + pool + engine

async function childrenMs(pid: number): Promise<number> {
  const children = (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).split(' ').filter((text) => text.trim() !== '')
  const each = await Promise.all(children.map(async (child) => total(await threadCosts(Number(child))) + (await childrenMs(Number(child)))))
  return each.reduce((sum, ms) => sum + ms, 0)
}

async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return 1024 * Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? Number.NaN)
}

/** What a process has cost since its start. Linux only. @throws when there is no such process. */
export async function processCosts(name: string, pid: number): Promise<ProcessCosts> {
  return { name, threads: await threadCosts(pid), children: await childrenMs(pid), residentBytes: await residentBytes(pid) }
}

/** What every running process of a cluster has cost since its start, and the caller's own, by name. */
export async function clusterCosts(cluster: LocalCluster): Promise<readonly ProcessCosts[]> {
  const processes = [...cluster.pids(), ['client', process.pid] as const]
  return Promise.all(
    processes.map(async ([name, pid]) => {
      const costs = await processCosts(name, pid)
      // Its children are the processes of the cluster.
      return name === 'client' ? { ...costs, children: 0 } : costs
    }),
  )
}
