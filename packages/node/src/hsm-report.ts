import type { HsmHealth, KeyVault, RecordShelf } from '@conclave/vault'
import type { HsmStatus } from '@conclave/wire'

const U32_MAX = 2 ** 32 - 1

export interface HsmReportParts {
  readonly vault: KeyVault
  /** Every record that this node has sealed. */
  readonly shelf: RecordShelf
}

/** The health of one HSM, and what it lacks. */
export interface HsmReport extends HsmHealth {
  /** Records of the node that it is no recipient of: they depend on the other HSMs. */
  readonly short: number
}

/** Every HSM of the node, in order of priority. */
export async function hsmReport({ vault, shelf }: HsmReportParts): Promise<readonly HsmReport[]> {
  const [health, records] = await Promise.all([vault.health(), shelf.records()])
  const missing = records.flatMap(({ record }) => vault.missingFrom(record))
  return health.map((h) => ({ ...h, short: missing.filter((name) => name === h.name).length }))
}

const u32 = (n: number): number => Math.min(U32_MAX, Math.max(0, Math.round(n)))

/** As the coordinator is told. */
export function hsmStatus({ name, state, sinceMs, lastCode, failures, latencyMs, missedSeals, short }: HsmReport): HsmStatus {
  const since = new Uint8Array(8)
  new DataView(since.buffer).setBigUint64(0, BigInt(Math.max(0, Math.round(sinceMs))))
  const counts = { failures: u32(failures), latencyUs: u32((latencyMs ?? 0) * 1000), missed: u32(missedSeals), short: u32(short) }
  return { name, state, since, code: lastCode ?? '', ...counts }
}
