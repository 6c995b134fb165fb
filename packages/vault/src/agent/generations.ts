import type { Handle } from 'pkcs11js'
import type { Kek, KekReport } from '../hsm.ts'
import { Attempts } from './attempts.ts'
import type { Cryptoki, Session } from './cryptoki.ts'
import { tryExtraction } from './extractability.ts'
import { AgentFault } from './fault.ts'
import { findKek, findMac, KEK_GENERATION_MAX, kekLabelOf, listKeks } from './objects.ts'
import type { AgentSettings } from './protocol.ts'
import { generateKek } from './provision-token.ts'
import type { Connection, TokenConnection } from './token.ts'

/** The KEK generations of one token. All of it may be repeated: what is done already is left as it is. */
export class Generations {
  readonly #cryptoki: Cryptoki
  readonly #settings: AgentSettings
  readonly #token: TokenConnection
  /** Tried once: it is the token's nature. */
  #extractability: KekReport['extractability'] | undefined

  constructor(cryptoki: Cryptoki, settings: AgentSettings, token: TokenConnection) {
    this.#cryptoki = cryptoki
    this.#settings = settings
    this.#token = token
  }

  /** @throws {AgentFault} KEY_MISSING, KEY_AMBIGUOUS, UNSUPPORTED */
  report(connection: Connection): KekReport {
    const { label: token, serial: tokenSerial } = connection.token
    const keks = listKeks(connection.work, this.#settings.kekLabel).map(({ generation, id }) => ({ generation, id }))
    // Of a token that has vanished the list is empty, and what seals is known from before.
    if (keks.length === 0) findKek(connection.work, this.#settings.kekLabel)
    const { profile, mechanism } = this.#token.sealing(connection).choice
    this.#extractability ??= this.#tryExtraction(connection)
    return { token, tokenSerial, keks, profile: profile.name, mechanism, extractability: this.#extractability }
  }

  /**
   * Makes the KEK of `generation` beside an older one. Never the first: a token without any has lost it, and that is not repaired here.
   *
   * @throws {AgentFault} KEY_MISSING, UNSUPPORTED.
   */
  make(connection: Connection, generation: number): void {
    const { kekLabel, kekId } = this.#settings
    const present = listKeks(connection.work, kekLabel)
    const newest = present.at(-1)?.generation
    if (newest === undefined)
      throw new AgentFault('KEY_MISSING', `the token holds no KEK "${kekLabel}", and only provisioning makes a first one`, {
        label: kekLabel,
      })
    if (!Number.isInteger(generation) || generation < 2 || generation > KEK_GENERATION_MAX)
      throw new AgentFault('UNSUPPORTED', `a KEK generation is 2 to ${KEK_GENERATION_MAX}`)
    if (kekId !== undefined)
      throw new AgentFault('UNSUPPORTED', 'the settings name a KEK by its id, which no rotation can keep: remove kek.id')
    if (newest > generation) throw new AgentFault('UNSUPPORTED', `the token holds KEK generation ${newest} already`, { newest })
    if (newest < generation) this.#writing(connection, (session) => this.#generate(connection, session, generation))
    connection.sealing = undefined
    this.#requireSealing(connection, newest < generation)
  }

  /** @throws {AgentFault} TOKEN_LOST; UNSUPPORTED when the token keeps it. */
  destroy(connection: Connection, kek: Kek): void {
    const isIt = (k: Kek) => k.id === kek.id && k.generation === kek.generation
    this.#writing(connection, (session) => {
      for (const found of listKeks(session, this.#settings.kekLabel).filter(isIt)) {
        const mac = findMac(session, found.label, found.id)
        // First: with the KEK still there, the next attempt finds what is left.
        if (mac !== undefined) session.destroyObject(mac)
        session.destroyObject(found.handle)
      }
    })
    connection.keks.delete(kek.id)
    if (connection.sealing?.id === kek.id) connection.sealing = undefined
    const isLeft = listKeks(connection.work, this.#settings.kekLabel).some(isIt)
    // A token that has vanished shows no KEK either, and will bring this one back.
    this.#token.requirePresent(connection)
    if (isLeft)
      throw new AgentFault('UNSUPPORTED', `the token keeps KEK generation ${kek.generation}: delete it with the tool of its vendor`)
  }

  /** Tries what seals from now on. @param made - whether it is ours to take away again. */
  #requireSealing(connection: Connection, made: boolean): void {
    try {
      this.#token.sealing(connection)
    } catch (error) {
      const kek = connection.sealing
      if (made && kek !== undefined && error instanceof AgentFault && error.code === 'UNSUPPORTED') this.destroy(connection, kek)
      throw error
    }
  }

  #generate({ token }: Connection, session: Session, generation: number): void {
    const label = kekLabelOf(this.#settings.kekLabel, generation)
    let made: readonly Handle[]
    try {
      made = generateKek({ cryptoki: this.#cryptoki, settings: this.#settings, token, session }, label)
    } catch (error) {
      if (!(error instanceof AgentFault) || error.code !== 'UNSUPPORTED') throw error
      throw new AgentFault(
        'UNSUPPORTED',
        `the token makes no KEK over PKCS#11: make "${label}", and "${label}-mac" with the same id, with the tool of its vendor, then rotate again (${error.message})`,
        { label },
      )
    }
    try {
      // Found again, as every later connection will find it, and not extractable.
      findKek(session, this.#settings.kekLabel)
    } catch (error) {
      for (const handle of made) session.destroyObject(handle)
      throw error
    }
  }

  #writing(connection: Connection, act: (session: Session) => void): void {
    const session = this.#cryptoki.openSession(connection.token.slot, 'write')
    try {
      act(session)
    } finally {
      session.close()
    }
  }

  #tryExtraction({ token }: Connection): KekReport['extractability'] {
    const attempts = new Attempts(this.#cryptoki, token)
    const keeper = this.#cryptoki.openSession(token.slot, 'read')
    try {
      return tryExtraction(attempts, keeper, this.#cryptoki.mechanisms(token.slot)).extractability
    } finally {
      keeper.close()
    }
  }
}
