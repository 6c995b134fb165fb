import type { HsmReport } from './hsm-report.ts'

/** What an operator is told of one HSM. */
export interface AdminHsm {
  readonly name: string
  /** Whether it is `up`. */
  readonly ok: boolean
  /** `refused`: it waits for a person, e.g. for its PIN; `out`: it was taken out of service. */
  readonly state: 'up' | 'down' | 'refused' | 'out'
  /** Since when it is in this state (ISO 8601, UTC). */
  readonly since: string
  /** Why it is not up. */
  readonly code: string | null
  /** Of its last failure, also when it has recovered since. */
  readonly lastCode: string | null
  /** Requests that it failed since the node started. */
  readonly failures: number
  /** Median of its last answers. */
  readonly latencyMs: number | null
  /** Records sealed without it since the node started. */
  readonly missed: number
  /** Records of the node that it cannot open, because it is no recipient. */
  readonly short: number
}

export function adminHsm({ name, ok, state, sinceMs, code, lastCode, failures, latencyMs, missedSeals, short }: HsmReport): AdminHsm {
  const [since, latency] = [new Date(sinceMs).toISOString(), latencyMs === undefined ? null : Math.round(latencyMs * 1000) / 1000]
  const known = { name, ok, state, since, code: code ?? null, lastCode: lastCode ?? null }
  return { ...known, failures, latencyMs: latency, missed: missedSeals, short }
}
