import { draftLock, lockSummary, readDraft, readLock, signLockFile } from '@conclave/node'
import type { Command } from 'commander'
import { guarded, print } from './output.ts'

/** `conclave cluster draft | show | sign | verify`. */
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
    .description("add this node's signature to a lock whose hash the operators have compared")
    .requiredOption('--dir <dir>', 'directory of the node')
    .requiredOption('--lock <file>', 'lock file, changed in place')
    .requiredOption('--hash <hex>', 'its hash, as "conclave cluster show" printed it and the operators compared it')
    .action(
      guarded(async (o: { dir: string; lock: string; hash: string }) => {
        const lock = await signLockFile({ dir: o.dir, lockFile: o.lock, hash: o.hash })
        for (const line of lockSummary(lock)) print(line)
      }),
    )
  cluster
    .command('show')
    .description('what a lock says and who has signed it, without checking the signatures')
    .requiredOption('--lock <file>', 'lock file')
    .action(
      guarded(async (o: { lock: string }) => {
        for (const line of lockSummary(await readDraft(o.lock))) print(line)
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
