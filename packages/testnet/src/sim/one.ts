/** One seed: what the plan is, what came of it, and on request the trace or the smallest plan that still fails. */
import { commandOf, execute, type RunOrder } from './orders.ts'
import { partsOf, planOf } from './plan.ts'
import { shrink } from './shrink.ts'

const [seedText = '1', dropText = '', ...flags] = process.argv.slice(2)
const say = (line: string): void => void process.stdout.write(`${line}\n`)

const order: RunOrder = { seed: Number(seedText), dropped: dropText === '' ? [] : dropText.split(',') }
const plan = planOf(order.seed)
const outcome = await execute(order, flags.includes('trace') ? say : undefined)
const parts = partsOf(plan).filter((part) => !order.dropped.includes(part))
say(`seed ${order.seed}: ${plan.t} of ${plan.n}${plan.fresh ? ', fresh' : ''}; ${parts.join(' ')}`)
say(`trace ${outcome.trace}, ${outcome.events} events, ${outcome.simulatedMs} ms simulated, ${outcome.signatures} signatures`)
for (const { invariant, what } of outcome.violations) say(`violated: ${invariant}: ${what}`)

const [first] = outcome.violations
if (first !== undefined) {
  const fails = async (smaller: RunOrder) => (await execute(smaller)).violations.some((v) => v.invariant === first.invariant)
  const smallest = flags.includes('shrink') ? await shrink(order, parts, fails) : order
  say(`repeat with: ${commandOf(smallest)} --trace`)
  process.exitCode = 1
} else say('every invariant holds')
