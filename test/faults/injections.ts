import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { startProvider, stopProvider } from '@conclave/vault/providers'
import type { HsmNode } from './hsm-nodes.ts'

export const FAULT_KINDS = ['agent-sigkill', 'agent-sigstop', 'token-directory-renamed', 'server-killed'] as const
export type FaultKind = (typeof FAULT_KINDS)[number]

const KILLS = 20
const BETWEEN_KILLS_MS = 50

export interface Injection {
  inject(node: HsmNode, pid: number): Promise<void>
  /** What is put right from outside; faults of an agent are the node's own affair. */
  repair(node: HsmNode): Promise<void>
  /** Whether it lasts until it is repaired. */
  readonly lasts: boolean
}

function readProc(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    // It ended while we were looking, or is not ours.
    return ''
  }
}

/** The agent of a node's first HSM, told by the environment that only it was given; undefined between two of them. */
function agentOf({ primary }: HsmNode, node: number): number | undefined {
  const mark = Object.entries(primary.env ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .find((entry) => entry.includes('/'))
  const found = readdirSync('/proc').find((pid) => {
    if (!/^\d+$/.test(pid)) return false
    const stat = readProc(pid, 'stat')
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
    return (
      parent === node &&
      readProc(pid, 'environ')
        .split('\0')
        .includes(mark ?? '')
    )
  })
  return found === undefined ? undefined : Number(found)
}

function signal(agent: number | undefined, name: NodeJS.Signals): void {
  try {
    if (agent !== undefined) process.kill(agent, name)
  } catch (error) {
    // It ended by itself, or its node has killed it.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

const stopped: Injection = {
  inject: async (node, pid) => signal(agentOf(node, pid), 'SIGSTOP'),
  repair: async () => undefined,
  lasts: false,
}

/** Whenever there is an agent it is killed: between two requests that costs nothing, so some must hit one that is answering or starting. */
const killed: Injection = {
  async inject(node, pid) {
    for (let i = 0; i < KILLS; i++) {
      signal(agentOf(node, pid), 'SIGKILL')
      await new Promise((resolve) => setTimeout(resolve, BETWEEN_KILLS_MS))
    }
  },
  repair: async () => undefined,
  lasts: false,
}

const tokensOf = ({ dir }: HsmNode) => join(dir, 'softhsm/tokens')
const away: Injection = {
  inject: async (node) => rename(tokensOf(node), `${tokensOf(node)}.away`),
  repair: async (node) => {
    if (existsSync(`${tokensOf(node)}.away`)) await rename(`${tokensOf(node)}.away`, tokensOf(node))
  },
  lasts: true,
}

const serverKilled: Injection = {
  inject: async ({ providerHome = '' }) => stopProvider(providerHome, 'swtpm', 'tpm2-abrmd'),
  repair: async ({ providerHome = '' }) => void startProvider('tpm', providerHome),
  lasts: true,
}

const INJECTIONS: Readonly<Record<FaultKind, Injection>> = {
  'agent-sigkill': killed,
  'agent-sigstop': stopped,
  'token-directory-renamed': away,
  'server-killed': serverKilled,
}

/** @param isAlone - no HSM of the node is left: beside a remote one, the SoftHSM that holds the identity goes, too. */
export function injectionOf(kind: FaultKind, isAlone: boolean): Injection {
  if (kind !== 'server-killed' || !isAlone) return INJECTIONS[kind]
  const both = [serverKilled, away]
  return {
    lasts: true,
    async inject(node, pid) {
      for (const each of both) await each.inject(node, pid)
    },
    async repair(node) {
      for (const each of both) await each.repair(node)
    },
  }
}
