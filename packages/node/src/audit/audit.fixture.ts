import { type AuditEntry, keysFromLocks, type LogReport, verifyDirectory } from '@conclave/audit'
import type { TestCluster } from '../cluster.fixture.ts'
import { until } from '../requests.fixture.ts'

/** Checkpoints come at once. */
export const QUICK = { everyMs: 20 } as const

export interface ReadLog {
  readonly entries: readonly AuditEntry[]
  readonly report: LogReport
}

/** Everything in a node's log, verified, running or not. */
export async function readLog(c: TestCluster, name: string, known: readonly Uint8Array[] = []): Promise<ReadLog> {
  const entries: AuditEntry[] = []
  const report = await verifyDirectory(c.auditDir(name), {
    keys: keysFromLocks([c.lock], name, { required: 0, nowS: Date.now() / 1000 }),
    node: name,
    known,
    entry: (entry, index) => {
      entries[index] = entry
    },
  })
  return { entries: entries.slice(0, report.size), report }
}

export const kindsOf = ({ entries }: ReadLog): readonly string[] => entries.map((e) => e.kind)

/** Waits until everything in a node's log is in a checkpoint that `cosigners` others have cosigned. */
export async function witnessed(c: TestCluster, name: string, cosigners = c.names().length - 1): Promise<void> {
  await until(`the log of ${name} is cosigned`, async () => {
    const { audit } = await c.node(name).admin.status()
    return audit?.checkpoint?.size === audit?.size && audit?.checkpoint?.cosigners.length === cosigners
  })
}
