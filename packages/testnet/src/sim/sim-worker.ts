import { type FromWorker, Sessions, type StartWorker, type ToWorker } from '@conclave/node'
import type { Dice } from './dice.ts'
import { Lane, type Life, type Timeline } from './timeline.ts'

/** The part of {@link Sessions} that a worker uses; a plug-in may stand in its place. */
export interface SessionRunner {
  heard(message: ToWorker): void
}

export type MakeRunner = (post: (message: FromWorker, handOver: readonly ArrayBuffer[]) => void) => SessionRunner

export const honestRunner: MakeRunner = (post) => new Sessions(post)

export interface WorkerOptions {
  readonly timeline: Timeline
  readonly life: Life
  readonly dice: Dice
  readonly runner: MakeRunner
  /** Sees what goes in and comes out, before it is delivered. */
  saw(message: ToWorker | FromWorker): void
}

/** Workers of one node inside this process: the same sessions, messages that take their time, buffers that really change hands. */
export class SimWorkers {
  readonly #o: WorkerOptions
  readonly #kills = new Set<() => void>()

  constructor(options: WorkerOptions) {
    this.#o = options
  }

  /** All of them die; their sessions are gone. */
  die(): void {
    for (const kill of this.#kills) kill()
    this.#kills.clear()
  }

  readonly start: StartWorker = ({ heard, exited }) => {
    const { timeline, life, dice, runner, saw } = this.#o
    const worker = { alive: true }
    const [down, up] = [new Lane(), new Lane()]
    const later = (lane: Lane, act: () => void) =>
      timeline.at(lane.next(timeline.nowMs + 0.05 + 0.5 * dice.float()), () => worker.alive && act(), life)
    const move = <M extends ToWorker | FromWorker>(message: M, handOver: readonly ArrayBuffer[]): M =>
      // Bodies of protocol messages are nobody else's; what is handed over must be empty where it came from.
      handOver.length > 0 ? structuredClone(message, { transfer: [...handOver] }) : message
    const sessions = runner((message, handOver) => {
      saw(message)
      const moved = move(message, handOver)
      later(up, () => heard(moved))
    })
    this.#kills.add(() => {
      if (!worker.alive) return
      worker.alive = false
      timeline.after(0, () => exited(new Error('killed')), life)
    })
    return {
      post: (message, handOver) => {
        saw(message)
        const moved = move(message, handOver)
        later(down, () => sessions.heard(moved))
      },
      terminate: async () => {
        worker.alive = false
      },
    }
  }
}
