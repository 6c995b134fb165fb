import { join, resolve } from 'node:path'
import { ConclaveError } from '@conclave/core'
import {
  askAdmin,
  type BackupCheck,
  type BackupSummary,
  beginRestore,
  type DrillReport,
  type RestoreReport,
  readBackup,
  readLock,
  readSettings,
  restoreNode,
  SETTINGS_FILE,
  summaryOf,
} from '@conclave/node'
import type { Command } from 'commander'
import { backupLines } from './backup-lines.ts'
import { addCustodianCommands } from './custodian-commands.ts'
import { guarded, print } from './output.ts'

/** A node of thousands of keys opens each share in its HSM. */
const ANSWER_TIMEOUT_MS = 600_000

const ask = (dir: string, act: string, body: object): Promise<unknown> =>
  askAdmin(readSettings(join(dir, SETTINGS_FILE)).adminSocket, `/v1/backup:${act}`, body, ANSWER_TIMEOUT_MS)

const STANDING = {
  current: () => 'current',
  stale: (present: number | null) => `STALE: the key is in epoch ${present}`,
  newer: (present: number | null) => `newer than this node, which is in epoch ${present}`,
  unknown: () => 'this node does not hold the key',
} as const

const standingLines = ({ standings }: BackupCheck) =>
  standings.map(({ keyId, epoch, standing, present }) => `  key ${keyId}, epoch ${epoch}: ${STANDING[standing](present)}`)

function output(json: true | undefined, value: object, lines: readonly string[]): void {
  if (json === true) print(JSON.stringify(value, null, 2))
  else for (const line of lines) print(line)
}

/** Printed first, so that it is seen whatever the exit code. @throws {ConclaveError} BACKUP_STALE. */
function requireCurrent({ standings }: BackupCheck): void {
  const stale = standings.filter((s) => s.standing === 'stale').map((s) => s.keyId)
  if (stale.length > 0) throw new ConclaveError('BACKUP_STALE', `this backup is stale for ${stale.join(', ')}: make a new one`)
}

/** `conclave backup create | verify | drill | epochs | restore`, and what custodians do. */
export function addBackupCommands(program: Command): void {
  const backup = program
    .command('backup')
    .description("backups of one node's shares, which several custodians open together; read docs/backup.md first")
  addMaking(backup)
  addDrill(backup)
  addRestore(backup)
  addCustodianCommands(backup)
}

function addMaking(backup: Command): void {
  backup
    .command('create')
    .description('the running node backs up its shares of every active epoch, encrypted to the custodians of its settings')
    .requiredOption('--dir <dir>', 'directory of the node')
    .requiredOption('--out <file>', 'file to write; the node writes it itself')
    .option('--json', 'as JSON')
    .action(
      guarded(async ({ dir, out, json }: { dir: string; out: string; json?: true }) => {
        const made = (await ask(dir, 'create', { out: resolve(out) })) as BackupSummary
        output(json, made, [...backupLines(made), `written to ${out}, read again and checked`])
      }),
    )
  backup
    .command('verify')
    .description(
      'check a backup as far as that goes without its custodians: form, signature, whose it is, and whether it is of the present epochs',
    )
    .requiredOption('--in <file>', 'backup')
    .option('--lock <file>', 'cluster lock: who may have signed it')
    .option('--dir <dir>', 'directory of the running node: its lock and its epochs')
    .option('--json', 'as JSON')
    .action(
      guarded(async (o: { in: string; lock?: string; dir?: string; json?: true }) => {
        const found = summaryOf(await readBackup(o.in, o.lock === undefined ? undefined : await readLock(o.lock)))
        if (o.dir === undefined) {
          const whose =
            o.lock === undefined ? 'whose identity that is was not checked: name --lock or --dir' : 'which is that of the cluster lock'
          output(o.json, found, [...backupLines(found), `whole, and as it was signed; ${whose}`])
          return
        }
        const check = (await ask(o.dir, 'verify', { in: resolve(o.in) })) as BackupCheck
        output(o.json, check, [
          ...backupLines(found),
          'whole, and as this node signed it; against the running node:',
          ...standingLines(check),
        ])
        requireCurrent(check)
      }),
    )
  backup
    .command('epochs')
    .description(
      'the running node writes the certificates of its active epochs: proof for whoever restores another node that a backup is not stale',
    )
    .requiredOption('--dir <dir>', 'directory of the node')
    .requiredOption('--out <file>', 'file to write; the node writes it itself')
    .action(
      guarded(async ({ dir, out }: { dir: string; out: string }) => {
        const { keys } = (await ask(dir, 'epochs', { out: resolve(out) })) as { keys: number }
        print(`${out}: certificates of ${keys} keys`)
      }),
    )
}

interface DrillOptions {
  dir: string
  begin?: true
  in?: string
  pieces?: string[]
  json?: true
}

/** Of a ceremony in two steps, the second needs what the first does not: without it the usage is wrong. */
function needed<T>(command: Command, value: T | undefined, option: string): T {
  if (value === undefined) command.error(`error: without --begin, ${option} is needed`)
  return value
}

const recipientLines = (recipient: string) => [
  recipient,
  'read it to the custodians over a channel that they trust; each runs:',
  `conclave backup open-piece --in <backup> --identity <own identity file> --to ${recipient} --out <piece>`,
]

function addDrill(backup: Command): void {
  backup
    .command('drill')
    .description('prove that a backup would restore: the running node opens it in memory, checks every share, and wipes it')
    .requiredOption('--dir <dir>', 'directory of the node')
    .option('--begin', 'first step: print the one-time recipient that custodians open their pieces to')
    .option('--in <file>', 'second step: the backup')
    .option('--pieces <file...>', 'and the pieces that custodians opened')
    .option('--json', 'as JSON')
    .action(
      guarded(async (o: DrillOptions, command: Command) => {
        if (o.begin === true) {
          const begun = (await ask(o.dir, 'begin-drill', {})) as { recipient: string }
          output(o.json, begun, recipientLines(begun.recipient))
          return
        }
        const pieces = needed(command, o.pieces, '--pieces').map((p) => resolve(p))
        const report = (await ask(o.dir, 'drill', { in: resolve(needed(command, o.in, '--in')), pieces })) as DrillReport
        const proof = `drilled ${report.drilledAt} by ${report.openedBy.join(', ')}: it would restore these shares, each of which fits its certificate`
        output(o.json, report, [...backupLines(report), proof, ...standingLines(report)])
        requireCurrent(report)
      }),
    )
}

interface RestoreOptions {
  dir: string
  begin?: true
  in?: string
  pieces?: string[]
  lock?: string[]
  epochs?: string[]
  leaveOut?: string[]
  json?: true
}

function restoreLines(report: RestoreReport): readonly string[] {
  const { restored, leftOut, openedBy, isProvedCurrent, createdAt } = report
  const doubt =
    'warning: no certificates of other nodes were given, so nobody knows whether these epochs are the present ones; if not, the node reports them as stale'
  return [
    `restored from the backup of ${createdAt}, opened by ${openedBy.join(', ')}:`,
    ...restored.map(({ keyId, epoch }) => `  key ${keyId}, epoch ${epoch}`),
    ...leftOut.map((keyId) => `  key ${keyId} was left out: recover it by a reshare`),
    ...(isProvedCurrent ? ['other nodes have shown that these epochs are the present ones'] : [doubt]),
    'next: the cluster lock that gives the seat to the new identity, then a reshare of every key; see docs/backup.md',
  ]
}

function addRestore(backup: Command): void {
  backup
    .command('restore')
    .description('bring the shares of a backup into a new node, made by "conclave node init" under the same name, that has never run')
    .requiredOption('--dir <dir>', 'directory of the new node')
    .option('--begin', 'first step: print the one-time recipient that custodians open their pieces to')
    .option('--in <file>', 'second step: the backup')
    .option('--pieces <file...>', 'and the pieces that custodians opened')
    .option('--lock <file...>', 'and the cluster lock that it was made under, with every version after that, oldest first')
    .option('--epochs <file...>', 'what "conclave backup epochs" wrote at other nodes: a stale backup is then refused')
    .option('--leave-out <key...>', 'keys that are not restored, because the backup is stale for them')
    .option('--json', 'as JSON')
    .action(
      guarded(async (o: RestoreOptions, command: Command) => {
        if (o.begin === true) {
          const recipient = await beginRestore(o.dir)
          output(o.json, { recipient }, recipientLines(recipient))
          return
        }
        const rest = { known: o.epochs ?? [], leaveOut: o.leaveOut ?? [] }
        const files = {
          file: needed(command, o.in, '--in'),
          pieces: needed(command, o.pieces, '--pieces'),
          locks: needed(command, o.lock, '--lock'),
        }
        const report = await restoreNode({ dir: o.dir, ...files, ...rest })
        output(o.json, report, restoreLines(report))
      }),
    )
}
