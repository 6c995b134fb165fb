/** `npm run load:coordinator`: many clients at once against a coordinator and five nodes in processes of their own. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { until } from '../child.ts'
import { unsignedTransfer } from '../evm.ts'
import { LocalCluster, NODE_NAMES } from '../local-cluster.ts'
import { type LoadFigures, runClients } from './client-load.ts'
import { MemoryWatch, type ProcessMemory } from './memory.ts'

const REQUIRED = 3
const POOL = { low: 50, high: 200 }
const WARM_MS = 600_000
const KEY = 'load'
const SUPPLIER = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8'
const POLICY = `version: 1
sequence: 1
rules:
  - name: pay-suppliers
    effect: allow
    when: { payload: evm.tx, chains: [31337], destinations: ['${SUPPLIER}'], amountMaxWei: '1' }
`

const { values } = parseArgs({
  options: {
    clients: { type: 'string', default: '200' },
    requests: { type: 'string', default: '10000' },
    'node-settings': { type: 'string', default: '' },
    'coordinator-settings': { type: 'string', default: '' },
    json: { type: 'boolean', default: false },
  },
})

const say = (line: string) => void process.stderr.write(`${line}\n`)
const payloadOf = (i: number) => unsignedTransfer({ to: SUPPLIER, valueWei: 1n, nonce: BigInt(i) })

function count(text: string, max: number): number {
  const value = Number(text)
  if (Number.isInteger(value) && value >= 1 && value <= max) return value
  throw new RangeError(`not a whole number from 1 to ${max}: ${text}`)
}

/** A key, and as many correlations of every pair as the pool takes. */
async function warmUp(cluster: LocalCluster): Promise<void> {
  await cluster.linked(cluster.names)
  const { operationId } = await cluster.client.createKey({ keyId: KEY })
  await cluster.client.waitForKey(operationId)
  const isFull = async () => {
    const nodes = await cluster.client.nodes()
    return nodes.every(({ status }) => status?.pairs.every((p) => p.stock >= POOL.high - 8) === true)
  }
  await until(isFull, { timeoutMs: WARM_MS, what: 'the pool to be full' })
}

async function measure(cluster: LocalCluster): Promise<LoadFigures & { readonly memory: readonly ProcessMemory[] }> {
  const [clients, requests] = [count(values.clients, 2_000), count(values.requests, 1_000_000)]
  await Promise.all([cluster.startNodes(), cluster.startCoordinator()])
  say('the pool is being filled')
  await warmUp(cluster)
  say(`${clients} clients, ${requests} requests`)
  const memory = new MemoryWatch(cluster)
  await memory.start()
  const { url, apiKey } = cluster
  const figures = await runClients({ url, apiKey, keyId: KEY, clients, requests, payloadOf })
  return { ...figures, memory: await memory.end() }
}

const dir = await mkdtemp(join(tmpdir(), 'conclave-load-'))
let cluster: LocalCluster | undefined
try {
  const [nodeSettings, coordinatorSettings] = [values['node-settings'], values['coordinator-settings']].map((yaml) => `${yaml}\n`)
  cluster = await LocalCluster.create({
    ...{ dir, names: NODE_NAMES, required: REQUIRED, policy: POLICY, pool: POOL },
    ...{ nodeSettings: nodeSettings ?? '', coordinatorSettings: coordinatorSettings ?? '' },
  })
  const { memory, ...figures } = await measure(cluster)
  if (values.json) process.stdout.write(`${JSON.stringify({ ...figures, memory })}\n`)
  else {
    for (const [name, value] of Object.entries(figures)) process.stdout.write(`${name}: ${value}\n`)
    for (const m of memory) {
      process.stdout.write(`${m.name}: ${m.beforeMiB} MiB before, ${m.afterMiB} after, ${m.slopeMiBPerMinute} a minute in the end\n`)
    }
  }
  process.exitCode = figures.errors === 0 ? 0 : 1
} finally {
  await cluster?.stop()
  await rm(dir, { recursive: true, force: true })
}
