import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type CheckpointKeys,
  fromBase64,
  httpSource,
  keysFromLocks,
  LogFiles,
  type LogFilesReader,
  mlDsaVerifier,
  originOf,
  parseCheckpoint,
  parseNote,
} from '@conclave/audit'
import { type ClusterLock, ConfigError, messageOf } from '@conclave/core'
import { type NodeSettings, PQ_PUBLIC_FILE, readLock, readSettings, SETTINGS_FILE } from '@conclave/node'

/** Which log is meant, and by what it is judged; the options of every command that reads one. */
export interface LogOptions {
  /** Directory of a node: its log, its cluster lock. */
  readonly dir?: string
  /** Directory of a log, or URL prefix. */
  readonly log?: string
  readonly lock?: readonly string[]
  /** Name of the node whose log it must be. Default: whoever the log says it is of. */
  readonly node?: string
  readonly required?: string
  readonly pq?: string
}

export interface ChosenLog {
  /** A directory, or undefined behind a URL. */
  readonly dir: string | undefined
  readonly source: LogFilesReader
  readonly node: string
  readonly keys: CheckpointKeys
  readonly lockFiles: readonly string[]
}

const WHOLE = /^\d$/

export async function readFileOrThrow(file: string): Promise<Uint8Array> {
  try {
    return new Uint8Array(await readFile(file))
  } catch (cause) {
    throw new ConfigError('FILE_UNREADABLE', `cannot read ${file}: ${messageOf(cause)}`, { file }, cause)
  }
}

/** The node that a checkpoint says it is of. Its signature is judged later, by that node's keys. */
async function nodeIn(source: LogFilesReader, { clusterId }: ClusterLock): Promise<string> {
  const note = await source.read('checkpoint')
  if (note === undefined) throw new ConfigError('NO_CHECKPOINT', 'there is no checkpoint: say by --node whose log it is')
  const { origin } = parseCheckpoint(parseNote(note).text)
  const name = origin.slice(origin.lastIndexOf('/') + 1)
  if (origin !== originOf(clusterId, name)) throw new ConfigError('OTHER_CLUSTER', `"${origin}" is not a log of this cluster`)
  return name
}

/** Keys of a node's log as the options have them. @throws {ConfigError}, what `readLock` throws. */
export async function chooseKeys(
  options: LogOptions,
  lockFiles: readonly string[],
  source: LogFilesReader,
): Promise<[string, CheckpointKeys]> {
  const locks: ClusterLock[] = []
  for (const file of lockFiles) locks.push(await readLock(file))
  const [lock] = locks
  if (lock === undefined) throw new ConfigError('LOCK_MISSING', 'say by --lock what to judge the log by')
  if (locks.some((l) => l.clusterId !== lock.clusterId)) throw new ConfigError('OTHER_CLUSTER', 'the locks are of several clusters')
  if (options.required !== undefined && !WHOLE.test(options.required))
    throw new ConfigError('BAD_OPTION', '--required is a number from 0 to 9')
  const name = options.node ?? (await nodeIn(source, lock))
  const required = options.required === undefined ? lock.quorum.required - 1 : Number(options.required)
  const pq = options.pq === undefined ? [] : [await pqVerifier(options.pq, originOf(lock.clusterId, name))]
  return [name, keysFromLocks(locks, name, { required, nowS: Date.now() / 1000, pq })]
}

async function pqVerifier(file: string, origin: string) {
  const text = new TextDecoder().decode(await readFileOrThrow(file)).trim()
  return mlDsaVerifier(origin, fromBase64(text))
}

/** What a node's settings say of its log. */
function ownOptions({ name, audit, storePath }: NodeSettings): LogOptions {
  return audit.isPostQuantum ? { node: name, pq: join(storePath, '..', PQ_PUBLIC_FILE) } : { node: name }
}

/** The log that is meant. @throws {ConfigError} BAD_OPTION, and what {@link chooseKeys} throws. */
export async function chooseLog(options: LogOptions): Promise<ChosenLog> {
  const { dir: nodeDir, log, lock = [] } = options
  if ((nodeDir === undefined) === (log === undefined)) throw new ConfigError('BAD_OPTION', 'give either --dir (a node) or --log (a log)')
  const settings = nodeDir === undefined ? undefined : readSettings(join(nodeDir, SETTINGS_FILE))
  const where = settings?.audit.path ?? (log as string)
  const isUrl = /^https?:\/\//.test(where)
  const source = isUrl ? httpSource(where) : new LogFiles(where)
  const lockFiles = lock.length > 0 || settings === undefined ? lock : [settings.lockFile]
  const [node, keys] = await chooseKeys(settings === undefined ? options : { ...ownOptions(settings), ...options }, lockFiles, source)
  return { dir: isUrl ? undefined : where, source, node, keys, lockFiles }
}
