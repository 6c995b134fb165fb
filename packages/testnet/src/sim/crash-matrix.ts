/** `npm run crash-matrix`: every node dies at every durable write of every protocol that touches keys. */
import { parseArgs } from 'node:util'
import { type CaseResult, type Crash, type MatrixProtocol, PROTOCOLS, runCase } from './matrix-case.ts'
import { PHASES } from './sim-disk.ts'

const { values } = parseArgs({
  options: { json: { type: 'boolean', default: false }, only: { type: 'string' }, nodes: { type: 'string', default: '3' } },
})
const nodes = Number(values.nodes)
const say = (line: string): void => void process.stdout.write(`${line}\n`)

interface Row {
  readonly protocol: MatrixProtocol
  readonly crash: Crash
  readonly result: CaseResult
}

async function rowsOf(protocol: MatrixProtocol): Promise<readonly Row[]> {
  const calm = await runCase(protocol, nodes)
  const rows: Row[] = []
  if (calm.outcome !== 'new') rows.push({ protocol, crash: { party: 0, write: 0, phase: 'before' }, result: { ...calm, outcome: 'bad' } })
  for (const [party, writes] of [...calm.writes].sort(([a], [b]) => a - b)) {
    for (let write = 1; write <= writes; write++) {
      for (const phase of PHASES) {
        const crash = { party, write, phase }
        rows.push({ protocol, crash, result: await runCase(protocol, nodes, crash) })
      }
    }
  }
  return rows
}

function print(rows: readonly Row[]): void {
  say(`${'protocol'.padEnd(10)}${'node'.padEnd(6)}${'write'.padEnd(7)}${PHASES.map((p) => p.padEnd(8)).join('')}`)
  const lines = new Map<string, string[]>()
  for (const { protocol, crash, result } of rows) {
    const head = `${protocol.padEnd(10)}${`n${crash.party}`.padEnd(6)}${String(crash.write).padEnd(7)}`
    lines.set(head, [...(lines.get(head) ?? []), result.outcome.padEnd(8)])
  }
  for (const [head, cells] of lines) say(head + cells.join(''))
  say('before: the write never happened; at: it is durable and the writer does not know; after: the writer knows')
}

const chosen = PROTOCOLS.filter((p) => values.only === undefined || values.only === p)
const rows: Row[] = []
for (const protocol of chosen) rows.push(...(await rowsOf(protocol)))
const bad = rows.filter((r) => r.result.outcome === 'bad').map(({ protocol, crash, result }) => ({ protocol, ...crash, what: result.what }))
if (values.json) say(JSON.stringify({ cases: rows.length, bad }))
else {
  print(rows)
  for (const b of bad) say(`bad: ${b.protocol} n${b.party} write ${b.write} ${b.phase}: ${b.what}`)
  say(`${rows.length} cases, ${bad.length} bad`)
}
process.exitCode = bad.length > 0 || rows.length === 0 ? 1 : 0
