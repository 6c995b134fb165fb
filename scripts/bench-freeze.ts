// How long a freeze at one node takes to be in effect at all others of a real cluster: `npm run -s bench:freeze -- --json`.
import { setTimeout } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { askFreeze, readFreezes } from '@conclave/node'
import { NODE_NAMES } from '@conclave/testnet'
import { ClusterRig } from './bench/cluster-rig.ts'
import { median, significant } from './bench/statistics.ts'

/** What docs/spec/freeze.md promises of nodes that are linked. */
const BOUND_MS = 1_000
const GIVE_UP_MS = 30_000
const LOOK_MS = 2

const { values } = parseArgs({ options: { json: { type: 'boolean', default: false }, rounds: { type: 'string', default: '20' } } })
const rounds = Number(values.rounds)
const print = (line: string) => void process.stdout.write(`${line}\n`)
const progress = (line: string) => void process.stderr.write(`${line}\n`)

progress('five nodes and a coordinator')
await using rig = await ClusterRig.start({ stock: 1 })

/** Milliseconds from the order until the node refuses by that freeze. */
async function effectiveAfter(name: string, scope: string, beganMs: number): Promise<number> {
  for (;;) {
    const list = await readFreezes(rig.cluster.dirOf(name))
    const elapsedMs = performance.now() - beganMs
    if (list.some((f) => f.scope === scope && f.isActive)) return elapsedMs
    if (elapsedMs > GIVE_UP_MS) throw new Error(`${name} has not heard of the freeze of ${scope} in ${GIVE_UP_MS} ms`)
    await setTimeout(LOOK_MS)
  }
}

const elapsed: number[] = []
for (let i = 0; i < rounds; i++) {
  // The last one is of the whole key, which would hide those of its children.
  const scope = i === rounds - 1 ? 'key:bench' : `child:bench/m/9/${i}`
  const [own = '', ...others] = NODE_NAMES.map((_, j) => NODE_NAMES[(i + j) % NODE_NAMES.length] as string)
  const beganMs = performance.now()
  const ordered = askFreeze({ dir: rig.cluster.dirOf(own), scope, reason: 'bench', nowMs: Date.now() })
  const all = await Promise.all(others.map((name) => effectiveAfter(name, scope, beganMs)))
  await ordered
  elapsed.push(Math.max(...all))
}
const figures = { rounds, medianMs: significant(median(elapsed)), worstMs: significant(Math.max(...elapsed)), boundMs: BOUND_MS }
const outcome = { ...figures, holds: figures.worstMs < BOUND_MS }
if (values.json) print(JSON.stringify(outcome))
else
  print(
    `a freeze is in effect at all five nodes after ${outcome.medianMs} ms (median of ${rounds}), at the worst after ${outcome.worstMs} ms`,
  )
process.exitCode = outcome.holds ? 0 : 1
