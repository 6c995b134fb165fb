import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ConfigError } from '@conclave/core'
import { type Erasure, parseErasure, verifyErasure } from '@conclave/core/erasure'
import { type AdminPhase, askAdmin, readLock, readSettings, SETTINGS_FILE } from '@conclave/node'
import type { Command } from 'commander'
import { guarded, print } from './output.ts'

/** The KEK is rotated, with every record of the node. */
const DESTROY_TIMEOUT_MS = 60 * 60_000

const socketOf = (dir: string): string => readSettings(join(dir, SETTINGS_FILE)).adminSocket
const pathOf = (key: string, act: string) => `/v1/keys/${encodeURIComponent(key)}:${act}`

interface Transition {
  dir: string
  key: string
  reason: string
  json?: true
}
interface Destruction extends Transition {
  yes: string
  without?: string[]
}

const DESCRIPTIONS = {
  activate: 'let a provisioned or suspended key sign at this node',
  suspend: 'keep a key from signing at this node until it is activated again; refreshes go on',
  archive: 'keep a key from signing and from being refreshed at this node, for good',
} as const

function erasureLines({ node, keyId, publicKey, epochs, kek, at }: Erasure): readonly string[] {
  const { destroyed, hsms, without } = kek
  const left = without.length === 0 ? [] : [`the KEKs of ${without.join(', ')} were not reached: whoever has them can open an older copy`]
  return [
    `${at} ${node} erased key ${keyId} (${publicKey ?? 'never completed'}), epochs ${epochs.join(' ')}`,
    `every KEK up to generation ${destroyed} is destroyed in ${hsms.join(', ')}`,
    ...left,
    'a backup that was made before may still hold the share',
  ]
}

/** `conclave node key activate | suspend | archive | destroy | erasures | erasure verify`. @param key - the group `node key`. */
export function addNodeKeyCommands(key: Command): void {
  for (const act of ['activate', 'suspend', 'archive'] as const) {
    asked(key.command(act).description(DESCRIPTIONS[act])).action(
      guarded(async (o: Transition) => {
        const { keyId, phase, since } = (await askAdmin(socketOf(o.dir), pathOf(o.key, act), { reason: o.reason })) as AdminPhase
        print(o.json === true ? JSON.stringify({ keyId, phase, since }) : `key ${keyId}: ${phase} at this node`)
      }),
    )
  }
  asked(key.command('destroy'))
    .description('erase every share of an archived key and every KEK that they were sealed under, and sign that; nothing brings it back')
    .requiredOption('--yes <id>', 'the same key once more')
    .option('--without <hsm...>', 'HSMs that are dead for good')
    .action(
      guarded(async ({ dir, key: id, reason, yes, without = [], json }: Destruction) => {
        const body = { reason, confirm: yes, without }
        const erasure = (await askAdmin(socketOf(dir), pathOf(id, 'destroy'), body, DESTROY_TIMEOUT_MS)) as Erasure
        for (const line of json === true ? [JSON.stringify(erasure)] : erasureLines(erasure)) print(line)
      }),
    )
  addErasures(key)
}

const asked = (command: Command): Command =>
  command
    .requiredOption('--dir <dir>', 'directory of the node')
    .requiredOption('--key <id>', 'key')
    .requiredOption('--reason <text>', 'one line for the log: why, and who decided')
    .option('--json', 'as JSON')

function addErasures(key: Command): void {
  key
    .command('erasures')
    .description('what this node has signed about the keys that it destroyed')
    .requiredOption('--dir <dir>', 'directory of the node')
    .option('--json', 'as JSON')
    .action(
      guarded(async ({ dir, json }: { dir: string; json?: true }) => {
        const { erasures } = (await askAdmin(socketOf(dir), '/v1/erasures')) as { erasures: readonly Erasure[] }
        if (json === true) return print(JSON.stringify(erasures, null, 2))
        for (const erasure of erasures) for (const line of erasureLines(erasure)) print(line)
      }),
    )
  key
    .command('erasure')
    .description('a record of an erasure, on any machine')
    .command('verify')
    .description('check the signatures of records against the cluster lock')
    .requiredOption('--file <file>', 'what "erasures --json" or "destroy --json" printed')
    .requiredOption('--lock <file>', 'cluster lock under which it was signed')
    .option('--json', 'as JSON')
    .action(
      guarded(async ({ file, lock, json }: { file: string; lock: string; json?: true }) => {
        const erasures = await readErasures(file)
        const members = await readLock(lock)
        for (const erasure of erasures) verifyErasure(members, erasure)
        if (json === true) return print(JSON.stringify({ verified: erasures.length, erasures }))
        for (const erasure of erasures) {
          for (const line of erasureLines(erasure)) print(line)
          print(`signed by ${erasure.node} with its identity in the cluster lock`)
        }
      }),
    )
}

/** One record, or a list of them. @throws {ConfigError} ERASURE_UNREADABLE, BAD_ERASURE. */
async function readErasures(file: string): Promise<readonly Erasure[]> {
  let value: unknown
  try {
    value = JSON.parse(await readFile(file, 'utf8'))
  } catch (cause) {
    throw new ConfigError('ERASURE_UNREADABLE', `cannot read an erasure record from ${file}`, { file }, cause)
  }
  const all: readonly unknown[] = Array.isArray(value) ? value : [value]
  if (all.length === 0) throw new ConfigError('BAD_ERASURE', `${file} holds no erasure record`, { file })
  return all.map(parseErasure)
}
