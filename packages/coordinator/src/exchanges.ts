import type { Clock } from '@conclave/core'
import type { FastifyInstance } from 'fastify'
import { Pulse, sharedController, waitForAny } from './wait.ts'

/** Exchanges over HTTP that are under way. */
export class Exchanges {
  readonly #over = new Pulse()
  #open = 0

  /** Counts those of `app` from now on. */
  count(app: Pick<FastifyInstance, 'addHook'>): void {
    app.addHook('onRequest', async (_, reply) => {
      this.#open++
      // Also when the caller hangs up.
      reply.raw.once('close', () => {
        this.#open--
        this.#over.fire()
      })
    })
  }

  /** Resolves when every answer is out, or after `ms`. */
  async settled(clock: Clock, ms: number): Promise<void> {
    const untilMs = clock.nowMs() + ms
    const { signal } = sharedController()
    while (this.#open > 0 && clock.nowMs() < untilMs) {
      await waitForAny({ clock, signal, ms: untilMs - clock.nowMs(), pulses: [this.#over] })
    }
  }
}
