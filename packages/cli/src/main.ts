import { Command } from 'commander'
import { addClusterCommands } from './cluster-commands.ts'
import { addCoordinatorCommands } from './coordinator-commands.ts'
import { addDemoCommand } from './demo-command.ts'
import { addKeyCommands } from './key-commands.ts'
import { addNodeCommands } from './node-commands.ts'
import { FAILED, printError } from './output.ts'

// What gets here is a bug of ours: one line for the person, and a process that does not go on in an unknown state.
process.on('uncaughtException', (error) => {
  printError(error)
  process.exit(FAILED)
})

const program = new Command('conclave').description('a cluster of approver nodes that together hold one signing key').version('0.1.0')
program.exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
program.enablePositionalOptions()
addNodeCommands(program)
addCoordinatorCommands(program)
addClusterCommands(program)
addKeyCommands(program)
addDemoCommand(program)
await program.parseAsync()
