import { join } from 'node:path'
import {
  type AdminHsm,
  type AdminKey,
  type AdminPair,
  type AdminStatus,
  askAdmin,
  readSettings,
  SETTINGS_FILE,
  unbackedKeys,
} from '@conclave/node'
import type { Command } from 'commander'
import { addNodeKeyCommands } from './node-key-commands.ts'
import { guarded, print } from './output.ts'

const socketOf = (dir: string): string => readSettings(join(dir, SETTINGS_FILE)).adminSocket

function pairLine({ peer, isLinkUp, state, pairEpoch, stock, ban }: AdminPair): string {
  const epoch = pairEpoch > 0 ? ` epoch ${pairEpoch}` : ''
  const why = ban === null ? '' : ` since ${ban.at}: ${ban.code} at epoch ${ban.pairEpoch}`
  const ready = state === 'ready' ? `, ${stock} correlations` : ''
  return `pair ${peer}: ${state}${epoch}${ready}${why}${isLinkUp ? '' : ' (link down)'}`
}

function keyLine({ keyId, phase, epoch, state, threshold, parties, publicKey, kept, prepared, restoredFrom }: AdminKey): string {
  const list = (what: string, epochs: readonly number[]) => (epochs.length > 0 ? `, ${what} ${epochs.join(' ')}` : '')
  const other = `${list('still keeps', kept)}${list('prepared', prepared)}`
  const restored = restoredFrom === null ? '' : `, restored from the backup of ${restoredFrom}: reshare it`
  const how = phase === 'active' ? state : phase
  return `key ${keyId}: ${how}, epoch ${epoch}${other}, ${threshold} of ${parties.length}, ${publicKey}${restored}`
}

/** What would be lost with this machine. */
function backupWarnings({ keys, backup }: AdminStatus): readonly string[] {
  const unbacked = unbackedKeys(keys).map(({ keyId, epoch, lastBackupEpoch }) => {
    const last = lastBackupEpoch === null ? 'it was never backed up' : `the last backup is of epoch ${lastBackupEpoch}`
    return `warning: key ${keyId}: epoch ${epoch} is in no backup, ${last}`
  })
  return backup === null && keys.length > 0 ? [...unbacked, 'warning: node.yaml names no custodians, so no backup can be made'] : unbacked
}

export function hsmLine({ name, state, since, code, lastCode, failures, latencyMs, missed, short }: AdminHsm): string {
  const why = code === null ? '' : ` (${code})`
  const trouble = failures === 0 ? '' : `, ${failures} failures, the last one ${lastCode}`
  const latency = latencyMs === null ? '' : `, ${latencyMs} ms`
  const without = `${missed > 0 ? `, ${missed} records sealed without it` : ''}${short > 0 ? `, cannot open ${short} records` : ''}`
  return `hsm ${name}: ${state}${why} since ${since}${latency}${trouble}${without}`
}

function poolLine({ made, used, missed, mismatched, dropped, refills, failed }: AdminStatus['pool']): string {
  const trouble = failed > 0 ? `, ${failed} refills failed` : ''
  return `correlation pool: ${made} made in ${refills} refills, ${used} used, ${missed} missed, ${mismatched} mismatched, ${dropped} dropped${trouble}`
}

function auditLine(audit: AdminStatus['audit']): string {
  if (audit === null) return 'audit log: none'
  const { size, checkpoint, code, reason } = audit
  const signed =
    checkpoint === null ? 'no checkpoint' : `checkpoint of ${checkpoint.size} cosigned by ${checkpoint.cosigners.join(' ') || 'nobody'}`
  return `audit log: ${size} entries, ${signed}${code === '' ? '' : `; NOT SIGNING: ${reason} (${code})`}`
}

function printStatus(status: AdminStatus): void {
  const { index, name, version, lock, hsm, keys, destroyed, pairs, pool, audit } = status
  const warnings = backupWarnings(status)
  print(`node ${name} (${index}), version ${version}`)
  print(`cluster lock ${lock.hash}, version ${lock.version}`)
  for (const h of hsm) print(hsmLine(h))
  for (const k of keys) print(keyLine(k))
  for (const line of warnings) print(line)
  for (const { keyId, complete } of destroyed)
    print(`key ${keyId}: destroyed${complete ? '' : ', and its KEK is not yet: run "conclave node key destroy" again'}`)
  for (const p of pairs) print(pairLine(p))
  print(poolLine(pool))
  print(auditLine(audit))
  for (const w of status.warnings) print(`warning: ${w.message} (${w.code}); ${w.fix}`)
}

/** What an operator asks of a running node: `conclave node status`, `conclave node pair reset`, `conclave node key erase-older`. */
export function addAdminCommands(node: Command): void {
  node
    .command('status')
    .description('what the running node says of itself')
    .requiredOption('--dir <dir>', 'directory of the node')
    .option('--json', 'as JSON')
    .action(
      guarded(async ({ dir, json }: { dir: string; json?: true }) => {
        const status = (await askAdmin(socketOf(dir), '/v1/status')) as AdminStatus
        if (json === true) print(JSON.stringify(status, null, 2))
        else printStatus(status)
      }),
    )
  node
    .command('pair')
    .description('pair states with the other nodes')
    .command('reset')
    .description('lift the ban of a peer at this node and set the pair up anew; read docs/operations.md first')
    .requiredOption('--dir <dir>', 'directory of the node')
    .requiredOption('--peer <name>', 'the other node, by its name in the cluster lock')
    .requiredOption('--reason <text>', 'one line for the log: what was found, and who decided')
    .action(
      guarded(async ({ dir, peer, reason }: { dir: string; peer: string; reason: string }) => {
        const path = `/v1/pairs/${encodeURIComponent(peer)}:reset`
        print(pairLine((await askAdmin(socketOf(dir), path, { reason })) as AdminPair))
        print('the pair is set up anew as soon as both nodes are up and neither bans the other; see "conclave node status"')
      }),
    )
  const key = node.command('key').description("this node's shares, and what it makes of a key")
  addNodeKeyCommands(key)
  key
    .command('erase-older')
    .description('erase the shares of epochs before the active one although not every node has moved on; read docs/operations.md first')
    .requiredOption('--dir <dir>', 'directory of the node')
    .requiredOption('--key <id>', 'key')
    .requiredOption('--reason <text>', 'one line for the log: why nobody needs them any more, and who decided')
    .action(
      guarded(async ({ dir, key, reason }: { dir: string; key: string; reason: string }) => {
        print(keyLine((await askAdmin(socketOf(dir), `/v1/keys/${encodeURIComponent(key)}:erase-older`, { reason })) as AdminKey))
      }),
    )
}
