import { ConclaveApiError, type SigningRequest } from '@conclave/client'
import { InvalidArgument } from '@conclave/core'
import type { Command } from 'commander'
import { type ApiOptions, addApiCommand, clientOf } from './coordinator-api.ts'
import { guarded, type Output, table, terminal, WAITS_FOR_APPROVAL } from './output.ts'
import { finish } from './signed-result.ts'

interface Listing extends ApiOptions {
  readonly limit?: number
  readonly cursor?: string
}
interface One extends ApiOptions {
  readonly request: string
}
interface WaitingFor extends One {
  readonly timeout?: string
}

const HEADS = ['request', 'state', 'key', 'requester', 'created']
const SECONDS = /^\d{1,6}(?:\.\d{1,3})?$/

function* showLines(request: SigningRequest): Generator<string> {
  const { requestId, keyId, state, requester, items, nodeVerdicts, attempts, error, createdAt, deadlineAt } = request
  yield `request ${requestId}`
  yield `${state}, key ${keyId}, of ${requester}, created ${createdAt}, until ${deadlineAt}`
  for (const [i, { derivationPath, summary, signature }] of items.entries()) {
    yield `item ${i + 1} of ${items.length}, path ${derivationPath}${signature === null ? '' : `, signature ${signature}`}`
    for (const { label, value } of summary) yield `  ${label}: ${value}`
  }
  for (const { node, allowed, code, reason } of nodeVerdicts) yield `node ${node} ${allowed ? 'allows' : 'denies'}: ${code}, ${reason}`
  for (const { attempt, signers, outcome, code } of attempts) {
    yield `attempt ${attempt} by nodes ${signers.join(' ')}: ${outcome}${code === null ? '' : ` (${code})`}`
  }
  if (error !== null) yield `${error.detail} (${error.code})`
}

async function list({ limit = 50, cursor, ...o }: Listing, { print }: Output): Promise<void> {
  const { items, nextCursor } = await (await clientOf(o)).signingRequests({ limit, ...(cursor === undefined ? {} : { cursor }) })
  if (o.json === true) return print(JSON.stringify({ items, nextCursor }))
  for (const line of table(
    HEADS,
    items.map((r) => [r.requestId, r.state, r.keyId, r.requester, r.createdAt]),
  ))
    print(line)
  if (nextCursor !== null) print(`more: --cursor ${nextCursor}`)
}

/** Waits for the end; when it does not come in time, that is no failure while people are waited for. */
async function wait({ request: id, timeout, ...o }: WaitingFor, output: Output): Promise<void> {
  if (timeout !== undefined && !SECONDS.test(timeout)) throw new InvalidArgument('BAD_OPTIONS', '--timeout is a number of seconds')
  const isJson = o.json === true
  const client = await clientOf(o)
  const seen = isJson ? {} : { seen: (r: SigningRequest) => output.progress(`request ${id}: ${r.state}`) }
  try {
    const limit = timeout === undefined ? {} : { timeoutMs: Math.round(1000 * Number(timeout)) }
    finish(await client.settled(id, { ...seen, ...limit }), isJson, output)
  } catch (error) {
    const isTimeout = error instanceof ConclaveApiError && error.code === 'WAIT_TIMEOUT'
    const now = isTimeout ? await client.signingRequest(id) : undefined
    if (now?.state !== 'pending_approval') throw error
    finish(now, isJson, output)
  }
}

async function approvals({ request: id, json, ...o }: One, { print }: Output): Promise<void> {
  const statements = await (await clientOf(o)).statements(id)
  if (json === true) return print(JSON.stringify(statements))
  const rows = statements.map(({ node, statement, code }) => {
    if (statement === null) return [`${node}`, '-', '-', '-', code ?? '']
    const { statementHash, approvedBy, rejectedBy, reason } = statement
    return [`${node}`, statementHash, approvedBy.join(' ') || '-', rejectedBy.join(' ') || '-', reason]
  })
  for (const line of table(['node', 'statement', 'approved by', 'rejected by', 'says'], rows)) print(line)
}

/** `conclave request list | show | wait | cancel | approvals`. */
export function addRequestCommands(program: Command, output: Output = terminal): void {
  const { print } = output
  const group = program.command('request').description('signing requests, through the coordinator')
  const addOne = (name: string, description: string) =>
    addApiCommand(group, name, description).requiredOption('--request <id>', 'id of the request')

  addApiCommand(group, 'list', 'the newest requests')
    .option('--limit <number>', 'how many; default: 50, at most 200', Number)
    .option('--cursor <text>', 'go on where a list ended')
    .action(guarded((o: Listing) => list(o, output)))
  addOne('show', 'one request: what it does, what nodes said, who signed').action(
    guarded(async (o: One) => {
      const request = await (await clientOf(o)).signingRequest(o.request)
      for (const line of o.json === true ? [JSON.stringify(request)] : showLines(request)) print(line)
    }),
  )
  addOne('wait', 'wait until a request has ended, and print what was signed')
    .option('--timeout <seconds>', `how long; exit code ${WAITS_FOR_APPROVAL} when people are still waited for`)
    .action(guarded((o: WaitingFor) => wait(o, output)))
  addOne('cancel', 'make no further attempt to sign').action(
    guarded(async (o: One) => {
      const request = await (await clientOf(o)).cancel(o.request)
      print(o.json === true ? JSON.stringify(request) : `request ${request.requestId}: ${request.state}`)
    }),
  )
  addOne('approvals', 'what each node made of a request, and who approved it there').action(guarded((o: One) => approvals(o, output)))
}
