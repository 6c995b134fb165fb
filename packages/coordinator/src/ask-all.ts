import { type Clock, ConclaveError, type NodeMember, type PartyId } from '@conclave/core'
import { OVER, Pulse, sharedController, waitForAny } from './wait.ts'

export interface AskAll<T> {
  readonly nodes: readonly NodeMember[]
  /** One call to one node; it must end when the signal aborts, and in its own time otherwise. */
  ask(node: NodeMember, signal: AbortSignal): Promise<T>
  /** Whether this answer starts the time that is left for the others. */
  hurries(answer: T | ConclaveError): boolean
  readonly graceMs: number
  /** Called with every answer that counts, as it comes. */
  seen?(node: NodeMember, answer: T | ConclaveError): void
  readonly clock: Clock
  readonly signal: AbortSignal
}

/**
 * Asks nodes at once and collects what they answer or fail with. After the first answer that hurries, the others have `graceMs`.
 *
 * @returns answers by node; a node without an entry had not answered. Never rejects.
 */
export async function askAll<T>({
  nodes,
  ask,
  hurries,
  graceMs,
  seen,
  clock,
  signal,
}: AskAll<T>): Promise<Map<PartyId, T | ConclaveError>> {
  const answers = new Map<PartyId, T | ConclaveError>()
  const answered = new Pulse()
  const giveUp = sharedController()
  let endAtMs: number | undefined
  let isOver = false
  const take = (node: NodeMember, answer: T | ConclaveError) => {
    if (isOver) return
    answers.set(node.index, answer)
    seen?.(node, answer)
    if (hurries(answer)) endAtMs ??= clock.nowMs() + graceMs
    answered.fire()
  }
  for (const node of nodes) {
    ask(node, giveUp.signal).then(
      (answer) => take(node, answer),
      (error) => take(node, error instanceof ConclaveError ? error : new ConclaveError('INTERNAL', 'the call failed', { cause: error })),
    )
  }
  while (answers.size < nodes.length && !signal.aborted) {
    const leftMs = endAtMs === undefined ? undefined : endAtMs - clock.nowMs()
    if (leftMs !== undefined && leftMs <= 0) break
    // Without a grace running this only polls: every call ends on its own and fires the pulse.
    await waitForAny({ clock, signal, ms: leftMs ?? 60_000, pulses: [answered] })
  }
  isOver = true
  giveUp.abort(OVER)
  return answers
}
