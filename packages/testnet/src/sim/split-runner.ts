import type { FromWorker, ToWorker } from '@conclave/node'
import type { Turned } from './deviant.ts'
import { honestRunner, type MakeRunner } from './sim-worker.ts'

type Job = Extract<ToWorker, { readonly type: 'start' }>['job']

const partiesOf = (job: Job): readonly number[] => ('parties' in job ? job.parties : 'peer' in job ? [job.peer] : job.request.signers)

/**
 * Runs every session twice with different randomness and shows one run to some peers and the other run to the rest: each of them
 * sees a party whose every opening fits. What it hears goes into both.
 */
export function splitRunner({ node, dice, did }: Turned): MakeRunner {
  /** Peers that are shown the second run. */
  const isApart = (j: number) => (j + node.index) % 2 === 0
  return (post) => {
    const peers = new Map<string, readonly number[]>()
    const seen = (apart: boolean) => (message: FromWorker, handOver: readonly ArrayBuffer[]) => {
      if (message.type !== 'send') {
        if (!apart) post(message, handOver)
        return
      }
      const messages = message.messages.flatMap((m) =>
        (m.to === 'all' ? (peers.get(message.id) ?? []) : [m.to]).filter((j) => isApart(j) === apart).map((to) => ({ ...m, to })),
      )
      if (apart) did(`${messages.length} messages`)
      if (messages.length > 0) post({ ...message, messages }, [])
    }
    const [first, second] = [honestRunner(seen(false)), honestRunner(seen(true))]
    return {
      heard(message) {
        const twin = structuredClone(message)
        if (twin.type === 'start')
          peers.set(
            twin.id,
            partiesOf(twin.job).filter((j) => j !== node.index),
          )
        first.heard(message)
        second.heard(twin.type === 'start' ? { ...twin, seed: dice.bytes(32) } : twin)
      },
    }
  }
}
