import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { NodeStatus } from '@conclave/wire'

const U32 = 2 ** 32

/** What the process costs and how long its event loop makes others wait: a part of a node, because it is never the same twice. */
export interface ProcessMeter {
  start(): void
  stop(): void
  /** Delays of the event loop since the last reading, processor time since the start of the process. */
  read(): Pick<NodeStatus, 'loopP99Us' | 'loopMaxUs' | 'cpuMs'>
}

export function processMeter(): ProcessMeter {
  const delay = monitorEventLoopDelay({ resolution: 5 })
  const microseconds = (nanoseconds: number) => Math.min(U32 - 1, Math.round(nanoseconds / 1e3))
  return {
    start: () => void delay.enable(),
    stop: () => void delay.disable(),
    read() {
      const cpu = process.cpuUsage()
      const loop = { loopP99Us: microseconds(delay.percentile(99)), loopMaxUs: microseconds(delay.max) }
      delay.reset()
      // 50 days of processor time fill 32 bits; a status that cannot be encoded would be worse than one that starts over.
      return { ...loop, cpuMs: Math.round((cpu.user + cpu.system) / 1e3) % U32 }
    },
  }
}
