// Event-loop delay of real nodes under parallel signings, against the processor time of one signing: `npm run -s bench:loop -- --json`.
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { fromHex } from '@conclave/core'
import { LocalCluster, MemberPeer, NODE_NAMES, unsignedTransfer, until } from '@conclave/testnet'

const REQUIRED = 3
const SIGNERS = [1, 2, 3]
const WARM_UP_ROUNDS = 3
const IDLE_MS = 2_000
/** A node samples its loop this often, and a sample of an idle loop reads as one interval. */
const SAMPLE_MS = 5
const KEY_ID = 'bench'
const SUPPLIER = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8'
const POLICY = `version: 1
sequence: 1
rules:
  - name: bench
    effect: allow
    when: { payload: evm.tx, chains: [31337], destinations: ['${SUPPLIER}'], amountMaxWei: '1' }
`

interface Loop {
  readonly p99Ms: number
  readonly maxMs: number
  readonly cpuMs: number
}

interface Row {
  readonly node: string
  readonly signs: boolean
  readonly idle: Loop
  readonly busy: Loop
  /** Processor time of the whole process, threads included, for one signing. */
  readonly cpuMsPerSigning: number
  /** What parallel signings add to the 99th percentile of the loop's delay, over the processor time of one signing. */
  readonly delayOverCpu: number
}

const print = (line: string) => void process.stdout.write(`${line}\n`)
const progress = (line: string) => void process.stderr.write(`${line}\n`)
const round = (value: number, digits = 1) => Number(value.toFixed(digits))

/** The loop's delay since the last look, and the processor time since the start. */
async function look(peer: MemberPeer): Promise<readonly Loop[]> {
  const statuses = await Promise.all(NODE_NAMES.map((name) => peer.status(name)))
  return statuses.map((s) => ({ p99Ms: s.loopP99Us / 1e3, maxMs: s.loopMaxUs / 1e3, cpuMs: s.cpuMs }))
}

let nonce = 0n

async function signAtOnce(peer: MemberPeer, count: number): Promise<void> {
  const orders = Array.from({ length: count }, () => ({
    requestId: Uint8Array.from(randomBytes(32)),
    keyId: KEY_ID,
    payloads: [fromHex(unsignedTransfer({ to: SUPPLIER, valueWei: 1n, nonce: nonce++ }).slice(2))],
    signers: SIGNERS,
  }))
  await Promise.all(orders.map((order) => peer.sign(order)))
}

async function pairsReady(peer: MemberPeer): Promise<void> {
  const ready = async () => {
    const statuses = await Promise.all(NODE_NAMES.map((name) => peer.status(name)))
    return statuses.every((s) => s.pairs.every((p) => p.state === 'ready'))
  }
  await until(ready, { timeoutMs: 60_000, what: 'every pair' })
}

async function measure(
  peer: MemberPeer,
  parallel: number,
  rounds: number,
): Promise<{ readonly rows: readonly Row[]; readonly ms: number }> {
  await pairsReady(peer)
  progress('warm-up')
  for (let i = 0; i < WARM_UP_ROUNDS; i++) await signAtOnce(peer, parallel)
  await look(peer)
  progress('idle')
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS))
  const idle = await look(peer)
  const startedAt = performance.now()
  for (let i = 0; i < rounds; i++) {
    progress(`${parallel} signings at once, ${i + 1} of ${rounds}`)
    await signAtOnce(peer, parallel)
  }
  const ms = performance.now() - startedAt
  const busy = await look(peer)
  const rows = NODE_NAMES.map((node, i) => {
    const [before, after] = [idle[i] as Loop, busy[i] as Loop]
    const signs = SIGNERS.includes(i + 1)
    const cpuMsPerSigning = (after.cpuMs - before.cpuMs) / (parallel * rounds)
    const delayOverCpu = signs ? Math.max(0, after.p99Ms - SAMPLE_MS) / cpuMsPerSigning : 0
    return { node, signs, idle: before, busy: after, cpuMsPerSigning: round(cpuMsPerSigning), delayOverCpu: round(delayOverCpu, 3) }
  })
  return { rows, ms }
}

function printTable(rows: readonly Row[]): void {
  const head = ['node', 'signs', 'idle p99', 'busy p99', 'busy max', 'CPU a signing', '(p99 - 5 ms) / CPU']
  const line = (r: Row) => {
    const ms = (value: number) => `${value.toFixed(1)} ms`
    const signing = r.signs ? [ms(r.cpuMsPerSigning), `${(100 * r.delayOverCpu).toFixed(1)} %`] : ['', '']
    return [r.node, r.signs ? 'yes' : 'no', ms(r.idle.p99Ms), ms(r.busy.p99Ms), ms(r.busy.maxMs), ...signing]
  }
  const table = [head, ...rows.map(line)]
  const widths = head.map((_, c) => Math.max(...table.map((r) => (r[c] ?? '').length)))
  for (const r of table) print(r.map((cell, c) => (c < 2 ? cell.padEnd(widths[c] ?? 0) : cell.padStart(widths[c] ?? 0))).join('  '))
}

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    parallel: { type: 'string', default: '8' },
    rounds: { type: 'string', default: '5' },
  },
})
const [parallel, rounds] = [Number(values.parallel), Number(values.rounds)]
await using stack = new AsyncDisposableStack()
const dir = await mkdtemp(join(tmpdir(), 'conclave-bench-'))
stack.defer(() => rm(dir, { recursive: true, force: true }))
progress('five nodes and a coordinator')
const cluster = await LocalCluster.create({ dir, names: NODE_NAMES, required: REQUIRED, policy: POLICY })
stack.defer(() => cluster.stop())
await Promise.all([cluster.startNodes(), cluster.startCoordinator()])
await cluster.linked(NODE_NAMES)
const { operationId } = await cluster.client.createKey({ keyId: KEY_ID })
await cluster.client.waitForKey(operationId)
// It reads the loop's delay every five seconds, and every reading begins a new one; from here on this script is the coordinator.
await cluster.stopOne('coordinator')
const peer = await MemberPeer.coordinator(cluster.dirOf('coordinator'))
stack.defer(() => peer.stop())
await peer.linked(NODE_NAMES)
const { rows, ms } = await measure(peer, parallel, rounds)
const signings = parallel * rounds
print(`${signings} signings, ${parallel} at once, by nodes ${SIGNERS.join(', ')}: ${(ms / signings).toFixed(0)} ms each`)
printTable(rows)
if (values.json) print(JSON.stringify({ parallel, rounds, sampleMs: SAMPLE_MS, msPerSigning: round(ms / signings), nodes: rows }))
