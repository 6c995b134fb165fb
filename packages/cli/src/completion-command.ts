import { Argument, type Command } from 'commander'
import { notesOf } from './command-tree.ts'
import { completionScript, SHELLS, type Shell } from './completion.ts'
import { guarded } from './output.ts'

/** `conclave completion`. */
export function addCompletionCommand(program: Command): void {
  program
    .command('completion')
    .description('print the script by which a shell completes these commands: source <(conclave completion bash)')
    .addArgument(new Argument('<shell>').choices(SHELLS))
    .action(guarded(async (shell: Shell) => void process.stdout.write(completionScript(shell, notesOf(program)))))
}
