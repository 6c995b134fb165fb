import { execFileSync } from 'node:child_process'
import { arch, cpus, loadavg, platform, totalmem } from 'node:os'

/** Where figures were taken: enough to know whether two runs can be compared. */
export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryGiB: number
  readonly system: string
  readonly node: string
  readonly commit: string
  readonly date: string
  /** Of the last minute, when the run began: above 0.3 something else was running. */
  readonly loadAverage: number
}

/** The commit that is checked out, with a plus when files differ from it. */
function commitOf(): string {
  try {
    const git = (...args: readonly string[]) => execFileSync('git', args, { encoding: 'utf8', cwd: import.meta.dirname }).trim()
    return `${git('rev-parse', '--short=10', 'HEAD')}${git('status', '--porcelain') === '' ? '' : '+'}`
  } catch {
    // Not every copy of the sources is a checkout.
    return 'unknown'
  }
}

export function describeMachine(now = new Date()): Machine {
  const [first] = cpus()
  return {
    cpu: first?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${arch()}`,
    node: process.version,
    commit: commitOf(),
    date: now.toISOString().slice(0, 10),
    loadAverage: Number((loadavg()[0] ?? 0).toFixed(2)),
  }
}
