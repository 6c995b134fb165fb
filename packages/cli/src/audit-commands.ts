import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type AuditEntry,
  AuditError,
  LogFiles,
  type LogReport,
  LogView,
  logServer,
  rangeOf,
  verifyDirectory,
  verifyPack,
  verifySource,
  writePack,
} from '@conclave/audit'
import { ConfigError, equalBytes, toHex } from '@conclave/core'
import { type AdminWitnessedLog, askAdmin, readSettings, SETTINGS_FILE } from '@conclave/node'
import type { Command } from 'commander'
import { type ChosenLog, chooseKeys, chooseLog, type LogOptions, readFileOrThrow } from './audit-source.ts'
import { guarded, print, untilStopped } from './output.ts'

interface Period {
  readonly from?: string
  readonly to?: string
}

const collect = (value: string, previous: readonly string[] | undefined): readonly string[] => [...(previous ?? []), value]
const socketOf = (dir: string): string => readSettings(join(dir, SETTINGS_FILE)).adminSocket

function timeOf(text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise
  const timeMs = Date.parse(text)
  if (Number.isNaN(timeMs)) throw new ConfigError('BAD_OPTION', `"${text}" is not a time such as 2030-01-31T12:00:00Z`)
  return timeMs
}

/** The options that say which log is meant and by what it is judged. */
function withLog(command: Command): Command {
  return command
    .option('--dir <dir>', 'directory of a node: its log, judged by its cluster lock')
    .option('--log <dir or url>', 'directory of a log, or the URL prefix where one is served')
    .option('--lock <file>', 'cluster lock; again for older ones, whose keys signed earlier checkpoints', collect)
    .option('--node <name>', 'whose log it must be (default: whoever it says it is of)')
    .option('--required <n>', 'how many other nodes must have cosigned (default: one less than a quorum)')
    .option('--pq <file>', 'ML-DSA-65 key of the node, which must have signed too')
}

async function verified(chosen: ChosenLog, known: readonly string[], entry?: (e: AuditEntry, index: number) => void): Promise<LogReport> {
  const { dir, source, node, keys } = chosen
  const notes: Uint8Array[] = []
  for (const file of known) notes.push(await readFileOrThrow(file))
  const options = { keys, node, known: notes, ...(entry === undefined ? {} : { entry }) }
  return dir === undefined ? verifySource(source, options) : verifyDirectory(dir, options)
}

function printReport({ origin, size, root, checkpoint, findings }: LogReport, asJson: boolean): void {
  if (asJson) {
    print(JSON.stringify({ origin, size, root: toHex(root), checkpoint: checkpoint ?? null, findings }, null, 2))
    return
  }
  print(`log ${origin}: ${size} entries, root ${toHex(root)}`)
  if (checkpoint !== undefined) {
    print(`checkpoint of ${checkpoint.size} entries, cosigned by ${checkpoint.cosigners.length}:`)
    for (const { name, timeS } of checkpoint.cosigners) print(`  ${name} at ${new Date(timeS * 1000).toISOString()}`)
  }
  for (const { code, where, message } of findings) print(`${code} ${where}: ${message}`)
}

function refuseFindings({ findings }: LogReport): void {
  if (findings.length > 0) throw new AuditError('AUDIT_REFUSED', `the log does not hold: ${findings.length} findings`)
}

async function verifyPackAt(dir: string, options: LogOptions & { json?: true }): Promise<void> {
  const lockFiles = options.lock ?? []
  const locks = await Promise.all(lockFiles.map(readFileOrThrow))
  const [, keys] = await chooseKeys(options, lockFiles, new LogFiles(dir))
  const report = await verifyPack(dir, keys, (bytes) => locks.some((lock) => equalBytes(lock, bytes)))
  const { from, to, checkpoint, phases } = report
  if (options.json === true) {
    const { origin, size, cosigners } = checkpoint
    print(JSON.stringify({ origin, from, to, checkpoint: { size, cosigners }, phases: Object.fromEntries(phases) }, null, 2))
    return
  }
  print(`entries ${from} to ${to - 1} of ${checkpoint.origin}: complete, and in the log of ${checkpoint.size} entries`)
  print(`cosigned by ${checkpoint.cosigners.map((c) => c.name).join(', ')}`)
  for (const [phase, count] of phases) print(`  ${phase}: ${count}`)
}

function addVerify(audit: Command): void {
  withLog(audit.command('verify'))
    .description('hold every byte of a log, or of an evidence pack, against its signed checkpoint')
    .option('--pack <dir>', 'an evidence pack instead of a log')
    .option('--known <file>', 'a checkpoint of this log that another node holds: the log must go on from it', collect)
    .option('--json', 'as JSON')
    .action(
      guarded(async (options: LogOptions & { pack?: string; known?: readonly string[]; json?: true }) => {
        if (options.pack !== undefined) return verifyPackAt(options.pack, options)
        const report = await verified(await chooseLog(options), options.known ?? [])
        printReport(report, options.json === true)
        refuseFindings(report)
      }),
    )
}

function entryLine({ timeMs, kind, details }: AuditEntry, index: number): string {
  const told = Object.entries(details).map(([name, value]) => `${name}=${JSON.stringify(value)}`)
  return [index, new Date(timeMs).toISOString(), kind, ...told].join(' ')
}

function addShow(audit: Command): void {
  withLog(audit.command('show'))
    .description('the entries of a log, each verified as it is read')
    .option('--from <time>', 'not before, e.g. 2030-01-31T12:00:00Z')
    .option('--to <time>', 'before')
    .option('--kind <prefix>', 'only events whose kind begins so, e.g. session. or request.denied')
    .option('--json', 'one JSON object a line')
    .action(
      guarded(async (options: LogOptions & Period & { kind?: string; json?: true }) => {
        const [fromMs, toMs] = [timeOf(options.from, 0), timeOf(options.to, Number.POSITIVE_INFINITY)]
        const isWanted = (e: AuditEntry) => e.timeMs >= fromMs && e.timeMs < toMs && e.kind.startsWith(options.kind ?? '')
        const lines = new Map<number, string>()
        const report = await verified(await chooseLog(options), [], (e, index) => {
          if (isWanted(e)) lines.set(index, options.json === true ? JSON.stringify({ index, ...e }) : entryLine(e, index))
        })
        for (const line of lines.values()) print(line)
        refuseFindings(report)
      }),
    )
}

function addExport(audit: Command): void {
  withLog(audit.command('export'))
    .description('an evidence pack: entries by phase of the life cycle with inclusion proofs, the checkpoint and the cluster lock')
    .requiredOption('--from <time>', 'not before, e.g. 2030-01-01T00:00:00Z')
    .requiredOption('--to <time>', 'before')
    .requiredOption('--out <dir>', 'where to: an empty or new directory')
    .action(
      guarded(async (options: LogOptions & Required<Period> & { out: string }) => {
        const { source, keys, lockFiles } = await chooseLog(options)
        const view = await LogView.open(source, keys)
        const range = await rangeOf(view, timeOf(options.from, 0), timeOf(options.to, 0))
        const locks = await Promise.all(lockFiles.map(readFileOrThrow))
        const phases = await writePack(view, { ...range, locks }, options.out)
        print(`entries ${range.from} to ${range.to - 1} of ${view.checkpoint.origin}`)
        for (const [phase, count] of phases) print(`  ${phase}: ${count}`)
      }),
    )
}

function addServe(audit: Command): void {
  audit
    .command('serve')
    .description('show a log read-only over HTTP, as C2SP tlog-tiles has it; whoever can connect can read all of it')
    .requiredOption('--log <dir>', 'directory of the log')
    .option('--host <address>', 'where to listen', '127.0.0.1')
    .option('--port <number>', 'where to listen', '7650')
    .action(
      guarded(async ({ log, host, port }: { log: string; host: string; port: string }) => {
        const server = logServer(log)
        await new Promise<void>((resolve, reject) => {
          server.once('error', (cause) => reject(new ConfigError('LISTEN_FAILED', `cannot listen on ${host}:${port}`, {}, cause)))
          server.listen({ host, port: Number(port) }, resolve)
        })
        const address = server.address()
        print(`serving ${log} on http://${host}:${typeof address === 'object' ? address?.port : port}/`)
        await untilStopped()
        server.closeAllConnections()
        await new Promise((resolve) => server.close(resolve))
      }),
    )
}

function witnessLine({ node, size, root, conflict }: AdminWitnessedLog): string {
  return `${node}: ${size} entries, root ${root}${conflict === null ? '' : `; CONFLICT: another checkpoint was refused at ${conflict.at}`}`
}

function addWitness(audit: Command): void {
  audit
    .command('witnessed')
    .description("the other nodes' logs as the running node knows them")
    .requiredOption('--dir <dir>', 'directory of the node')
    .option('--out <dir>', 'write their checkpoints there, for "verify --known"')
    .option('--json', 'as JSON')
    .action(
      guarded(async ({ dir, out, json }: { dir: string; out?: string; json?: true }) => {
        const logs = (await askAdmin(socketOf(dir), '/v1/audit/logs')) as readonly AdminWitnessedLog[]
        if (out !== undefined) {
          await mkdir(out, { recursive: true })
          for (const { node, checkpoint } of logs) await writeFile(join(out, `${node}.checkpoint`), checkpoint)
        }
        if (json === true) print(JSON.stringify(logs, null, 2))
        else for (const log of logs) print(witnessLine(log))
      }),
    )
  audit
    .command('forget')
    .description("let another node's log begin anew at this node; read docs/operations.md first")
    .requiredOption('--dir <dir>', 'directory of the node')
    .requiredOption('--node <name>', 'whose log, by its name in the cluster lock')
    .requiredOption('--reason <text>', 'one line for the log: what happened, and who decided')
    .action(
      guarded(async ({ dir, node, reason }: { dir: string; node: string; reason: string }) => {
        const logs = await askAdmin(socketOf(dir), `/v1/audit/logs/${encodeURIComponent(node)}:forget`, { reason })
        for (const log of logs as readonly AdminWitnessedLog[]) print(witnessLine(log))
      }),
    )
}

/** `conclave audit verify | show | export | serve | witnessed | forget`. */
export function addAuditCommands(program: Command): void {
  const audit = program.command('audit').description("the nodes' tamper-evident logs")
  addVerify(audit)
  addShow(audit)
  addExport(audit)
  addServe(audit)
  addWitness(audit)
}
