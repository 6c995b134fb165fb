import { join } from 'node:path'
import { formatKey, InvalidArgument } from '@conclave/core'
import {
  type AdminHsms,
  type AdminKekHolder,
  type AdminRewrap,
  type AdminRotation,
  addHsm,
  askAdmin,
  type BackupHsmPlan,
  CARD_FILE,
  destroyHsm,
  readSettings,
  SETTINGS_FILE,
} from '@conclave/node'
import type { Command } from 'commander'
import { addTokenOptions, existingHsm, type TokenOptions } from './hsm-options.ts'
import { guarded, print } from './output.ts'

/** Thousands of records on a slow token. */
const REWRAP_TIMEOUT_MS = 60 * 60_000

const socketOf = (dir: string): string => readSettings(join(dir, SETTINGS_FILE)).adminSocket

interface Rewrapping {
  dir: string
  without?: string[]
  json?: true
}

interface Init extends TokenOptions {
  dir: string
  name: string
  write?: true
  json?: true
}

function hsmLine({ name, ok, code, latencyMs, kek, recordsWithout }: AdminKekHolder): string {
  const health = ok ? `ok${latencyMs === null ? '' : `, ${latencyMs.toFixed(1)} ms`}` : (code ?? 'not ok')
  if (kek === null) return `hsm ${name}: ${health}`
  const { token, tokenSerial, profile, mechanism, extractability, generations } = kek
  const kept = { enforced: 'keys stay in', 'not-enforced': 'LETS KEYS OUT', 'not-testable': 'cannot be tried for keys that come out' }
  const which =
    generations.length > 1 ? `KEK generations ${generations.join(' ')} (a rotation is not complete)` : `KEK generation ${generations[0]}`
  const how = `${profile} (0x${mechanism.toString(16)}), ${kept[extractability as keyof typeof kept] ?? extractability}`
  const lacks =
    recordsWithout === null || recordsWithout === 0 ? '' : `, ${recordsWithout} records have no wrap for it: run "conclave hsm rewrap"`
  return `hsm ${name}: ${health}; token ${token}, serial ${tokenSerial}; ${how}; ${which}${lacks}`
}

/** `conclave hsm init | status | rewrap | rotate-kek | destroy`. */
export function addHsmCommands(program: Command): void {
  const hsm = program.command('hsm').description('the HSMs of a node: what they hold, and what they seal to')
  addCeremonies(hsm)
  addRewraps(hsm)
  hsm
    .command('status')
    .description('tokens, KEK generations, health, and records that an HSM has no wrap of; asks the running node')
    .requiredOption('--dir <dir>', 'directory of the node')
    .option('--json', 'as JSON')
    .action(
      guarded(async ({ dir, json }: { dir: string; json?: true }) => {
        const status = (await askAdmin(socketOf(dir), '/v1/hsms')) as AdminHsms
        if (json === true) return print(JSON.stringify(status, null, 2))
        print(`${status.records} sealed records`)
        for (const each of status.hsms) print(hsmLine(each))
      }),
    )
}

function addRewraps(hsm: Command): void {
  hsm
    .command('rewrap')
    .description('seal the data key of every record to the HSMs of the settings and to no other; the node goes on signing')
    .requiredOption('--dir <dir>', 'directory of the node')
    .option('--without <hsm...>', 'HSMs that are dead for good: records lose their wraps for them')
    .option('--json', 'as JSON')
    .action(
      guarded(async ({ dir, without = [], json }: Rewrapping) => {
        const done = (await askAdmin(socketOf(dir), '/v1/hsms:rewrap', { without }, REWRAP_TIMEOUT_MS)) as AdminRewrap
        print(json === true ? JSON.stringify(done) : `${done.rewrapped} of ${done.records} records rewrapped, the others were up to date`)
      }),
    )
  hsm
    .command('rotate-kek')
    .description('make the next KEK in every HSM, rewrap every record, destroy the KEKs before it; again completes one that broke off')
    .requiredOption('--dir <dir>', 'directory of the node')
    .option('--without <hsm...>', 'HSMs that are dead for good; what was sealed to them before can still be opened with them')
    .option('--json', 'as JSON')
    .action(
      guarded(async ({ dir, without = [], json }: Rewrapping) => {
        const done = (await askAdmin(socketOf(dir), '/v1/hsms:rotate-kek', { without }, REWRAP_TIMEOUT_MS)) as AdminRotation
        if (json === true) return print(JSON.stringify(done))
        const how = done.resumed ? 'an earlier rotation is complete' : 'done'
        print(
          `${how}: ${done.hsms.join(', ')} hold KEK generation ${done.generation} and no other, ${done.records} records are sealed to it`,
        )
        if (done.without.length > 0)
          print(`the KEKs of ${done.without.join(', ')} are as they were: destroy the device if you can reach it`)
      }),
    )
}

function planOf({ dir, name, write, ...token }: Init): BackupHsmPlan {
  const hsm = existingHsm(token)
  return { dir, name, write: write === true, ...(hsm === undefined ? {} : { hsm }) }
}

function addCeremonies(hsm: Command): void {
  const init = hsm
    .command('init')
    .description('give a node one more HSM: makes a KEK and a checkpoint key inside it, never touches a KEK that is there')
  addTokenOptions(init)
    .requiredOption('--dir <dir>', 'directory of the node')
    .requiredOption('--name <name>', 'name of the new HSM in the settings: a-z, 0-9, "-"')
    .option('--write', 'add it to the settings file')
    .option('--json', 'as JSON')
    .action(
      guarded(async (o: Init) => {
        const added = await addHsm(planOf(o))
        const { checkpointKey } = added
        const shown = { ...added, checkpointKey: checkpointKey === undefined ? null : formatKey(checkpointKey) }
        if (o.json === true) return print(JSON.stringify(shown, null, 2))
        print(`hsm ${added.name} is ready: token ${added.token}, serial ${added.tokenSerial}, profile ${added.profile}`)
        if (!added.written) print(`add this to the list "hsm" in ${join(o.dir, SETTINGS_FILE)}:\n${added.settings.trimEnd()}`)
        print(`then restart the node and run: conclave hsm rewrap --dir ${o.dir}`)
        if (checkpointKey !== undefined)
          print(`its checkpoint key is in ${join(o.dir, CARD_FILE)}, and counts from the next cluster lock on`)
      }),
    )
  hsm
    .command('destroy')
    .description('destroy every KEK of an HSM that leaves the node, which must be stopped; refused while any record needs it')
    .requiredOption('--dir <dir>', 'directory of the node')
    .requiredOption('--hsm <name>', 'the HSM, by its name in the settings')
    .requiredOption('--yes <name>', 'the same name once more')
    .option('--json', 'as JSON')
    .action(
      guarded(async ({ dir, hsm: name, yes, json }: { dir: string; hsm: string; yes: string; json?: true }) => {
        if (yes !== name) throw new InvalidArgument('NOT_CONFIRMED', `--yes must repeat the name of the HSM that is given up: ${name}`)
        const destroyed = await destroyHsm(dir, name)
        if (json === true) return print(JSON.stringify({ destroyed }))
        for (const kek of destroyed) print(`hsm ${kek.hsm}: KEK generation ${kek.generation} (${kek.id}) is destroyed`)
        print(
          `remove ${name} from the list "hsm" in ${join(dir, SETTINGS_FILE)}, start the node, and run: conclave hsm rewrap --dir ${dir}`,
        )
      }),
    )
}
