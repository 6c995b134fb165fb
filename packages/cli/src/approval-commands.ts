import { decide, makeApproverKey, readInbox, readShown, type ShownRequest } from '@conclave/node'
import type { Command } from 'commander'
import { guarded, print } from './output.ts'

interface Here {
  dir: string
  json?: true
}
interface One extends Here {
  request: string
}
interface Deciding extends One {
  as: string
  key?: string
  pqKey?: string
}

function printShown({ details, statement, summaries }: ShownRequest): void {
  print(`request ${details.requestId}`)
  print(`of ${statement.requester}, for key ${statement.keyId}, ${statement.payloadType}, policy ${statement.policySequence}`)
  print(`from ${details.notBefore} to ${details.expiresAt}`)
  for (const [i, summary] of summaries.entries()) {
    print(`item ${i + 1} of ${summaries.length}, path ${details.items[i]?.path}`)
    for (const { label, value } of summary) print(`  ${label}: ${value}`)
  }
  print(`this node: ${details.code}, ${details.reason}`)
  if (details.approvedBy.length > 0) print(`approved by ${details.approvedBy.join(', ')}`)
  if (details.rejectedBy.length > 0) print(`rejected by ${details.rejectedBy.join(', ')}`)
  print(`statement ${details.statementHash}`)
}

/** What is shown is what is signed. */
async function decideShown(decision: 'approve' | 'reject', { dir, request, as, key, pqKey, json }: Deciding): Promise<void> {
  const shown = await readShown(dir, request)
  if (json !== true) printShown(shown)
  const isNew = await decide(shown, { dir, decision, approver: as, keyFile: key, pqKeyFile: pqKey, nowMs: Date.now() })
  const said = decision === 'approve' ? 'approved' : 'rejected'
  if (json === true) print(JSON.stringify({ requestId: request, statement: shown.details.statementHash, decision, approver: as, isNew }))
  else print(isNew ? `${said} as ${as}` : `${as} had ${said} it before`)
}

/** `conclave inbox | show | approve | reject` and `conclave approver keygen`: what an approver does at his own node, whoever coordinates. */
export function addApprovalCommands(program: Command): void {
  const add = (name: string, description: string) =>
    program.command(name).description(description).requiredOption('--dir <dir>', 'directory of the node').option('--json', 'as JSON')

  add('inbox', 'requests that wait for approvals at this node').action(
    guarded(async ({ dir, json }: Here) => {
      const requests = await readInbox(dir)
      if (json === true) return print(JSON.stringify(requests, null, 2))
      for (const r of requests) print(`${r.requestId} ${r.keyId} ${r.payloadType} of ${r.requester}, until ${r.expiresAt}: ${r.reason}`)
      if (requests.length === 0) print('nothing waits')
    }),
  )
  add('show', 'what a request does, decoded in this process from the exact bytes')
    .requiredOption('--request <id>', 'id of the request')
    .action(
      guarded(async ({ dir, request, json }: One) => {
        const shown = await readShown(dir, request)
        if (json === true) print(JSON.stringify({ ...shown.details, summaries: shown.summaries }, null, 2))
        else printShown(shown)
      }),
    )
  for (const decision of ['approve', 'reject'] as const)
    add(decision, `${decision} a request: prints what it does, and signs exactly that`)
      .requiredOption('--request <id>', 'id of the request')
      .requiredOption('--as <approver>', 'your id in the policy')
      .option('--key <file>', 'your Ed25519 key; default: the identity key of the node, in its HSM')
      .option('--pq-key <file>', 'your ML-DSA-65 key, where the policy names one for you')
      .action(guarded((o: Deciding) => decideShown(decision, o)))
  program
    .command('approver')
    .description('people who approve')
    .command('keygen')
    .description('make an Ed25519 key of an approver or of a requester, and print its public half for the policy')
    .requiredOption('--out <file>', 'file to make, mode 0600')
    .option('--pq', 'an ML-DSA-65 key instead, the second key of an approver ("pq" in the policy)')
    .action(guarded(async ({ out, pq }: { out: string; pq?: true }) => print(await makeApproverKey(out, pq ? 'ml-dsa-65' : 'ed25519'))))
}
