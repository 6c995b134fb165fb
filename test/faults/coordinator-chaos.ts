import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { PostgresServer, postgresPrograms } from '@conclave/coordinator/testing'
import { freePorts, LocalCluster, NODE_NAMES } from '@conclave/testnet'
import { CrewMember } from './coordinator-crew.ts'
import { EventLedger } from './event-ledger.ts'
import { testimonyOf } from './node-testimony.ts'
import { PersistentPayers } from './persistent-payers.ts'

const COORDINATORS = ['coordinator', 'relay', 'outpost'] as const
const KEY = 'struck'
const PAYEE = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8'
const POLICY = `version: 1
sequence: 1
rules:
  - name: pay
    effect: allow
    when: { payload: evm.tx, chains: [31337], destinations: ['${PAYEE}'], amountMaxWei: '1' }
`
/** From the start of one to its being struck, at most. */
const STRIKE_MS_MAX = 2500
const REST_MS_MAX = 1500

export interface ChaosPlan {
  /** Of an empty directory. */
  readonly dir: string
  readonly kills: number
  readonly seed: number
  readonly lines: number
  readonly nodes: readonly string[]
  /** One coordinator on its embedded database, whatever this machine has. */
  readonly isEmbedded: boolean
  readonly required: number
  say(line: string): void
}

export interface ChaosReport {
  readonly database: 'postgres' | 'pglite'
  readonly coordinators: number
  readonly kills: number
  /** Requests that were answered 201. */
  readonly acknowledged: number
  /** Of those, in a final state at the end; and how many of them were signed. */
  readonly final: number
  readonly signed: number
  /** By the logs of the nodes. */
  readonly signedTwice: number
  readonly signedAgain: number
  /** Ends of acknowledged requests that a receiver of webhooks was never told of. */
  readonly webhooksLost: number
}

/** Numbers from 0 to below 1, the same for the same seed. */
function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    // mulberry32
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Kills coordinators at moments that nobody chose, and starts them again. */
async function strike(crew: readonly CrewMember[], { kills, say }: ChaosPlan, random: () => number): Promise<void> {
  const starting: Promise<void>[] = []
  for (let n = 1; n <= kills; n++) {
    await setTimeout(random() * STRIKE_MS_MAX)
    const victim = crew[Math.floor(random() * crew.length)] as CrewMember
    await victim.kill()
    say(`kill ${n}: ${victim.name}`)
    await setTimeout(random() * REST_MS_MAX)
    victim.start()
    starting.push(victim.ready().catch(() => undefined))
    // One on its own database is killed again only when it has been up.
    if (crew.length === 1) await starting.at(-1)
  }
  await Promise.all(starting)
  for (const member of crew) if (!member.alive) member.start()
  await Promise.all(crew.map((member) => member.ready()))
}

async function makeCluster({ dir, nodes, required }: ChaosPlan): Promise<LocalCluster> {
  const plan = { dir: join(dir, 'cluster'), names: nodes, required, policy: POLICY, silentCoordinators: COORDINATORS.slice(1) }
  return await LocalCluster.create(plan)
}

/**
 * A cluster of real nodes and coordinators under load, while its coordinators are killed: three on one PostgreSQL when this machine has one,
 * else one on its embedded database.
 */
export async function runCoordinatorChaos(plan: ChaosPlan): Promise<ChaosReport> {
  const random = seeded(plan.seed)
  await using all = new AsyncDisposableStack()
  const programs = plan.isEmbedded ? undefined : postgresPrograms()
  const server = programs === undefined ? undefined : all.use(await PostgresServer.start(programs))
  const cluster = await makeCluster(plan)
  all.defer(() => cluster.stop())
  const names = server === undefined ? COORDINATORS.slice(0, 1) : COORDINATORS
  const ports = await freePorts(names.length)
  const crew = await Promise.all(
    names.map((name, i) => CrewMember.prepare(cluster, name, { port: ports[i] as number, databaseUrl: server?.url })),
  )
  all.defer(async () => {
    await Promise.all(crew.map((member) => member.stop()))
  })
  await cluster.startNodes()
  for (const member of crew) member.start()
  await Promise.all(crew.map((member) => member.ready()))
  await createKey(crew[0] as CrewMember)
  const ledger = all.use(await EventLedger.open(crew[0] as CrewMember))
  plan.say(
    `${crew.length} coordinators on ${server === undefined ? 'PGlite' : 'PostgreSQL'}, ${plan.nodes.length} nodes, seed ${plan.seed}`,
  )
  const payers = new PersistentPayers({ crew, keyId: KEY, to: PAYEE, lines: plan.lines, random })
  await strike(crew, plan, random)
  await payers.stop()
  const final = await payers.settle()
  const webhooksLost = await ledger.missing(payers.acknowledged)
  const { signed, signedTwice, signedAgain } = await testimonyOf(cluster)
  const claimed = payers.acknowledged.filter(({ state }) => state === 'signed')
  for (const { requestId } of claimed)
    if (!signed.has(requestId)) throw new Error(`no node has signed ${requestId}, which is said to be signed`)
  return {
    ...{ database: server === undefined ? 'pglite' : 'postgres', coordinators: crew.length, kills: plan.kills },
    ...{ acknowledged: payers.acknowledged.length, final, signed: claimed.length, signedTwice, signedAgain, webhooksLost },
  }
}

async function createKey({ url, apiKey }: CrewMember): Promise<void> {
  const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json', 'idempotency-key': 'key' }
  const created = await fetch(`${url}/v1/keys`, { method: 'POST', headers, body: JSON.stringify({ keyId: KEY }) })
  const { operationId } = (await created.json()) as { operationId: string }
  for (;;) {
    const answer = await fetch(`${url}/v1/operations/${operationId}?waitMs=30000`, { headers: { authorization: `Bearer ${apiKey}` } })
    const { state } = (await answer.json()) as { state: string }
    if (state === 'succeeded') return
    if (state !== 'pending' && state !== 'running') throw new Error(`the key was not created: ${state}`)
  }
}

export const CHAOS_DEFAULTS = { seed: 1, lines: 4, nodes: NODE_NAMES, required: 3, isEmbedded: false } as const
