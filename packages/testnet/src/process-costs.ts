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

/** Clock ticks, in which /proc/PID/stat counts. */
const TICK_MS = 10

interface ThreadCost {
  readonly name: string
  /** The first figure of schedstat: nanoseconds on a processor. */
  readonly ms: number
}

/** Undefined for a thread that ends while it is looked at. */
async function threadCost(pid: number, thread: string): Promise<ThreadCost | undefined> {
  try {
    const at = `/proc/${pid}/task/${thread}`
    const [name, schedule] = await Promise.all([readFile(`${at}/comm`, 'utf8'), readFile(`${at}/schedstat`, 'utf8')])
    return { name: name.trim(), ms: Number(schedule.split(' ', 1)[0]) / 1e6 }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ESRCH') return undefined
    throw error
  }
}

/** Of all threads of a process, also those that have ended, to a tick. */
async function processMs(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  // The name of the program, in parentheses, may hold anything.
  const [user, system] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13)
  return TICK_MS * (Number(user) + Number(system))
}

async function threadCosts(pid: number): Promise<ThreadCosts> {
  const costs = { main: 0, workers: 0, pool: 0, engine: 0 }
  const threads = await readdir(`/proc/${pid}/task`)
  const live = await Promise.all(threads.map((thread) => threadCost(pid, thread)))
  for (const { name, ms } of live.filter((cost) => cost !== undefined)) costs[purposeOf(name)] += ms
  // Threads that have ended were workers: the others live as long as the process.
  const ended = (await processMs(pid)) - total(costs)
  if (ended > 2 * TICK_MS) costs.workers += ended
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
