import { planOf, without } from './plan.ts'
import { type Outcome, run } from './run.ts'

/** One run that a child process is asked for. */
export interface RunOrder {
  readonly seed: number
  /** Labels of parts of the plan that are left out. */
  readonly dropped: readonly string[]
}

/** Runs one order. @param print - gets the trace, line by line. */
export function execute({ seed, dropped }: RunOrder, print?: (line: string) => void): Promise<Outcome> {
  return run(seed, without(planOf(seed), dropped), print)
}

/** The arguments that repeat a run. */
export const commandOf = ({ seed, dropped }: RunOrder): string =>
  `npm run sim -- --seed ${seed}${dropped.length === 0 ? '' : ` --drop ${dropped.join()}`}`
