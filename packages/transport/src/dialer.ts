import { setTimeout as pause } from 'node:timers/promises'
import { backoffMs, type Tuning } from './tuning.ts'

export interface DialerInit {
  /** One attempt, until the link that it made is down again; milliseconds that link was up, 0 when it never was. Never rejects. */
  readonly attempt: () => Promise<number>
  readonly tuning: Pick<Tuning, 'backoffMinMs' | 'backoffMaxMs' | 'stableMs'>
  /** In [0, 1); for jitter only. */
  readonly random: () => number
  readonly signal: AbortSignal
}

/** Keeps one link up until `signal` aborts: libp2p's own keep-alive gives up after five tries. */
export async function keepDialling({ attempt, tuning, random, signal }: DialerInit): Promise<void> {
  let failures = 0
  while (!signal.aborted) {
    const upMs = await attempt()
    failures = upMs >= tuning.stableMs ? 1 : failures + 1
    // Rejects only when the signal aborts, which ends the loop.
    await pause(backoffMs(failures, random(), tuning), undefined, { signal }).catch(() => undefined)
  }
}
