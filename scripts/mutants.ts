// Takes out one check of the protocol after the other and shows that the tests go red: `npm run mutants [-- --json] [-- --only text]`.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { copyTree } from './mutants/copy.ts'
import { MUTANTS } from './mutants/mutants.ts'
import { runTests, tryMutant } from './mutants/run.ts'

const { values } = parseArgs({ options: { json: { type: 'boolean', default: false }, only: { type: 'string', default: '' } } })
const chosen = MUTANTS.filter((m) => `${m.check} ${m.name}`.includes(values.only))

/** With --json, standard output is for the one object alone. */
function print(line: string): void {
  if (values.json) process.stderr.write(`${line}\n`)
  else process.stdout.write(`${line}\n`)
}

const copy = copyTree(join(import.meta.dirname, '..'))
let killed = 0
try {
  const unbroken = runTests(copy, [...new Set(chosen.flatMap((m) => m.tests))])
  if (unbroken.state !== 'green') throw new Error(`without any mutant the tests are ${unbroken.state}: ${unbroken.detail}`)
  print(`${'check'.padEnd(6)}${'without it'.padEnd(46)}first red test`)
  for (const mutant of chosen) {
    const { state, detail } = tryMutant(copy, mutant)
    if (state === 'red') killed++
    print(
      `${mutant.check.padEnd(6)}${mutant.name.padEnd(46)}${state === 'red' ? detail : `SURVIVES (${state}${detail === '' ? '' : `: ${detail}`})`}`,
    )
  }
} finally {
  rmSync(copy, { recursive: true, force: true })
}
print(`${killed} of ${chosen.length} killed`)
if (values.json) process.stdout.write(`${JSON.stringify({ mutants: chosen.length, killed })}\n`)
process.exitCode = killed === chosen.length && chosen.length > 0 ? 0 : 1
