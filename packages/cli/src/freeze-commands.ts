import { InvalidArgument } from '@conclave/core'
import { type AdminFreeze, askFreeze, askThaw, readFreezes } from '@conclave/node'
import type { Command } from 'commander'
import { guarded, print } from './output.ts'

interface Here {
  dir: string
  json?: true
}
interface Freezing extends Here {
  scope: string
  reason: string
  as?: string
  key?: string
}
interface Thawing extends Here {
  freeze: string
  reason: string
}

function freezeLine({ id, scope, by, at, reason, isActive, thawedBy, thawsRequired }: AdminFreeze): string {
  const thaws = thawedBy.length === 0 ? '' : `, thawed by ${thawedBy.join(', ')}`
  const state = isActive ? `frozen, ${thawsRequired - thawedBy.length} more nodes must thaw it` : 'thawed'
  return `${id} ${scope}: ${state}${thaws}; by ${by} at ${at}: ${reason}`
}

const shown = (freeze: AdminFreeze, { json }: Here) => print(json === true ? JSON.stringify(freeze) : freezeLine(freeze))

/** `conclave freeze | thaw | freezes`: one node or approver stops signatures at every node; it takes a quorum of nodes to go on. */
export function addFreezeCommands(program: Command): void {
  const add = (name: string, description: string) =>
    program.command(name).description(description).requiredOption('--dir <dir>', 'directory of the node').option('--json', 'as JSON')

  add('freeze', 'stop signatures at every node, at once')
    .requiredOption('--scope <scope>', '"cluster", "key:ID", or "child:ID/m/0/5" for a derived child and all below it')
    .requiredOption('--reason <text>', 'one line for the log and the other operators')
    .option('--as <approver>', 'freeze as an approver of the policy, with --key')
    .option('--key <file>', 'Ed25519 key of that approver')
    .action(
      guarded(async (o: Freezing) => {
        const { dir, scope, reason, as, key } = o
        if ((as === undefined) !== (key === undefined)) throw new InvalidArgument('BAD_OPTIONS', '--as and --key belong together')
        const approver = as === undefined || key === undefined ? undefined : { id: as, keyFile: key }
        shown(await askFreeze({ dir, scope, reason, approver, nowMs: Date.now() }), o)
      }),
    )
  add('thaw', "give this node's word that a freeze may end; as many nodes as sign must do so")
    .requiredOption('--freeze <id>', 'id of the freeze, as "conclave freezes" shows it')
    .requiredOption('--reason <text>', 'one line for the log: what was found, and who decided')
    .action(guarded(async (o: Thawing) => shown(await askThaw(o.dir, o.freeze, o.reason), o)))
  add('freezes', 'what is frozen, and what was').action(
    guarded(async (o: Here) => {
      const freezes = await readFreezes(o.dir)
      if (o.json === true) return print(JSON.stringify(freezes, null, 2))
      for (const freeze of freezes) print(freezeLine(freeze))
      if (freezes.length === 0) print('nothing was ever frozen')
    }),
  )
}
