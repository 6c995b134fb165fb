import { Command, type CommanderError } from 'commander'
import { addApiKeyCommands } from './api-key-commands.ts'
import { addApprovalCommands } from './approval-commands.ts'
import { addAuditCommands } from './audit-commands.ts'
import { addBackupCommands } from './backup-commands.ts'
import { addClusterCommands } from './cluster-commands.ts'
import { addCompletionCommand } from './completion-command.ts'
import { addCoordinatorCommands } from './coordinator-commands.ts'
import { addDemoCommand } from './demo-command.ts'
import { addDoctorCommand } from './doctor-command.ts'
import { addFreezeCommands } from './freeze-commands.ts'
import { addHsmCommands } from './hsm-commands.ts'
import { addHsmDrillCommands } from './hsm-drill-command.ts'
import { addKeyCommands } from './key-commands.ts'
import { addNodeCommands } from './node-commands.ts'
import { addNodeListCommands } from './node-list-commands.ts'
import { addPolicyCedarCommand } from './policy-cedar-command.ts'
import { addPolicyCommands } from './policy-commands.ts'
import { addReceiptCommands } from './receipt-commands.ts'
import { addRequestCommands } from './request-commands.ts'
import { addSignCommands } from './sign-commands.ts'
import { addStatusCommand } from './status-command.ts'
import { addWebhookCommands } from './webhook-commands.ts'

/**
 * Every command of `conclave`; nothing runs before it is given arguments.
 *
 * @param exit - called in place of `process.exit` after help, version or wrong usage, for every command.
 */
export function createProgram(exit: (reason: CommanderError) => never): Command {
  const program = new Command('conclave').description('a cluster of approver nodes that together hold one signing key').version('0.1.0')
  // First: commands take it over when they are added.
  program.exitOverride(exit)
  program.enablePositionalOptions()
  addNodeCommands(program)
  // After the others of its group, which it joins.
  addNodeListCommands(program)
  addCoordinatorCommands(program)
  addClusterCommands(program)
  addKeyCommands(program)
  addSignCommands(program)
  addRequestCommands(program)
  addWebhookCommands(program)
  addApiKeyCommands(program)
  addApprovalCommands(program)
  addFreezeCommands(program)
  addPolicyCommands(program)
  addDoctorCommand(program)
  addStatusCommand(program)
  addBackupCommands(program)
  addHsmCommands(program)
  // After the others of its group, which it joins.
  addHsmDrillCommands(program)
  addAuditCommands(program)
  addReceiptCommands(program)
  addPolicyCedarCommand(program)
  addDemoCommand(program)
  addCompletionCommand(program)
  return program
}
