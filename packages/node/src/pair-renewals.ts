import { ConclaveError, toHex } from '@conclave/core'

/** Names kept per peer: of renewals waited for at once, and of those that have been. */
export const RENEWALS_MAX = 64

interface Wish {
  readonly name: Uint8Array
  waiters: number
}

/**
 * Renewals of one pair by their names: those that somebody here waits for, and those that have been.
 *
 * A renewal is *made* when this end has stored a state of a setup with its name, and *done* when this end knows the same of the peer.
 * Later states of the pair are younger still, so a name that was made or done remains so; only the oldest of too many are forgotten.
 */
export class PairRenewals {
  readonly #wishes = new Map<string, Wish>()
  /** Whether it is done, by the name of a renewal that was made. */
  readonly #made = new Map<string, boolean>()

  /** @returns what ends the wish. @throws {ConclaveError} BUSY when too many are open. */
  wish(name: Uint8Array): () => void {
    const key = toHex(name)
    if (this.#wishes.size >= RENEWALS_MAX && !this.#wishes.has(key))
      throw new ConclaveError('BUSY', 'too many renewals of one pair at once', { retriable: true })
    const wish = this.#wishes.get(key) ?? { name, waiters: 0 }
    wish.waiters++
    this.#wishes.set(key, wish)
    return () => {
      wish.waiters--
      if (wish.waiters === 0) this.#wishes.delete(key)
    }
  }

  /** The oldest wish that is not fulfilled. */
  next(): Uint8Array | undefined {
    return [...this.#wishes].find(([key]) => this.#made.get(key) !== true)?.[1].name
  }

  isMade(name: Uint8Array): boolean {
    return this.#made.has(toHex(name))
  }

  isDone(name: Uint8Array): boolean {
    return this.#made.get(toHex(name)) === true
  }

  made(name: Uint8Array): void {
    this.#keep(name, this.isDone(name))
  }

  done(name: Uint8Array): void {
    this.#keep(name, true)
  }

  /** The pair is burned: what was renewed is gone. */
  forget(): void {
    this.#made.clear()
  }

  #keep(name: Uint8Array, isDone: boolean): void {
    const key = toHex(name)
    // Entered again, it is the youngest.
    this.#made.delete(key)
    this.#made.set(key, isDone)
    if (this.#made.size > RENEWALS_MAX) this.#made.delete(this.#made.keys().next().value as string)
  }
}
