import { type HsmDrillReport, type Unlocked, unlockHsm } from '@conclave/node'
import type { Command } from 'commander'
import { hsmLine } from './admin-commands.ts'
import { requirePassed, runDrill, verifyDrill } from './hsm-drill.ts'
import { guarded, print } from './output.ts'

interface OneHsm {
  dir: string
  hsm: string
  json?: true
}

interface DrillOptions {
  dir?: string
  hsm?: string
  key?: string
  coordinator?: string
  apiKeyFile?: string
  out?: string
  verify?: string
  lock?: string
  json?: true
}

function unlockedLine(unlocked: Unlocked): string {
  switch (unlocked.outcome) {
    case 'in-service':
      return hsmLine(unlocked.hsm)
    case 'handed-over':
      return 'the node was waiting for this PIN and goes on with its start'
    case 'not-running':
      return 'the token has taken the PIN; the node is not running'
  }
}

function reportLine({ node, hsm, keyId, startedAt, recordsOpened, signed, restored, problem }: HsmDrillReport): string {
  const proved = signed === null ? 'no signature' : `signature by nodes ${signed.signers.join(' ')}`
  const end = `${restored ? 'put back and used again' : 'NOT in service again'}${problem === null ? '' : `; FAILED: ${problem}`}`
  return `node ${node}, ${startedAt}: hsm ${hsm} out of service, ${recordsOpened} records opened, ${proved} with key ${keyId}; ${end}`
}

/** What an option must be given for. */
function needed(command: Command, value: string | undefined, option: string, what: string): string {
  if (value === undefined) command.error(`error: ${what} needs ${option}`)
  return value as string
}

async function verify({ verify: file = '', lock, json }: DrillOptions, command: Command): Promise<void> {
  const report = await verifyDrill(file, needed(command, lock, '--lock <file>', '--verify'))
  print(json === true ? JSON.stringify({ verified: true, report }) : `verified: ${reportLine(report)}`)
  requirePassed(report)
}

async function drill(o: DrillOptions, command: Command): Promise<void> {
  const of = (value: string | undefined, option: string) => needed(command, value, option, 'a drill')
  const order = {
    dir: of(o.dir, '--dir <dir>'),
    hsm: of(o.hsm, '--hsm <name>'),
    key: of(o.key, '--key <id>'),
    coordinator: of(o.coordinator, '--coordinator <url>'),
    apiKeyFile: of(o.apiKeyFile, '--api-key-file <file>'),
    out: o.out,
    say: (line: string) => (o.json === true ? undefined : print(line)),
  }
  const { file, report } = await runDrill(order)
  print(o.json === true ? JSON.stringify({ file, report }) : `${reportLine(report)}\nthe report is ${file}`)
  requirePassed(report)
}

/** `conclave hsm unlock | drill`: what a person does about one HSM of a running node. */
export function addHsmDrillCommands(program: Command): void {
  const hsm = program.commands.find((c) => c.name() === 'hsm') ?? program.command('hsm')
  hsm
    .command('unlock')
    .description('type the PIN of an HSM that waits for one, or that refuses to be logged in to without a person')
    .requiredOption('--dir <dir>', 'directory of the node')
    .requiredOption('--hsm <name>', 'the HSM, by its name in the settings')
    .option('--json', 'as JSON')
    .action(
      guarded(async ({ dir, hsm: name, json }: OneHsm) => {
        const unlocked = await unlockHsm(dir, name)
        print(json === true ? JSON.stringify(unlocked) : unlockedLine(unlocked))
      }),
    )
  hsm
    .command('drill')
    .description(
      'take an HSM of the running node out, show that its records open and that it signs without it, put it back, keep a signed report',
    )
    .option('--dir <dir>', 'directory of the node')
    .option('--hsm <name>', 'the HSM to take out, by its name in the settings')
    .option('--key <id>', 'the key to sign with; the policies of its nodes need a rule with "payload: drill"')
    .option('--coordinator <url>', 'through which the signature is asked for, e.g. http://127.0.0.1:8080')
    .option('--api-key-file <file>', 'file with its API key')
    .option('--out <file>', 'where the report goes; default: drills/ in the directory of the node')
    .option('--verify <file>', 'instead of a drill: check a report')
    .option('--lock <file>', 'the cluster lock to check it against')
    .option('--json', 'as JSON')
    .action(guarded((o: DrillOptions, command: Command) => (o.verify === undefined ? drill(o, command) : verify(o, command))))
}
