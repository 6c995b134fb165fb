import { readFile } from 'node:fs/promises'
import { ConclaveClient, type Key, type Operation } from '@conclave/client'
import { ConfigError, InvalidArgument } from '@conclave/core'
import type { Command } from 'commander'
import { guarded, print as printLine } from './output.ts'

interface Api {
  url: string
  apiKeyFile: string
  json?: true
}
interface OneKey extends Api {
  key: string
}
interface Waiting extends OneKey {
  wait: boolean
  required?: number
}

interface Output {
  print(line: string): void
}

const EVERY = /^([1-9]\d{0,3})d$/
const DAYS_MAX = 3650

async function clientOf({ url, apiKeyFile }: Api): Promise<ConclaveClient> {
  let apiKey: string
  try {
    apiKey = (await readFile(apiKeyFile, 'utf8')).trim()
  } catch (cause) {
    throw new ConfigError('API_KEY_UNREADABLE', `cannot read the API key file ${apiKeyFile}`, {}, cause)
  }
  return new ConclaveClient({ url, apiKey })
}

/** `30d` as 30, `off` as null. @throws {InvalidArgument} BAD_SCHEDULE. */
export function parseEvery(text: string): number | null {
  if (text === 'off') return null
  const days = Number(EVERY.exec(text)?.[1])
  if (!(days <= DAYS_MAX)) throw new InvalidArgument('BAD_SCHEDULE', `--every: whole days from 1d to ${DAYS_MAX}d, or "off"`)
  return days
}

function keyLine({ keyId, phases, erasure, address, threshold, parties, epoch, refreshEveryDays, nextRefreshAt }: Key): string {
  const schedule = refreshEveryDays === null ? 'no schedule' : `every ${refreshEveryDays}d, next ${nextRefreshAt}`
  return `${keyId}: ${address}, ${threshold} of ${parties.length} (parties ${parties.join(' ')}), epoch ${epoch}, ${schedule}${lifeOf(phases, erasure)}`
}

/** What nodes have made of it, where that is not the usual. */
function lifeOf(phases: Key['phases'], erasure: Key['erasure']): string {
  const unusual = phases.map((p) => `, ${p.phase} at ${p.node}`)
  const left = erasure === null ? '' : `, at most ${erasure.sharesLeftMax} shares left${erasure.belowThreshold ? ': too few to sign' : ''}`
  return unusual.join('') + left
}

const shown = (key: Key, { json }: Api) => (json === true ? JSON.stringify(key) : keyLine(key))

/** Prints a line per state change until the operation has ended, then the key. With JSON: the operation, as one object. */
async function follow(client: ConclaveClient, operationId: string, { wait, json, print }: Waiting & Output): Promise<void> {
  const isJson = json === true
  if (!wait) return print(isJson ? JSON.stringify({ operationId }) : `operation ${operationId}`)
  const tell = ({ kind, keyId, state }: Operation) => isJson || print(`${kind} ${keyId}: ${state} (operation ${operationId})`)
  const operation = await client.waitForOperation(operationId, { seen: (seen) => void tell(seen) })
  if (isJson) print(JSON.stringify(operation))
  else if (operation.result !== null) print(keyLine(operation.result))
}

/** The options that every command here has. */
function addCommand(parent: Command, name: string, description: string): Command {
  return parent
    .command(name)
    .description(description)
    .requiredOption('--url <url>', 'of the coordinator, e.g. http://127.0.0.1:8080')
    .requiredOption('--api-key-file <file>', 'file with the API key')
    .option('--json', 'print JSON')
}

const addKeyCommand = (parent: Command, name: string, description: string) =>
  addCommand(parent, name, description).requiredOption('--key <id>', 'the key')

const addWaitingCommand = (parent: Command, name: string, description: string) =>
  addKeyCommand(parent, name, description).option('--no-wait', 'print the operation and do not wait for its end')

/** `conclave key list | show | create | refresh | reshare | schedule`. */
export function addKeyCommands(program: Command, print: Output['print'] = printLine): void {
  const key = program.command('key').description('the keys of a cluster, through its coordinator')

  addCommand(key, 'list', 'every key').action(
    guarded(async (o: Api) => {
      const keys = await (await clientOf(o)).keys()
      if (o.json === true) print(JSON.stringify(keys))
      else for (const each of keys) print(keyLine(each))
    }),
  )
  addKeyCommand(key, 'show', 'one key').action(guarded(async (o: OneKey) => print(shown(await (await clientOf(o)).key(o.key), o))))
  addWaitingCommand(key, 'create', 'make a key at every node of the cluster')
    .option('--required <count>', 'signers needed; default: what the cluster lock says', Number)
    .action(guarded((o: Waiting) => create({ ...o, print })))
  addWaitingCommand(key, 'refresh', 'give every party a new share of the same key; needs all nodes').action(
    guarded(async (o: Waiting) => {
      const client = await clientOf(o)
      await follow(client, (await client.refreshKey({ keyId: o.key })).operationId, { ...o, print })
    }),
  )
  addWaitingCommand(
    key,
    'reshare',
    'give the nodes of the present cluster lock shares of a key: a new committee, another threshold, a lost node',
  )
    .option('--required <count>', 'signers needed; default: what the cluster lock says', Number)
    .action(
      guarded(async (o: Waiting) => {
        const client = await clientOf(o)
        const quorum = o.required === undefined ? {} : { quorum: { required: o.required } }
        await follow(client, (await client.reshareKey({ keyId: o.key, ...quorum })).operationId, { ...o, print })
      }),
    )
  addKeyCommand(key, 'schedule', 'refresh a key by itself, again and again')
    .requiredOption('--every <days>', 'e.g. 30d, or "off"')
    .action(
      guarded(async (o: OneKey & { every: string }) => {
        const every = parseEvery(o.every)
        print(shown(await (await clientOf(o)).setSchedule(o.key, every), o))
      }),
    )
}

async function create(o: Waiting & Output): Promise<void> {
  const client = await clientOf(o)
  // A key is held by all nodes of the lock, so their count is what `of` must be.
  const quorum = o.required === undefined ? {} : { quorum: { required: o.required, of: (await client.nodes()).length } }
  await follow(client, (await client.createKey({ keyId: o.key, ...quorum })).operationId, o)
}
