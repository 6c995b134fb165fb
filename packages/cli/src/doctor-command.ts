import { examine, exitCodeOf, type Report } from '@conclave/node'
import type { Command } from 'commander'
import { guarded, print } from './output.ts'

interface DoctorOptions {
  dir: string
  json?: true
  offline?: true
}

function printReport({ findings, checked, skipped }: Report): void {
  for (const { severity, code, subject, message, fix } of findings) {
    print(`${severity} ${code} ${subject}: ${message}`)
    print(`  fix: ${fix}`)
  }
  for (const { check, why } of skipped) print(`skipped ${check}: ${why}`)
  const count = (severity: string) => findings.filter((f) => f.severity === severity).length
  const found = `${count('critical')} critical, ${count('warning')} warnings, ${count('info')} infos`
  print(`${checked.length} checks, ${skipped.length} skipped: ${found}`)
}

/** `conclave doctor`. Exit codes are its own: 0 nothing above info, 1 warnings, 2 something critical. */
export function addDoctorCommand(program: Command): void {
  program
    .command('doctor')
    .description('look for what is wrong with a node, running or stopped, and say how to fix it; changes nothing')
    .requiredOption('--dir <dir>', 'directory of the node')
    .option('--json', 'as JSON')
    .option('--offline', 'connect to no other machine')
    .action(
      guarded(async ({ dir, json, offline }: DoctorOptions) => {
        const report = await examine({ dir, offline: offline === true })
        if (json === true) print(JSON.stringify(report, null, 2))
        else printReport(report)
        process.exitCode = exitCodeOf(report)
      }),
    )
}
