import type { Cryptoki, Session, Token } from './cryptoki.ts'
import { CryptokiError } from './cryptoki.ts'
import { AgentFault } from './fault.ts'
import { CKR_DEVICE_ERROR, meaningOf } from './return-values.ts'

/** What came of trying something that the token may well refuse. */
export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly reason: string; readonly rv: number | undefined }

/**
 * Tries things on a token, each in a session of its own: a refusal may leave an operation active in its session for ever.
 *
 * Session objects live as long as the session that made them, so those that several attempts share belong to another session.
 */
export class Attempts {
  readonly #cryptoki: Cryptoki
  readonly #token: Token

  constructor(cryptoki: Cryptoki, token: Token) {
    this.#cryptoki = cryptoki
    this.#token = token
  }

  /** @throws {CryptokiError | AgentFault} when the token is lost or busy, which says nothing about what it can do. */
  try<T>(act: (session: Session) => T): Outcome<T> {
    const first = this.#once(act)
    // Said by a token that is asked too much as well as by one that cannot: the second answer counts.
    return !first.ok && first.rv === CKR_DEVICE_ERROR ? this.#once(act) : first
  }

  #once<T>(act: (session: Session) => T): Outcome<T> {
    const session = this.#cryptoki.openSession(this.#token.slot, 'read')
    try {
      return { ok: true, value: act(session) }
    } catch (error) {
      return { ok: false, reason: this.#refusal(error), rv: error instanceof CryptokiError ? error.rv : undefined }
    } finally {
      session.close()
    }
  }

  #refusal(error: unknown): string {
    if (error instanceof AgentFault && (error.code === 'UNSUPPORTED' || error.code === 'TAMPER')) return error.message
    if (!(error instanceof CryptokiError)) throw error
    const meaning = meaningOf(error.rv)
    if (meaning === 'UNSUPPORTED' || meaning === 'TAMPER') return error.message
    // A value that says nothing is a refusal only of a token that is there.
    if (meaning === 'CHECK' && this.#isPresent()) return error.message
    throw meaning === 'CHECK' ? new AgentFault('TOKEN_LOST', 'the token vanished during the probe') : error
  }

  #isPresent(): boolean {
    try {
      const { initialised, serial } = this.#cryptoki.token(this.#token.slot)
      return initialised && serial === this.#token.serial
    } catch {
      // Whatever it says: a token that does not describe itself is not there.
      return false
    }
  }
}
