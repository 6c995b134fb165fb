import { join } from 'node:path'
import type { IdentityKey } from '@conclave/core'
import { CARD_FILE, initNode, SETTINGS_FILE, startNode } from '@conclave/node'
import { type Command, Option } from 'commander'
import { addAdminCommands } from './admin-commands.ts'
import { addTokenOptions, existingHsm, type TokenOptions } from './hsm-options.ts'
import { guarded, print, untilStopped } from './output.ts'

const KEY_TYPES: readonly IdentityKey['type'][] = ['ed25519', 'secp256k1', 'p256']

interface InitOptions extends TokenOptions {
  dir: string
  name: string
  listen: string[]
  announce?: string[]
  keyType?: IdentityKey['type']
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
  const init = node.command('init').description('provision an HSM and make the directory of a node')
  addTokenOptions(init)
    .requiredOption('--dir <dir>', 'directory to make')
    .requiredOption('--name <name>', 'name of the node: a-z, 0-9, "-"')
    .requiredOption('--listen <multiaddr...>', 'where to listen, e.g. /ip4/0.0.0.0/tcp/9100')
    .option('--announce <multiaddr...>', 'what the others dial, when it differs')
    .addOption(
      new Option('--key-type <type>', 'of identity and checkpoint key; default: the first that the token makes').choices(KEY_TYPES),
    )
    .action(
      guarded(async (o: InitOptions) => {
        const existing = existingHsm(o)
        const hsm = { keyType: o.keyType, ...(existing === undefined ? {} : { hsm: existing }) }
        const announce = o.announce === undefined ? {} : { announce: o.announce }
        const card = await initNode({ dir: o.dir, name: o.name, listen: o.listen, ...announce, ...hsm })
        print(`${card.name} is ready: peer id ${card.peerId}`)
        print(`its card for the cluster lock is ${join(o.dir, CARD_FILE)}`)
      }),
    )
  addAdminCommands(node)
}
