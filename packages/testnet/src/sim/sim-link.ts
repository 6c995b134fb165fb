import type { Dice } from './dice.ts'
import { Lane } from './timeline.ts'

/** What the network does to frames while it is not healed; each a probability for one frame. */
export interface Weather {
  readonly delay: number
  readonly loss: number
  readonly duplicate: number
  readonly reorder: number
}

export const CALM: Weather = { delay: 0, loss: 0, duplicate: 0, reorder: 0 }

/** One direction of a link. */
export interface Direction {
  readonly lane: Lane
  readonly dice: Dice
  readonly latencyMs: number
}

/** The link of two members, as the network knows it. */
export class SimLink {
  readonly a: string
  readonly b: string
  /** Names the present connection; what was sent over an earlier one is lost. */
  generation = 0
  connected = false
  /** How many faults hold it down. */
  cuts = 0
  /** A reconnection is on its way. */
  rising = false
  readonly #there: Direction
  readonly #back: Direction

  constructor(a: string, b: string, dice: Dice) {
    this.a = a
    this.b = b
    const direction = (label: string): Direction => {
      const own = dice.fork(label)
      return { lane: new Lane(), dice: own, latencyMs: 1 + 60 * own.float() ** 2 }
    }
    this.#there = direction(`${a}>${b}`)
    this.#back = direction(`${b}>${a}`)
  }

  other(name: string): string {
    return name === this.a ? this.b : this.a
  }

  from(name: string): Direction {
    return name === this.a ? this.#there : this.#back
  }
}
