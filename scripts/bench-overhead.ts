// Processor time of one signature by process and thread, over a real cluster: `npm run -s bench:overhead -- --json`.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { LocalCluster, measureSigning, NODE_NAMES, type SigningFigures, unsignedTransfer } from '@conclave/testnet'

const REQUIRED = 3
const KEY_ID = 'bench'
const SUPPLIER = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8'
const POLICY = `version: 1
sequence: 1
rules:
  - name: bench
    effect: allow
    when: { payload: evm.tx, chains: [31337], destinations: ['${SUPPLIER}'], amountMaxWei: '1' }
`

const print = (line: string) => void process.stdout.write(`${line}\n`)
const progress = (line: string) => void process.stderr.write(`${line}\n`)

function printTable({ processes, ...figures }: SigningFigures): void {
  const { inFlight, signaturesPerSecond, p50Ms, p99Ms, cpuMs } = figures
  print(`${inFlight} in flight: ${signaturesPerSecond} signatures/s, p50 ${p50Ms} ms, p99 ${p99Ms} ms, ${cpuMs} ms CPU a signature`)
  const columns = ['main', 'workers', 'pool', 'engine', 'children', 'total', 'residentMiB'] as const
  const table = [['process', ...columns], ...processes.map((p) => [p.name, ...columns.map((c) => String(p[c]))])]
  for (const row of table) print(row.map((cell, i) => (i === 0 ? cell.padEnd(14) : cell.padStart(12))).join(''))
}

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    'in-flight': { type: 'string', default: '1,32' },
    requests: { type: 'string', default: '100' },
    /** Child keys that take turns. */
    keys: { type: 'string', default: '1' },
  },
})
const [requests, keys] = [Number(values.requests), Number(values.keys)]
const inFlight = values['in-flight'].split(',').map(Number)
await using stack = new AsyncDisposableStack()
const dir = await mkdtemp(join(tmpdir(), 'conclave-bench-'))
stack.defer(() => rm(dir, { recursive: true, force: true }))
progress('five nodes and a coordinator')
const coordinatorSettings = 'signing: { parallel: 32 }\n'
const cluster = await LocalCluster.create({ dir, names: NODE_NAMES, required: REQUIRED, policy: POLICY, coordinatorSettings })
stack.defer(() => cluster.stop())
await Promise.all([cluster.startNodes(), cluster.startCoordinator()])
await cluster.linked(NODE_NAMES)
const { operationId } = await cluster.client.createKey({ keyId: KEY_ID })
await cluster.client.waitForKey(operationId)
let nonce = 0n
const load = {
  keyId: KEY_ID,
  requests,
  payloadOf: () => unsignedTransfer({ to: SUPPLIER, valueWei: 1n, nonce: nonce++ }),
  pathOf: (i: number) => (i % keys === 0 ? 'm' : `m/0/${i % keys}`),
}
progress('warm-up')
await measureSigning(cluster, { ...load, inFlight: Math.max(...inFlight) })
const figures: SigningFigures[] = []
for (const count of inFlight) {
  progress(`${requests} signatures, ${count} in flight`)
  figures.push(await measureSigning(cluster, { ...load, inFlight: count }))
}
for (const f of figures) printTable(f)
if (values.json) print(JSON.stringify({ requests, keys, figures }))
