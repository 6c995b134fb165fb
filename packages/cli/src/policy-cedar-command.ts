import { cedarPolicy, parsePolicy } from '@conclave/policy'
import type { Command } from 'commander'
import { readFileOrThrow } from './audit-source.ts'
import { guarded, print } from './output.ts'

interface CedarOptions {
  readonly schema?: true
  readonly json?: true
}

/** `conclave policy cedar`: the rules as the engine that decides has them. */
export function addPolicyCedarCommand(program: Command, write: (line: string) => void = print): void {
  const policy = program.commands.find((c) => c.name() === 'policy') ?? program.command('policy').description('who may sign what')
  policy
    .command('cedar')
    .description('print what a policy file becomes in Cedar, checked in strict mode, for its own tools to analyse')
    .argument('<file>', 'the policy')
    .option('--schema', 'the schema instead of the policies')
    .option('--json', 'both as JSON, rule by rule')
    .action(
      guarded(async (file: string, { schema, json }: CedarOptions) => {
        const cedar = cedarPolicy(parsePolicy(new TextDecoder().decode(await readFileOrThrow(file)), file))
        if (json === true) write(JSON.stringify(cedar, null, 2))
        else write((schema === true ? cedar.schema : cedar.policies.map((p) => p.text).join('\n')).trimEnd())
      }),
    )
}
