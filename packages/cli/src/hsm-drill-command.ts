import { type Unlocked, unlockHsm } from '@conclave/node'
import type { Command } from 'commander'
import { hsmLine } from './admin-commands.ts'
import { guarded, print } from './output.ts'

interface OneHsm {
  dir: string
  hsm: string
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

/** `conclave hsm unlock`: what a person does about one HSM of a node. */
export function addHsmDrillCommands(program: Command): void {
  const hsm = program.commands.find((c) => c.name() === 'hsm') ?? program.command('hsm').description('the HSMs of a node')
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
}
