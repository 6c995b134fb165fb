import { join } from 'node:path'
import { CARD_FILE, initNode, SETTINGS_FILE, startNode } from '@conclave/node'
import type { Command } from 'commander'
import { addAdminCommands } from './admin-commands.ts'
import { guarded, print, untilStopped } from './output.ts'

interface InitOptions {
  dir: string
  name: string
  listen: string[]
  announce?: string[]
  module?: string
  token?: string
  pinFile?: string
}

/** `conclave node` and what belongs to it. */
export function addNodeCommands(program: Command): void {
  const node = program.command('node').description('an approver node: run it (the default), make its directory, or ask the running one')
  node
    .command('run', { isDefault: true })
    .description('run the node')
    .requiredOption('--dir <dir>', 'directory of the node')
    .action(
      guarded(async ({ dir }: { dir: string }) => {
        const stopped = untilStopped()
        const running = await startNode(join(dir, SETTINGS_FILE))
        await stopped
        await running.stop()
      }),
    )
  node
    .command('init')
    .description('provision an HSM and make the directory of a node')
    .requiredOption('--dir <dir>', 'directory to make')
    .requiredOption('--name <name>', 'name of the node: a-z, 0-9, "-"')
    .requiredOption('--listen <multiaddr...>', 'where to listen, e.g. /ip4/0.0.0.0/tcp/9100')
    .option('--announce <multiaddr...>', 'what the others dial, when it differs')
    .option('--module <file>', 'PKCS#11 library of an HSM whose token exists; default: a SoftHSM token inside the directory')
    .option('--token <label>', 'label of that token')
    .option('--pin-file <file>', 'file with its user PIN, mode 0400 or 0600')
    .action(
      guarded(async (o: InitOptions) => {
        const hsm = o.module === undefined ? {} : { hsm: { module: o.module, token: o.token ?? '', pinFile: o.pinFile ?? '' } }
        const announce = o.announce === undefined ? {} : { announce: o.announce }
        const card = await initNode({ dir: o.dir, name: o.name, listen: o.listen, ...announce, ...hsm })
        print(`${card.name} is ready: peer id ${card.peerId}`)
        print(`its card for the cluster lock is ${join(o.dir, CARD_FILE)}`)
      }),
    )
  addAdminCommands(node)
}
