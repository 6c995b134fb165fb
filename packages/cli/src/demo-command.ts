import type { Command } from 'commander'
import { guarded, print } from './output.ts'

/** `conclave demo`. */
export function addDemoCommand(program: Command): void {
  program
    .command('demo')
    .description('five nodes with their own HSM tokens make a key and sign real transactions, on this machine')
    .option('--json', 'progress on standard error, one JSON object as the last line of standard output')
    .option('--dir <dir>', 'where to make the cluster; it is kept (default: a temporary directory that is removed)')
    .action(
      guarded(async (o: { json?: boolean; dir?: string }) => {
        const progress = (line: string) => void (o.json === true ? process.stderr : process.stdout).write(`${line}\n`)
        // Loaded here only: a node has no use for it.
        const { runDemo } = await import('@conclave/testnet')
        const result = await runDemo({ progress, ...(o.dir === undefined ? {} : { dir: o.dir }) })
        if (o.json === true) print(JSON.stringify(result))
        if (!result.ok) process.exitCode = 1
      }),
    )
}
