import { Command } from 'commander'
import { addClusterCommands } from './cluster-commands.ts'
import { addCoordinatorCommands } from './coordinator-commands.ts'
import { addDemoCommand } from './demo-command.ts'
import { addKeyCommands } from './key-commands.ts'
import { addNodeCommands } from './node-commands.ts'

/** Every command of `conclave`; nothing runs before it is given arguments. */
export function createProgram(): Command {
  const program = new Command('conclave').description('a cluster of approver nodes that together hold one signing key').version('0.1.0')
  program.enablePositionalOptions()
  addNodeCommands(program)
  addCoordinatorCommands(program)
  addClusterCommands(program)
  addKeyCommands(program)
  addDemoCommand(program)
  return program
}
