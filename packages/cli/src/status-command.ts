import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ConclaveClient } from '@conclave/client'
import { ConfigError, InvalidArgument } from '@conclave/core'
import {
  type AdminPolicy,
  type AdminStatus,
  askAdmin,
  type Checkup,
  examine,
  type Readiness,
  readFreezes,
  readPolicyStatus,
  readSettings,
  SETTINGS_FILE,
} from '@conclave/node'
import type { Command } from 'commander'
import { guarded, print } from './output.ts'
import { clusterPage, nodePage, type StatusPage, statusLines } from './status-page.ts'

const READY_TIMEOUT_MS = 10_000

interface StatusOptions {
  url?: string
  apiKeyFile?: string
  dir?: string
  json?: true
}

/** How many nodes it takes; undefined while the coordinator is not ready. */
async function neededBy(url: string): Promise<number | undefined> {
  const answer = await fetch(new URL('/readyz', url), { signal: AbortSignal.timeout(READY_TIMEOUT_MS) })
  if (!answer.ok) return undefined
  const { nodesNeeded } = (await answer.json()) as { nodesNeeded?: unknown }
  return typeof nodesNeeded === 'number' ? nodesNeeded : undefined
}

async function askCluster(url: string, apiKeyFile: string): Promise<StatusPage> {
  const apiKey = await readFile(apiKeyFile, 'utf8').catch((cause: unknown) => {
    throw new ConfigError('API_KEY_UNREADABLE', `cannot read the API key file ${apiKeyFile}`, {}, cause)
  })
  const client = new ConclaveClient({ url, apiKey: apiKey.trim() })
  const [nodes, keys, needed] = [await client.nodes(), await client.keys(), await neededBy(url)]
  return clusterPage(nodes, keys, needed)
}

async function askNode(dir: string): Promise<StatusPage> {
  const { adminSocket } = readSettings(join(dir, SETTINGS_FILE))
  const ask = async <T>(path: string) => (await askAdmin(adminSocket, path)) as T
  const { inForce }: AdminPolicy = await readPolicyStatus(dir)
  return nodePage({
    status: await ask<AdminStatus>('/v1/status'),
    checkup: await ask<Checkup>('/v1/checkup'),
    readiness: await ask<Readiness>('/v1/readiness'),
    freezes: await readFreezes(dir),
    policySequence: inForce.sequence,
    report: await examine({ dir, offline: true }),
  })
}

/** `conclave status`. Exit codes are its own: 0 healthy, 1 when fewer nodes than a quorum are able to sign, or this node is not ready. */
export function addStatusCommand(program: Command): void {
  program
    .command('status')
    .description('how the cluster stands, asked of its coordinator, or how one node stands, asked of itself')
    .option('--url <url>', 'of the coordinator')
    .option('--api-key-file <file>', 'file with its API key')
    .option('--dir <dir>', 'directory of the node')
    .option('--json', 'as JSON')
    .action(
      guarded(async ({ url, apiKeyFile, dir, json }: StatusOptions) => {
        if ((url === undefined) === (dir === undefined)) throw new InvalidArgument('BAD_OPTIONS', 'give either --url or --dir')
        if (url !== undefined && apiKeyFile === undefined) throw new InvalidArgument('BAD_OPTIONS', '--url needs --api-key-file')
        const page = url === undefined ? await askNode(dir as string) : await askCluster(url, apiKeyFile as string)
        if (json === true) print(JSON.stringify(page, null, 2))
        else for (const line of statusLines(page)) print(line)
        process.exitCode = page.healthy ? 0 : 1
      }),
    )
}
