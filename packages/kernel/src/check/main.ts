/** Holds the compiled kernel against its twin for long: `npm run kernel:check -- [--cases 1000000] [--seed n] [--only name]`. */
import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { CHECKS } from './checks.ts'
import { Draw } from './draw.ts'

const { values } = parseArgs({
  options: { cases: { type: 'string', default: '1000000' }, seed: { type: 'string' }, only: { type: 'string', default: '' } },
})
const seed = values.seed === undefined ? randomInt(2 ** 31) : Number(values.seed)
const cases = Number(values.cases)
if (!Number.isInteger(seed) || !(cases > 0)) throw new RangeError('--seed is a whole number, --cases a number above 0')

const chosen = CHECKS.filter(({ name }) => name.includes(values.only))
const shares = chosen.reduce((sum, { share }) => sum + share, 0)
process.stdout.write(`seed ${seed}, ${chosen.length} checks, ${cases} cases\n`)
for (const { name, share, run } of chosen) {
  const count = Math.ceil((cases * share) / shares)
  const startedMs = performance.now()
  for (let i = 0; i < count; i++) {
    try {
      run(new Draw((seed + i) >>> 0))
    } catch (error) {
      process.stdout.write(`FAILED ${name}, repeat with --only '${name}' --cases 1 --seed ${seed + i}: ${String(error)}\n`)
      process.exitCode = 1
      break
    }
  }
  process.stdout.write(`${name}: ${count} cases, ${((performance.now() - startedMs) / 1000).toFixed(1)} s\n`)
}
