import { join } from 'node:path'
import type { Command } from 'commander'
import { guarded, print, untilStopped } from './output.ts'

// Loaded by its own commands only: it is half of the program, and a node has no use for it.
const load = () => import('@conclave/coordinator')

/** `conclave coordinator` and `conclave coordinator init`. */
export function addCoordinatorCommands(program: Command): void {
  const coordinator = program
    .command('coordinator')
    .description('the HTTP API, a peer without a share: run it (the default), or make its directory')
  coordinator
    .command('run', { isDefault: true })
    .description('run the coordinator')
    .requiredOption('--dir <dir>', 'directory of the coordinator')
    .action(
      guarded(async ({ dir }: { dir: string }) => {
        const stopped = untilStopped()
        const { loadCoordinatorSettings, SETTINGS_FILE, startCoordinator } = await load()
        const running = await startCoordinator(await loadCoordinatorSettings(join(dir, SETTINGS_FILE)))
        await stopped
        await running.drain()
        await running.stop()
      }),
    )
  coordinator
    .command('init')
    .description('make the directory of a coordinator')
    .requiredOption('--dir <dir>', 'directory to make')
    .requiredOption('--name <name>', 'name of the coordinator: a-z, 0-9, "-"')
    .requiredOption('--listen <multiaddr...>', 'where to listen for nodes')
    .requiredOption('--http <host:port>', 'where the API listens')
    .action(
      guarded(async (o: { dir: string; name: string; listen: string[]; http: string }) => {
        const { initCoordinator } = await load()
        const made = await initCoordinator(o)
        print(`${o.name} is ready: peer id ${made.card.peerId}`)
        print(`its card for the cluster lock is ${made.cardFile}`)
        print(`the API key of its first administrator is in ${made.apiKeyFile}`)
      }),
    )
}
