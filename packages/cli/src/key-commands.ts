import type { DerivedKey, Key, Operation } from '@conclave/client'
import { InvalidArgument } from '@conclave/core'
import type { Command } from 'commander'
import { type ApiOptions, addApiCommand, clientOf } from './coordinator-api.ts'
import { guarded, type Output, table, terminal } from './output.ts'

interface OneKey extends ApiOptions {
  key: string
}
interface Waiting extends OneKey {
  wait: boolean
  required?: number
}
interface Deriving extends OneKey {
  path?: string
  prefix?: string
  from?: number
  count?: number
}

const EVERY = /^([1-9]\d{0,3})d$/
const DAYS_MAX = 3650

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

const shown = (key: Key, { json }: ApiOptions) => (json === true ? JSON.stringify(key) : keyLine(key))

const KEY_HEADS = ['key', 'address', 'quorum', 'epoch', 'refresh', 'notes']

function keyRow({ keyId, address, threshold, parties, epoch, refreshEveryDays, phases, erasure }: Key): readonly string[] {
  const refresh = refreshEveryDays === null ? '-' : `${refreshEveryDays}d`
  return [keyId, address, `${threshold} of ${parties.length}`, `${epoch}`, refresh, lifeOf(phases, erasure).replace(/^, /, '')]
}

const derivedRow = ({ path, address, bitcoin, publicKey }: DerivedKey) => [path, address, bitcoin.p2wpkh, publicKey]

/** A line per state on the way, and the key at the end. With JSON: the operation, as one object. */
async function follow(operationId: string, { wait, json, ...o }: Waiting, { print, progress }: Output): Promise<void> {
  const isJson = json === true
  if (!wait) return print(isJson ? JSON.stringify({ operationId }) : `operation ${operationId}`)
  const seen = ({ kind, keyId, state }: Operation) => isJson || progress(`${kind} ${keyId}: ${state} (operation ${operationId})`)
  const operation = await (await clientOf(o)).waitForOperation(operationId, { seen: (each) => void seen(each) })
  if (isJson) print(JSON.stringify(operation))
  else if (operation.result !== null) print(keyLine(operation.result))
}

const addKeyCommand = (parent: Command, name: string, description: string) =>
  addApiCommand(parent, name, description).requiredOption('--key <id>', 'the key')

const addWaitingCommand = (parent: Command, name: string, description: string) =>
  addKeyCommand(parent, name, description).option('--no-wait', 'print the operation and do not wait for its end')

/** `conclave key list | show | derive | create | refresh | reshare | schedule`. */
export function addKeyCommands(program: Command, output: Output = terminal): void {
  const { print } = output
  const key = program.command('key').description('the keys of a cluster, through its coordinator')

  addApiCommand(key, 'list', 'every key').action(
    guarded(async (o: ApiOptions) => {
      const keys = await (await clientOf(o)).keys()
      for (const line of o.json === true ? [JSON.stringify(keys)] : table(KEY_HEADS, keys.map(keyRow))) print(line)
    }),
  )
  addKeyCommand(key, 'show', 'one key').action(guarded(async (o: OneKey) => print(shown(await (await clientOf(o)).key(o.key), o))))
  addKeyCommand(key, 'derive', 'public keys and addresses below a key')
    .option('--path <path>', 'one of them, e.g. m/0/5')
    .option('--prefix <path>', 'or the children of this one, by index; default: m')
    .option('--from <index>', 'the first of them; default: 0', Number)
    .option('--count <number>', 'how many; default: 100, at most 1000', Number)
    .action(guarded((o: Deriving) => derive(o, output)))
  addWaitingCommand(key, 'create', 'make a key at every node of the cluster')
    .option('--required <count>', 'signers needed; default: what the cluster lock says', Number)
    .action(guarded((o: Waiting) => create(o, output)))
  addWaitingCommand(key, 'refresh', 'give every party a new share of the same key; needs all nodes').action(
    guarded(async (o: Waiting) => follow((await (await clientOf(o)).refreshKey({ keyId: o.key })).operationId, o, output)),
  )
  addWaitingCommand(
    key,
    'reshare',
    'give the nodes of the present cluster lock shares of a key: a new committee, another threshold, a lost node',
  )
    .option('--required <count>', 'signers needed; default: what the cluster lock says', Number)
    .action(
      guarded(async (o: Waiting) => {
        const quorum = o.required === undefined ? {} : { quorum: { required: o.required } }
        await follow((await (await clientOf(o)).reshareKey({ keyId: o.key, ...quorum })).operationId, o, output)
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

async function create(o: Waiting, output: Output): Promise<void> {
  const client = await clientOf(o)
  // A key is held by all nodes of the lock, so their count is what `of` must be.
  const quorum = o.required === undefined ? {} : { quorum: { required: o.required, of: (await client.nodes()).length } }
  await follow((await client.createKey({ keyId: o.key, ...quorum })).operationId, o, output)
}

async function derive({ path, key, prefix, from, count, ...o }: Deriving, { print }: Output): Promise<void> {
  const isRange = prefix !== undefined || from !== undefined || count !== undefined
  if (isRange && path !== undefined) throw new InvalidArgument('BAD_OPTIONS', 'either --path, or --prefix, --from and --count')
  const client = await clientOf(o)
  const range = { prefix: prefix ?? 'm', from: from ?? 0, count: count ?? 100 }
  const found = path === undefined ? await client.derivedKeys(key, range) : [await client.derivedKey(key, path)]
  const lines = o.json === true ? [JSON.stringify(found)] : table(['path', 'address', 'p2wpkh', 'public key'], found.map(derivedRow))
  for (const line of lines) print(line)
}
