import { draftLock, lockSummary, readLock, signLockFile } from '@conclave/node'
import type { Command } from 'commander'
import { guarded, print } from './output.ts'

/** `conclave cluster draft | sign | verify`. */
export function addClusterCommands(program: Command): void {
  const cluster = program.command('cluster').description('the cluster lock: who belongs to the cluster')
  cluster
    .command('draft')
    .description('write an unsigned lock from the cards of nodes and coordinators, in this order')
    .requiredOption('--card <file...>', 'cards of the nodes (index 1 first) and of the coordinators')
    .requiredOption('--required <count>', 'signers needed', Number)
    .requiredOption('--out <file>', 'lock file to write')
    .action(
      guarded(async (o: { card: string[]; required: number; out: string }) => {
        const lock = await draftLock({ cardFiles: o.card, required: o.required, out: o.out })
        print(`${o.out}: ${lock.quorum.required} of ${lock.quorum.of}, to be signed by ${lock.nodes.map((n) => n.name).join(', ')}`)
      }),
    )
  cluster
    .command('sign')
    .description("add this node's signature to a lock, after showing what it says")
    .requiredOption('--dir <dir>', 'directory of the node')
    .requiredOption('--lock <file>', 'lock file, changed in place')
    .action(
      guarded(async (o: { dir: string; lock: string }) => {
        const lock = await signLockFile({ dir: o.dir, lockFile: o.lock })
        for (const line of lockSummary(lock)) print(line)
      }),
    )
  cluster
    .command('verify')
    .description('check every signature of a lock')
    .requiredOption('--lock <file>', 'lock file')
    .action(
      guarded(async (o: { lock: string }) => {
        for (const line of lockSummary(await readLock(o.lock))) print(line)
      }),
    )
}
