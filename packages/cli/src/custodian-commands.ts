import { createInterface } from 'node:readline/promises'
import { ConclaveError } from '@conclave/core'
import { extractPiece, makeIdentityFile, openPiece, readLock } from '@conclave/node'
import type { Command } from 'commander'
import { backupLines } from './backup-lines.ts'
import { guarded, print } from './output.ts'

interface OpenOptions {
  in: string
  identity: string
  to: string
  out: string
  lock?: string
  yes?: true
}

/** A person's yes at a terminal. @throws {ConclaveError} NOT_CONFIRMED where nobody can be asked. */
async function confirmed(question: string): Promise<boolean> {
  if (!process.stdin.isTTY)
    throw new ConclaveError('NOT_CONFIRMED', 'nobody is at a terminal to confirm this: pass --yes if it was confirmed elsewhere')
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return (await terminal.question(`${question} Type yes: `)).trim() === 'yes'
  } finally {
    terminal.close()
  }
}

/** What a custodian runs on their own machine: `conclave backup keygen | open-piece | piece`. */
export function addCustodianCommands(backup: Command): void {
  backup
    .command('keygen')
    .description("make a custodian's age identity; an identity of any age program serves as well")
    .requiredOption('--out <file>', 'identity file to write: whoever has it has the piece')
    .action(
      guarded(async ({ out }: { out: string }) => {
        print(await makeIdentityFile(out))
      }),
    )
  backup
    .command('open-piece')
    .description("open one's own piece of a backup and encrypt it to the node that restores or drills")
    .requiredOption('--in <file>', 'backup')
    .requiredOption('--identity <file>', "the custodian's age identity file")
    .requiredOption('--to <recipient>', 'one-time recipient, as the operator of the node read it out')
    .requiredOption('--out <file>', 'file to write')
    .option('--lock <file>', 'cluster lock: who may have signed the backup')
    .option('--yes', 'do not ask')
    .action(
      guarded(async ({ in: file, identity: identityFile, lock, yes, ...o }: OpenOptions) => {
        const known = lock === undefined ? {} : { lock: await readLock(lock) }
        const custodian = await openPiece({
          ...{ file, identityFile, to: o.to, out: o.out, ...known },
          async confirm(what, name) {
            for (const line of backupLines(what)) print(line)
            print(`the piece of ${name} will be readable by ${o.to}`)
            return yes === true || confirmed('Are this backup and this recipient the ones that were agreed on?')
          },
        })
        if (custodian === undefined) throw new ConclaveError('NOT_CONFIRMED', 'nothing was opened')
        print(`${o.out}: the piece of ${custodian}, for ${o.to}`)
      }),
    )
  backup
    .command('piece')
    .description("write a custodian's piece, still closed, for an age program that uses hardware")
    .requiredOption('--in <file>', 'backup')
    .requiredOption('--custodian <name>', 'whose')
    .requiredOption('--out <file>', 'file to write')
    .action(
      guarded(async (o: { in: string; custodian: string; out: string }) => {
        for (const line of backupLines(await extractPiece(o.in, o.custodian, o.out))) print(line)
        print(`${o.out}: the piece of ${o.custodian}, closed; open it with: age -d -i <key> ${o.out} | age -r <recipient>`)
      }),
    )
}
