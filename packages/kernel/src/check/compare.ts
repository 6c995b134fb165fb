import { kernel } from '../index.ts'
import type { Kernel } from '../kernel.ts'
import { twin } from '../twin/index.ts'

type Outcome = Uint8Array | boolean
/** Names of functions that give bytes or a truth value. */
type Comparable = { [K in keyof Kernel]: Kernel[K] extends (...args: never) => Outcome ? K : never }[keyof Kernel]
type Arguments<Name extends Comparable> = Kernel[Name] extends (...args: infer Args) => Outcome ? Args : never

const show = (value: unknown): string =>
  value instanceof Uint8Array ? `${value.length} bytes ${Buffer.from(value.subarray(0, 96)).toString('hex')}` : String(value)

/** One function, both ways. @throws {Error} when the outcomes differ; with what was given. */
export function same<Name extends Comparable>(name: Name, ...args: Arguments<Name>): void {
  const run = (of: Kernel) => (of[name] as (...args: unknown[]) => Outcome)(...args)
  const [got, want] = [show(run(kernel)), show(run(twin))]
  if (got !== want) throw new Error(`${name}(${args.map(show).join(', ')}): ${got} instead of ${want}`)
}
