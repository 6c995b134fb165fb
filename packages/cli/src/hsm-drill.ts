import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { ConclaveApiError, type ConclaveClient } from '@conclave/client'
import { ConclaveError, ConfigError, codeOf, messageOf } from '@conclave/core'
import {
  askAdmin,
  type BegunDrill,
  type HsmDrillReport,
  parseReport,
  readLock,
  readSettings,
  SETTINGS_FILE,
  verifyReport,
} from '@conclave/node'
import { clientOf } from './coordinator-api.ts'

/** Signatures that are asked for until one has this node among its signers. */
const SIGNATURES_MAX = 40
/** Of one signature: whatever keeps it, the HSM has to come back. */
const SIGNATURE_DEADLINE_MS = 30_000
/** Thousands of records, each opened by an HSM. */
const BEGIN_TIMEOUT_MS = 600_000

export interface DrillOrder {
  readonly dir: string
  readonly hsm: string
  readonly key: string
  readonly coordinator: string
  readonly apiKeyFile: string
  /** Default: `drills` in the directory of the node. */
  readonly out?: string | undefined
  readonly say: (line: string) => void
}

export interface DrillOutcome {
  readonly file: string
  readonly report: HsmDrillReport
}

/** Has the drill signed again and again until the node says that it took part. @returns why it did not come to that. */
async function haveSigned(
  { key, say }: DrillOrder,
  client: ConclaveClient,
  { payload, deadlineAt }: BegunDrill,
  isSigned: () => Promise<boolean>,
): Promise<string | undefined> {
  for (let i = 1; i <= SIGNATURES_MAX; i++) {
    const leftMs = Date.parse(deadlineAt) - Date.now()
    if (leftMs < 1000) return 'the deadline of the drill came first'
    try {
      const deadlineMs = Math.min(SIGNATURE_DEADLINE_MS, leftMs)
      const { signers } = await client.sign({ keyId: key, payload: { type: 'drill', bytes: payload }, deadlineMs })
      say(`signature ${i}: by nodes ${signers?.join(' ')}`)
    } catch (error) {
      if (!(error instanceof ConclaveApiError)) throw error
      say(`signature ${i}: ${error.message} (${error.code})`)
      if (!error.retriable) return `${error.message.slice(0, 400)} (${error.code})`
    }
    if (await isSigned()) return undefined
  }
  return `none of ${SIGNATURES_MAX} signatures was made with this node`
}

/**
 * Takes an HSM of a running node out, has a signature made without it, puts it back, and keeps the node's signed report. Whatever fails in
 * between, the HSM is put back: by us, and if we are gone, by the node at its deadline.
 *
 * @throws what the node refuses to begin with, and what it says when it cannot report.
 */
export async function runDrill(order: DrillOrder): Promise<DrillOutcome> {
  const { dir, hsm, key, say } = order
  const { adminSocket } = readSettings(join(dir, SETTINGS_FILE))
  const client = await clientOf({ url: [order.coordinator], apiKeyFile: order.apiKeyFile })
  const begun = (await askAdmin(adminSocket, `/v1/hsms/${encodeURIComponent(hsm)}:drill`, { key }, BEGIN_TIMEOUT_MS)) as BegunDrill
  const drill = `/v1/hsm-drills/${begun.drillId}`
  say(`hsm ${hsm} is out of service; all ${begun.recordsOpened} records open without it`)
  const isSigned = async () => ((await askAdmin(adminSocket, drill)) as { signed: boolean }).signed
  let problem: string | undefined
  try {
    problem = await haveSigned(order, client, begun, isSigned)
  } catch (error) {
    problem = `${messageOf(error).slice(0, 400)} (${codeOf(error)})`
  }
  const report = (await askAdmin(adminSocket, `${drill}:finish`, problem === undefined ? {} : { problem })) as HsmDrillReport
  const file = order.out ?? join(dir, 'drills', `${hsm}-${report.startedAt.replaceAll(':', '-')}.json`)
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  await writeFile(file, `${JSON.stringify(report, null, 2)}\n`, { flag: 'wx' })
  return { file, report }
}

/** Reads a report and checks it against a cluster lock, with nothing else. @throws {ConclaveError} as `verifyReport`; {ConfigError}. */
export async function verifyDrill(file: string, lockFile: string): Promise<HsmDrillReport> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (cause) {
    throw new ConfigError('REPORT_UNREADABLE', `cannot read the report ${file}`, { file }, cause)
  }
  const report = parseReport(text)
  verifyReport(report, await readLock(lockFile))
  return report
}

/** @throws {ConclaveError} DRILL_FAILED when it did not show what it was to show. */
export function requirePassed({ problem }: HsmDrillReport): void {
  if (problem !== null) throw new ConclaveError('DRILL_FAILED', `the drill failed: ${problem}`)
}
