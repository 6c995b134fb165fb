import { randomBytes } from 'node:crypto'
import type { Handle } from 'pkcs11js'
import { isPinRefused } from '../codes.ts'
import type { Kek } from '../hsm.ts'
import { DEK_BYTES } from '../profile.ts'
import { Attempts } from './attempts.ts'
import { type Cryptoki, CryptokiError, type Session, type Token } from './cryptoki.ts'
import { tryExtraction } from './extractability.ts'
import { AgentFault } from './fault.ts'
import { findKek, findMac, findSigningKey, type SigningHandles, type WantedKek } from './objects.ts'
import type { PinHolder } from './pin.ts'
import type { AgentSettings, SigningUse } from './protocol.ts'
import { meaningOf, meaningWhenHealthy } from './return-values.ts'
import { chooseProfile, type TrialToken } from './trial.ts'
import { type Choice, unwrapDek, type WrapKey, type Wrapped, wrapDek } from './wrap.ts'

/** A KEK with what belongs to it. */
interface KekHandles {
  readonly id: string
  readonly generation: number
  readonly kek: Handle
  /** Its HMAC key, if it has one. */
  readonly mac: Handle | undefined
}

/** A logged-in token with what was found on it. */
export interface Connection {
  readonly token: Token
  /** Holds the login and does nothing else: closing the last session of a token logs out. */
  readonly anchor: Session
  /** Runs the operations; closed and replaced after any error. */
  work: Session
  /** By KEK id. Searches are linear in the number of objects, so each key is looked for once. */
  readonly keks: Map<string, KekHandles>
  sealing: KekHandles | undefined
  readonly signing: Map<SigningUse, SigningHandles>
}

/** @throws {AgentFault} TOKEN_LOST, KEY_AMBIGUOUS */
export function selectToken(tokens: readonly Token[], label: string, serial: string | undefined): Token {
  const named = tokens.filter((t) => t.initialised && t.label === label && (serial === undefined || t.serial === serial))
  const which = serial === undefined ? `"${label}"` : `"${label}" with serial ${serial}`
  const [token, second] = named
  if (token === undefined) throw new AgentFault('TOKEN_LOST', `no token ${which} is present`, { token: label })
  if (second !== undefined)
    throw new AgentFault('KEY_AMBIGUOUS', `several tokens are labelled "${label}": set the serial of the right one`, { token: label })
  return token
}

/**
 * The one login attempt of a connection.
 *
 * @param isAttended - a person has typed this PIN for this attempt.
 * @throws {AgentFault} PIN_LOCKED; PIN_FINAL_TRY without trying when a failure would be the last and nobody is there.
 */
export function logIn(session: Session, token: Token, pin: Buffer, isAttended = false): void {
  if (token.locked) throw new AgentFault('PIN_LOCKED', `the PIN of token "${token.label}" is locked`)
  if (token.finalTry && !isAttended)
    throw new AgentFault('PIN_FINAL_TRY', `one wrong PIN would lock token "${token.label}": run "conclave hsm unlock"`)
  session.login('user', pin)
}

/** Any error as a fault, when there is no connection whose health could be asked. */
export function faultOf(error: unknown): AgentFault {
  if (error instanceof AgentFault) return error
  // The message of a foreign error may quote anything, so only its name goes out.
  if (!(error instanceof CryptokiError))
    return new AgentFault('UNSUPPORTED', `the HSM agent failed internally (${error instanceof Error ? error.name : 'unknown'})`)
  const meaning = meaningOf(error.rv)
  return new AgentFault(meaning === 'CHECK' ? 'TOKEN_LOST' : meaning, error.message, { rv: error.rv })
}

/** Keeps one token connected: connects on use, reconnects once when it was lost, and never repeats a refused login. */
export class TokenConnection {
  readonly #cryptoki: Cryptoki
  readonly #settings: AgentSettings
  readonly #pin: PinHolder
  #serial: string | undefined
  #connection: Connection | undefined
  #refused: AgentFault | undefined
  /** Found once for each KEK; the connection may come and go. */
  readonly #choices = new Map<string, Choice>()
  #lastIv: Uint8Array = new Uint8Array(0)

  constructor(cryptoki: Cryptoki, settings: AgentSettings, pin: PinHolder) {
    this.#cryptoki = cryptoki
    this.#settings = settings
    this.#pin = pin
    this.#serial = settings.serial
  }

  /**
   * Runs one operation. All of ours may be repeated, so a lost session or token is reconnected and tried once more here, where
   * it costs milliseconds.
   *
   * @param opening - the operation opens a ciphertext, so that a refusal by a healthy token means tampering.
   */
  run<T>(act: (connection: Connection) => T, opening = false): T {
    for (let attempt = 1; ; attempt++) {
      const connection = this.#connect()
      try {
        return act(connection)
      } catch (error) {
        const fault = this.#judge(error, connection, opening)
        const lost = fault.code === 'SESSION_LOST' || fault.code === 'TOKEN_LOST'
        if (lost) this.disconnect()
        if (!lost || attempt === 2) throw fault
      }
    }
  }

  /** The KEK that seals, and how. @throws {AgentFault} UNSUPPORTED when it can do no profile, or not that of the settings. */
  sealing(connection: Connection): { readonly id: string; readonly generation: number; readonly choice: Choice } {
    connection.sealing ??= this.#find(connection, { id: this.#settings.kekId })
    const { id, generation } = connection.sealing
    const choice = this.#choices.get(id) ?? chooseProfile(this.#trial(connection, connection.sealing), this.#settings.profile)
    this.#choices.set(id, choice)
    return { id, generation, choice }
  }

  /** @throws {AgentFault} UNSUPPORTED when the token gives the IV of the wrap before. */
  wrap(connection: Connection, aad: Uint8Array, dek: Uint8Array): Wrapped {
    const { id, generation, choice } = this.sealing(connection)
    const made = wrapDek(this.#key(connection, { id, generation }), choice, aad, dek)
    if (made.iv.length > 0 && Buffer.from(made.iv).equals(this.#lastIv)) throw new AgentFault('UNSUPPORTED', 'the token used one IV twice')
    this.#lastIv = made.iv
    return made
  }

  /** @throws {AgentFault} TAMPER, KEY_MISSING, KEK_DESTROYED */
  unwrap(connection: Connection, kek: Kek, choice: Choice, aad: Uint8Array, wrapped: Wrapped): Uint8Array {
    return unwrapDek(this.#key(connection, kek), choice, aad, wrapped)
  }

  /** What a probe tries the KEK with. */
  trial(connection: Connection): TrialToken {
    connection.sealing ??= this.#find(connection, { id: this.#settings.kekId })
    return this.#trial(connection, connection.sealing)
  }

  /** The key pair of that use, or undefined when the token holds none. @throws {AgentFault} KEY_AMBIGUOUS, KEY_MISSING, UNSUPPORTED */
  signingKey(connection: Connection, use: SigningUse): SigningHandles | undefined {
    const found = connection.signing.get(use) ?? findSigningKey(connection.work, use)
    if (found !== undefined) connection.signing.set(use, found)
    return found
  }

  /** @throws {AgentFault} TAMPER when the KEK does not give back what it was given. */
  roundTrip(connection: Connection): void {
    const { id, generation, choice } = this.sealing(connection)
    const [aad, probe] = [randomBytes(16), randomBytes(DEK_BYTES)]
    const wrapped = this.wrap(connection, aad, probe)
    if (!probe.equals(this.unwrap(connection, { id, generation }, choice, aad, wrapped)))
      throw new AgentFault('TAMPER', 'the KEK does not decrypt what it encrypted')
  }

  /** @throws {AgentFault} TOKEN_LOST */
  requirePresent(connection: Connection): void {
    if (!this.#isPresent(connection)) throw new AgentFault('TOKEN_LOST', 'the token has vanished')
  }

  /** After a token vanished its sessions stay dead until the module is finalised, so that is how every connection ends. */
  disconnect(): void {
    this.#connection = undefined
    this.#cryptoki.finalise()
  }

  close(): void {
    try {
      this.#connection?.anchor.logout()
    } catch (error) {
      // The token may be gone; finalising ends its sessions all the same.
      if (!(error instanceof CryptokiError)) throw error
    }
    this.disconnect()
    this.#pin.wipe()
  }

  #find(connection: Connection, wanted: WantedKek): KekHandles {
    const { handle, id, generation, label } = findKek(connection.work, this.#settings.kekLabel, wanted)
    const found = { id, generation, kek: handle, mac: findMac(connection.work, label, id) }
    connection.keks.set(id, found)
    return found
  }

  #key(connection: Connection, wanted: Kek): WrapKey {
    const { kek, mac } = connection.keks.get(wanted.id) ?? this.#find(connection, wanted)
    return { session: connection.work, kek, mac }
  }

  #trial({ token }: Connection, { kek, mac }: KekHandles): TrialToken {
    const attempts = new Attempts(this.#cryptoki, token)
    const offered = this.#cryptoki.mechanisms(token.slot)
    const leaks = () => {
      const keeper = this.#cryptoki.openSession(token.slot, 'read')
      try {
        return tryExtraction(attempts, keeper, offered).extractability === 'not-enforced'
      } finally {
        keeper.close()
      }
    }
    return { attempts, offered, keys: { encrypt: kek, wrap: kek, mac }, leaks, madeFor: mac === undefined ? undefined : 'cbc-hmac' }
  }

  #connect(): Connection {
    if (this.#refused !== undefined) throw this.#refused
    if (this.#connection !== undefined) return this.#connection
    try {
      this.#cryptoki.initialise(this.#settings.libraryParameters)
      const token = selectToken(this.#cryptoki.tokens(), this.#settings.token, this.#serial)
      const anchor = this.#cryptoki.openSession(token.slot, 'read')
      logIn(anchor, token, this.#pin.pin, this.#settings.isAttended)
      // Another token that takes over the label later is not this one.
      this.#serial = token.serial
      const work = this.#cryptoki.openSession(token.slot, 'read')
      this.#connection = { token, anchor, work, keks: new Map(), sealing: undefined, signing: new Map() }
      return this.#connection
    } catch (error) {
      const fault = faultOf(error)
      if (isPinRefused(fault.code)) this.#refused = fault
      this.disconnect()
      throw fault
    }
  }

  #judge(error: unknown, connection: Connection, opening: boolean): AgentFault {
    try {
      connection.work.close()
      connection.work = this.#cryptoki.openSession(connection.token.slot, 'read')
    } catch (broken) {
      return new AgentFault('TOKEN_LOST', `the token takes no new session: ${faultOf(broken).message}`)
    }
    if (!(error instanceof CryptokiError)) {
      const fault = faultOf(error)
      return fault.code === 'KEY_MISSING' && !this.#isPresent(connection) ? new AgentFault('TOKEN_LOST', 'the token has vanished') : fault
    }
    const meaning = meaningOf(error.rv)
    if (meaning !== 'CHECK') return faultOf(error)
    if (!this.#isHealthy(connection)) return new AgentFault('TOKEN_LOST', `${error.message}, and the token does not work`, { rv: error.rv })
    return new AgentFault(meaningWhenHealthy(error.rv, opening), `${error.message}, though the token works`, { rv: error.rv })
  }

  #isPresent(connection: Connection): boolean {
    try {
      const token = this.#cryptoki.token(connection.token.slot)
      return token.initialised && token.serial === connection.token.serial
    } catch {
      // Whatever it says: a token that does not describe itself is not there.
      return false
    }
  }

  #isHealthy(connection: Connection): boolean {
    try {
      this.roundTrip(connection)
      return this.#isPresent(connection)
    } catch {
      // Any failure of the probe is the answer.
      return false
    }
  }
}
