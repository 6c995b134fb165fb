import { InvalidArgument } from '@conclave/core'
import { type ReplayedRequest, replayPolicy, simulatePolicy, type TrialVerdict } from '@conclave/node'
import type { Command } from 'commander'
import { guarded } from './output.ts'

type Print = (line: string) => void

interface Simulating {
  dir?: string
  policy?: string
  payload: string
  type: string
  key: string
  path: string
  requester?: string
  approvedBy?: string[]
  at?: string
  json?: true
}
interface Replaying {
  dir: string
  from: string
  to?: string
  json?: true
}

/** Exit code of a simulation that ends in a no. */
const DENIED = 3

/** ISO 8601. @throws {InvalidArgument} BAD_TIME. */
function timeOf(text: string, option: string): number {
  const ms = /^\d{4}-\d\d-\d\d(T|$)/.test(text) ? Date.parse(text) : Number.NaN
  if (!Number.isSafeInteger(ms) || ms < 0)
    throw new InvalidArgument('BAD_TIME', `${option}: a time like 2026-03-01 or 2026-03-01T12:00:00Z`)
  return ms
}

function printVerdict(print: Print, { allowed, code, reason, policy, summary }: TrialVerdict): void {
  for (const { label, value } of summary) print(`  ${label}: ${value}`)
  print(`${allowed ? 'allowed' : 'not allowed'}: ${code}, ${reason}`)
  print(`by policy ${policy.sequence}, hash ${policy.hash}`)
}

async function simulate(
  print: Print,
  { dir, policy, payload, type, key, path, requester, approvedBy = [], at, json }: Simulating,
): Promise<void> {
  const verdict = await simulatePolicy({
    ...{ dir, policyFile: policy, payloadFile: payload, payloadType: type, keyId: key, path, requester, approvedBy },
    ...{ atMs: at === undefined ? undefined : timeOf(at, '--at'), nowMs: Date.now() },
  })
  if (json === true) print(JSON.stringify(verdict, null, 2))
  else printVerdict(print, verdict)
  if (!verdict.allowed) process.exitCode = DENIED
}

const rowLine = ({ requestId, keyId, requester, at, wasSigned, inForce, would }: ReplayedRequest) =>
  `${requestId} ${keyId} of ${requester} at ${at}${wasSigned ? ', signed' : ''}: now ${inForce.code}, then ${would.code}: ${would.reason}`

async function replay(print: Print, file: string, { dir, from, to, json }: Replaying): Promise<void> {
  const time = { fromMs: timeOf(from, '--from'), toMs: to === undefined ? Date.now() : timeOf(to, '--to') }
  let [examined, changed] = [0, 0]
  let sumsSince: string | null = null
  for await (const page of replayPolicy(dir, file, time)) {
    examined += page.examined
    changed += page.changed.length
    sumsSince = page.sumsSince
    for (const row of page.changed) print(json === true ? JSON.stringify(row) : rowLine(row))
  }
  if (json === true) print(JSON.stringify({ examined, changed, sumsSince }))
  else print(`${changed} of ${examined} requests would be answered otherwise; what was spent is known since ${sumsSince ?? 'never'}`)
}

/** `conclave policy simulate | replay`: what a policy would say, before it is signed. */
export function addPolicyTrialCommands(policy: Command, print: Print): void {
  policy
    .command('simulate')
    .description('would this pass, and by which rule: at a node with what it has really spent, or by a file alone; exit code 3 is a no')
    .requiredOption('--payload <file>', 'the exact bytes, or their hexadecimal digits')
    .requiredOption('--key <id>', 'the key that is to sign')
    .option('--type <type>', 'of the payload', 'evm.tx')
    .option('--path <path>', 'of the child key', 'm')
    .option('--requester <name>', 'who asks')
    .option('--approved-by <id...>', 'approvers who have said yes')
    .option('--at <time>', 'when, as 2026-03-01T12:00:00Z; default: now')
    .option('--policy <file>', 'in the place of the policy in force')
    .option('--dir <dir>', 'directory of the node that is asked')
    .option('--json', 'as JSON')
    .action(guarded((o: Simulating) => simulate(print, o)))
  policy
    .command('replay <file>')
    .description("which requests of a time this policy would have answered otherwise, by the node's own records and sums")
    .requiredOption('--dir <dir>', 'directory of the node')
    .requiredOption('--from <time>', 'as 2026-03-01 or 2026-03-01T12:00:00Z')
    .option('--to <time>', 'default: now')
    .option('--json', 'a line of JSON for each request, and one for the sum')
    .action(guarded((file: string, o: Replaying) => replay(print, file, o)))
}
