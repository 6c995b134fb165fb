import { join } from 'node:path'
import { type IdentityKey, InvalidArgument } from '@conclave/core'
import { CARD_FILE, type ExistingHsm, initNode, SETTINGS_FILE, startNode } from '@conclave/node'
import { type Command, Option } from 'commander'
import { addAdminCommands } from './admin-commands.ts'
import { guarded, print, untilStopped } from './output.ts'

const KEY_TYPES: readonly IdentityKey['type'][] = ['ed25519', 'secp256k1', 'p256']

interface InitOptions {
  dir: string
  name: string
  listen: string[]
  announce?: string[]
  module?: string
  token?: string
  pinFile?: string
  libraryParameters?: string
  hsmEnv?: string[]
  adoptKek?: boolean
  keyType?: IdentityKey['type']
}

/** NAME=VALUE of the command line. */
function environment(pairs: readonly string[]): Record<string, string> {
  const entries = pairs.map((pair): [string, string] => {
    const at = pair.indexOf('=')
    if (at < 1) throw new InvalidArgument('BAD_OPTION', '--hsm-env takes name=value')
    return [pair.slice(0, at), pair.slice(at + 1)]
  })
  return Object.fromEntries(entries)
}

function existingHsm(o: InitOptions): ExistingHsm | undefined {
  if (o.module === undefined) return undefined
  const { module, token = '', pinFile = '', libraryParameters, adoptKek, hsmEnv } = o
  return { module, token, pinFile, libraryParameters, adoptKek, env: hsmEnv && environment(hsmEnv) }
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
    .option('--library-parameters <text>', 'what the library takes when it is initialised (NSS)')
    .option('--hsm-env <name=value...>', 'environment of the process that talks to the HSM')
    .option('--adopt-kek', "take the KEK that the vendor's tool has made (TPM 2.0)")
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
