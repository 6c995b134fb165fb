import { stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type ClusterLock, ConfigError, messageOf, toHex } from '@conclave/core'
import { askAdmin, readLock, readSettings, SETTINGS_FILE } from '@conclave/node'
import { parsePolicy } from '@conclave/policy'
import { RECEIPT_BYTES_MAX, ReceiptError, verifyReceipt } from '@conclave/receipt'
import type { Command } from 'commander'
import { readFileOrThrow } from './audit-source.ts'
import { guarded, print } from './output.ts'

interface Getting {
  readonly dir: string
  readonly out?: string
}
interface Verifying {
  readonly lock: readonly string[]
  readonly policy?: string
  readonly required?: string
  readonly json?: true
}

const REQUEST_ID = /^[0-9a-f]{64}$/
const WHOLE = /^\d$/
const collect = (value: string, previous: readonly string[] | undefined): readonly string[] => [...(previous ?? []), value]

async function getReceipt(id: string, { dir, out }: Getting): Promise<void> {
  if (!REQUEST_ID.test(id)) throw new ConfigError('BAD_REQUEST_ID', 'a request id is 64 lower-case hexadecimal digits')
  const { adminSocket } = readSettings(join(dir, SETTINGS_FILE))
  const { receipt } = (await askAdmin(adminSocket, `/v1/requests/${id}/receipt`)) as { receipt: string }
  if (out === undefined) {
    process.stdout.write(receipt)
    return
  }
  try {
    await writeFile(out, receipt, { flag: 'wx' })
  } catch (cause) {
    throw new ConfigError('FILE_IO', `cannot write ${out}: ${messageOf(cause)}`, { file: out }, cause)
  }
  print(`wrote ${out}`)
}

/** What is longer than any receipt is not read at all. */
async function readReceipt(file: string): Promise<Uint8Array> {
  const { size } = await stat(file).catch((cause: unknown) => {
    throw new ConfigError('FILE_UNREADABLE', `cannot read ${file}: ${messageOf(cause)}`, { file }, cause)
  })
  if (size > RECEIPT_BYTES_MAX) throw new ReceiptError('RECEIPT_TOO_LARGE', `receipt: longer than ${RECEIPT_BYTES_MAX} bytes`)
  return readFileOrThrow(file)
}

async function verifyFile(file: string, { lock: files, policy: policyFile, required, json }: Verifying): Promise<void> {
  const locks: ClusterLock[] = []
  for (const lock of files) locks.push(await readLock(lock))
  if (required !== undefined && !WHOLE.test(required)) throw new ConfigError('BAD_OPTION', '--required is a number from 0 to 9')
  const cosigned = required === undefined ? Math.min(...locks.map((l) => l.quorum.required)) - 1 : Number(required)
  const text = policyFile === undefined ? undefined : new TextDecoder().decode(await readFileOrThrow(policyFile))
  const policy = text === undefined ? undefined : parsePolicy(text, policyFile)
  const verified = verifyReceipt(await readReceipt(file), { locks, required: cosigned, nowS: Date.now() / 1000, policy })
  const { statement, hash, receipt, nodes, holds, unproved } = verified
  if (json === true) {
    const { keyId, payloadType, requester, policySequence } = statement
    const about = { requestId: toHex(statement.requestId), statement: toHex(hash), keyId, payloadType, requester, policySequence }
    const summaries = receipt.items.map((i) => i.summary)
    const signers = nodes.map((n) => ({ node: n.node, rule: n.verdict.details.rule, at: new Date(n.verdict.timeMs).toISOString() }))
    print(JSON.stringify({ ...about, summaries, signatures: receipt.signatures, signers, holds, unproved }, null, 2))
    return
  }
  for (const { summary } of receipt.items) for (const { label, value } of summary) print(`  ${label}: ${value}`)
  for (const line of holds) print(`holds: ${line}`)
  for (const line of unproved) print(`not proved: ${line}`)
}

/** `conclave receipt get | verify`. */
export function addReceiptCommands(program: Command): void {
  const receipt = program.command('receipt').description('proof of what was signed and why')
  receipt
    .command('get')
    .argument('<request>', 'id of a request that was signed')
    .description('have the own node collect a receipt of all nodes that signed; no coordinator is asked')
    .requiredOption('--dir <dir>', 'directory of the node')
    .option('--out <file>', 'a new file (default: standard output)')
    .action(guarded(getReceipt))
  receipt
    .command('verify')
    .argument('<file>', 'the receipt')
    .description('verify a receipt offline, with the cluster lock and nothing else; says what it proves, and what not')
    .requiredOption('--lock <file>', 'cluster lock; again for older ones, whose keys signed', collect)
    .option('--policy <file>', 'the policy that was in force: shows that the approvals are those that its rule asks for')
    .option('--required <n>', 'how many other nodes must have cosigned each log (default: one less than a quorum)')
    .option('--json', 'as JSON')
    .action(guarded(verifyFile))
}
