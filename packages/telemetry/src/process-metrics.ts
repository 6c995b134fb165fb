import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Counter, Gauge, type Registry } from 'prom-client'

const NANOSECONDS = 1e9
const MICROSECONDS = 1e6

/**
 * Adds what the process costs to a registry, read when it is scraped: processor time, memory, delays of the event loop since the last scrape.
 *
 * @returns ends it.
 */
export function watchProcess(registry: Registry): () => void {
  const registers = [registry]
  const delay = monitorEventLoopDelay({ resolution: 10 })
  delay.enable()
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      ...{ name, help, registers },
      collect() {
        this.set(read())
      },
    })
  const startedS = Math.round(Date.now() / 1000 - process.uptime())
  gauge('process_start_time_seconds', 'When the process started, in seconds since 1970.', () => startedS)
  gauge('process_resident_memory_bytes', 'Resident memory of the process.', () => process.memoryUsage.rss())
  gauge('nodejs_heap_size_used_bytes', 'Used part of the JavaScript heap.', () => process.memoryUsage().heapUsed)
  gauge('nodejs_external_memory_bytes', 'Memory outside of the JavaScript heap that belongs to its objects.', () => {
    const { external } = process.memoryUsage()
    return external
  })
  // In the order in which they are collected: the last of them begins the next span of time.
  gauge('nodejs_eventloop_lag_p99_seconds', 'Delay of the event loop since the last scrape, 99th percentile.', () => {
    return delay.percentile(99) / NANOSECONDS
  })
  gauge('nodejs_eventloop_lag_max_seconds', 'The longest delay of the event loop since the last scrape.', () => {
    const longest = delay.max / NANOSECONDS
    delay.reset()
    return longest
  })
  let spentS = 0
  new Counter({
    ...{ name: 'process_cpu_seconds_total', help: 'Processor time that the process has used.', registers },
    collect() {
      const { user, system } = process.cpuUsage()
      const totalS = (user + system) / MICROSECONDS
      this.inc(Math.max(0, totalS - spentS))
      spentS = totalS
    },
  })
  return () => void delay.disable()
}
