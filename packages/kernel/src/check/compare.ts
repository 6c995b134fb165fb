import { kernel } from '../index.ts'
import type { Kernel } from '../kernel.ts'
import { twin } from '../twin/index.ts'

type Outcome = Uint8Array | boolean
/** So much of a value goes into an error. */
const SHOWN = 192
/** Names of functions that give bytes or a truth value. */
type Comparable = { [K in keyof Kernel]: Kernel[K] extends (...args: never) => Outcome ? K : never }[keyof Kernel]
type Arguments<Name extends Comparable> = Kernel[Name] extends (...args: infer Args) => Outcome ? Args : never

const whole = (value: unknown): string => (value instanceof Uint8Array ? Buffer.from(value).toString('hex') : String(value))

function show(value: unknown): string {
  const text = whole(value)
  return text.length <= SHOWN ? text : `${text.slice(0, SHOWN)}... (${text.length / 2} bytes)`
}

/** One function, both ways. @throws {Error} when the outcomes differ; with what was given. */
export function same<Name extends Comparable>(name: Name, ...args: Arguments<Name>): void {
  const run = (of: Kernel) => (of[name] as (...args: unknown[]) => Outcome)(...args)
  const [got, want] = [run(kernel), run(twin)]
  if (whole(got) !== whole(want)) throw new Error(`${name}(${args.map(show).join(', ')}): ${show(got)} instead of ${show(want)}`)
}
