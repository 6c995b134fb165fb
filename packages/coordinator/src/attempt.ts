import type { Clock, ConclaveError, NodeMember, PartyId } from '@conclave/core'
import type { Signed } from '@conclave/wire'
import { askAll } from './ask-all.ts'
import { type AttemptOutcome, type Expected, judgeAttempt } from './attempt-outcome.ts'
import { NodeFailure } from './node-calls.ts'
import { sharedController } from './wait.ts'

/** After the first answer of an attempt, how long the other signers are waited for. */
export const ANSWER_GRACE_MS = 2000
/** How long a signer may leave the proposal unanswered when others have answered it. */
export const SILENT_MS = 3000

export interface AttemptOptions {
  readonly nodes: readonly NodeMember[]
  readonly expected: Expected
  ask(node: NodeMember, signal: AbortSignal): Promise<Signed>
  /** Signers that have not answered the proposal yet. */
  unheard(): readonly PartyId[]
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** One attempt on its way, and what its signers have answered so far. */
export class Attempt {
  /** Resolves at the first signature that verifies; at the latest with `over`. */
  readonly settled: Promise<void>
  /** Resolves when every signer has answered or had its time. */
  readonly over: Promise<void>
  readonly #options: AttemptOptions
  readonly #answers = new Map<PartyId, Signed | ConclaveError>()
  readonly #signed = Promise.withResolvers<void>()
  #isOver = false
  #known: Signed | undefined

  constructor(options: AttemptOptions) {
    this.#options = options
    this.over = this.#run()
    this.settled = Promise.race([this.over, this.#signed.promise])
  }

  /** What has come of it; before it is over, nobody is missed. */
  outcome(): AttemptOutcome {
    const outcome = judgeAttempt(this.#answers, this.#options.expected, { isOver: this.#isOver, known: this.#known })
    this.#known = outcome.signed
    return outcome
  }

  async #run(): Promise<void> {
    const { nodes, ask, clock, signal } = this.#options
    const giveUp = sharedController()
    const stop = () => giveUp.abort()
    signal.addEventListener('abort', stop, { once: true })
    if (signal.aborted) stop()
    const stopTimer = clock.after(SILENT_MS, () => this.#endWithoutSilent(stop))
    try {
      await askAll<Signed>({
        ...{ nodes, ask, clock, signal: giveUp.signal },
        hurries: () => true,
        graceMs: ANSWER_GRACE_MS,
        seen: (node, answer) => this.#take(node.index, answer),
      })
    } finally {
      stopTimer()
      signal.removeEventListener('abort', stop)
      this.#isOver = true
    }
  }

  #take(signer: PartyId, answer: Signed | ConclaveError): void {
    this.#answers.set(signer, answer)
    if (this.#known === undefined && this.outcome().signed !== undefined) this.#signed.resolve()
  }

  /** A session without one of its signers comes to nothing: the others are told apart from whom they wait for. */
  #endWithoutSilent(end: () => void): void {
    const { nodes, unheard } = this.#options
    const waitingFor = unheard()
    if (waitingFor.length === 0 || waitingFor.length === nodes.length) return
    const failure = { code: 'SIGNER_SILENT', message: 'a signer does not answer the proposal', retriable: true, culprits: [], waitingFor }
    for (const { index } of nodes) {
      if (!this.#answers.has(index) && !waitingFor.includes(index)) this.#answers.set(index, new NodeFailure(failure))
    }
    end()
  }
}
