import { ConclaveError, InvalidArgument, type PartyId } from '@conclave/core'
import { decode } from '@conclave/wire'
import type { Answer, Attest, Effect, Entries, Heard, Names, Outgoing, Protocol, Round } from './protocol.ts'

export interface SessionOptions<T> {
  readonly self: PartyId
  readonly peers: readonly PartyId[]
  readonly rounds: readonly Round[]
  readonly protocol: Protocol<T>
}

export type SessionState = 'idle' | 'running' | 'attesting' | 'taking' | 'done' | 'aborted'

/** Why a message was not taken. None of these aborts a run or blames anybody (section 6). */
export type DropReason = 'unknown-party' | 'unknown-round' | 'duplicate' | 'malformed' | 'not-running'

const NOTHING: Answer = new Map()

/** One message of a round. */
interface Slot {
  /** In exact rounds. */
  readonly body: Uint8Array | undefined
  /** The decoded body, until the protocol has it. */
  value: unknown
}

/** Zeroes every byte string of a decoded message. */
function wipeValue(value: unknown): void {
  if (value instanceof Uint8Array) value.fill(0)
  else if (typeof value === 'object' && value !== null) for (const inner of Object.values(value)) wipeValue(inner)
}

/**
 * One run of a protocol at one party, as a state machine without I/O.
 *
 * The inbox has one slot per peer and declared round, so it is bounded; the first well-formed message wins. `receive` never throws
 * on input: a failed check shows as `state === 'aborted'` and `error`.
 */
export class Session<T> {
  readonly self: PartyId
  readonly peers: readonly PartyId[]
  readonly dropped: Record<DropReason, number> = { 'unknown-party': 0, 'unknown-round': 0, duplicate: 0, malformed: 0, 'not-running': 0 }
  readonly #rounds: ReadonlyMap<number, Round>
  readonly #inbox = new Map<number, Map<PartyId, Slot>>()
  readonly #protocol: Protocol<T>
  #state: SessionState = 'idle'
  #collecting: number | undefined
  #from: readonly PartyId[]
  #attest: Attest | undefined
  #take: Names | undefined
  #result: { readonly value: T } | undefined
  #error: ConclaveError | undefined

  constructor({ self, peers, rounds, protocol }: SessionOptions<T>) {
    if (peers.includes(self) || new Set(peers).size !== peers.length)
      throw new InvalidArgument('BAD_PARTY_SET', 'peers must be distinct and not oneself')
    this.self = self
    this.peers = peers
    this.#from = peers
    this.#rounds = new Map(rounds.map((r) => [r.number, r]))
    for (const r of rounds) this.#inbox.set(r.number, new Map())
    this.#protocol = protocol
  }

  get state(): SessionState {
    return this.#state
  }

  /** Peers whose message of the current round is missing and needed. */
  get waitingFor(): readonly PartyId[] {
    if (this.#collecting === undefined) return []
    const slots = this.#inbox.get(this.#collecting)
    return this.#from.filter((j) => !slots?.has(j))
  }

  get round(): number | undefined {
    return this.#collecting
  }

  /** What to store and sign, while `state` is `attesting`. */
  get attest(): Attest | undefined {
    return this.#attest
  }

  /** Which pool entries the run wants, while `state` is `taking`. */
  get take(): Names | undefined {
    return this.#take
  }

  /** @throws the error of the run, or SESSION_UNFINISHED. */
  get result(): T {
    if (this.#result !== undefined) return this.#result.value
    throw this.#error ?? new ConclaveError('SESSION_UNFINISHED', 'the session has not finished')
  }

  get error(): ConclaveError | undefined {
    return this.#error
  }

  start(): readonly Outgoing[] {
    if (this.#state !== 'idle') throw new ConclaveError('ASSERTION', 'a session starts once')
    this.#state = 'running'
    return this.#advance(NOTHING)
  }

  /** Takes one message of an authenticated peer; returns what is to be sent because of it. */
  receive(from: PartyId, round: number, body: Uint8Array): readonly Outgoing[] {
    const refuse = (reason: DropReason): readonly Outgoing[] => {
      this.dropped[reason]++
      return []
    }
    if (this.#state === 'done' || this.#state === 'aborted') return refuse('not-running')
    const slots = this.#inbox.get(round)
    const declared = this.#rounds.get(round)
    if (slots === undefined || declared === undefined) return refuse('unknown-round')
    if (!this.peers.includes(from)) return refuse('unknown-party')
    if (slots.has(from)) return refuse('duplicate')
    let value: unknown
    try {
      value = decode(declared.message, body)
    } catch {
      // Only WireError comes out of decode; a malformed body leaves the slot free for a well-formed one.
      return refuse('malformed')
    }
    slots.set(from, { body: declared.exact ? Uint8Array.from(body) : undefined, value })
    return this.#state === 'running' && this.#collecting === round && this.waitingFor.length === 0 ? this.#advance(this.#full(round)) : []
  }

  /** The node identity has signed `attest.hash` and `attest.pending` is on disk. */
  attested(signature: Uint8Array): readonly Outgoing[] {
    if (this.#state !== 'attesting') throw new ConclaveError('ASSERTION', 'nothing to attest')
    this.#state = 'running'
    this.#attest = undefined
    return this.#advance(new Map([[this.self, signature]]))
  }

  /**
   * Hands over the entries that `take` names and that were in stock: they have left it, and are wiped when the run ends or when nobody asked
   * for them. Peers that are missing have no such entries here.
   */
  taken(found: Entries): readonly Outgoing[] {
    if (this.#state !== 'taking') {
      for (const entries of found.values()) for (const e of entries) e.secret[Symbol.dispose]()
      throw new ConclaveError('ASSERTION', 'nothing to take')
    }
    this.#state = 'running'
    this.#take = undefined
    return this.#advance(found)
  }

  /** Ends the run from outside; every `using` and `finally` of the protocol has run when this returns. */
  abort(error: ConclaveError): void {
    if (this.#state === 'done' || this.#state === 'aborted') return
    this.#fail(error)
    this.#protocol.return(undefined as never)
  }

  /** The full round, in the order of parties whatever the order of arrival: a run must not depend on it. */
  #full(round: number): Heard {
    const slots = this.#inbox.get(round)
    this.#collecting = undefined
    const bodies = new Map<PartyId, Uint8Array>()
    const values = new Map<PartyId, unknown>()
    for (const j of this.#from) {
      const slot = slots?.get(j) as Slot
      if (slot.body !== undefined) bodies.set(j, slot.body)
      values.set(j, slot.value)
      // From here on it is the protocol's.
      slot.value = undefined
    }
    return { bodies, values }
  }

  /** Some bodies hold secrets: subshares, seeds. */
  #wipeInbox(): void {
    for (const slots of this.#inbox.values()) {
      for (const { body, value } of slots.values()) {
        body?.fill(0)
        wipeValue(value)
      }
    }
    this.#inbox.clear()
  }

  #fail(error: unknown): void {
    this.#state = 'aborted'
    this.#collecting = undefined
    this.#attest = undefined
    this.#take = undefined
    this.#error =
      error instanceof ConclaveError ? error : new ConclaveError('INTERNAL', 'a protocol run failed on our side', { cause: error })
    this.#wipeInbox()
  }

  #advance(input: Answer): readonly Outgoing[] {
    const out: Outgoing[] = []
    for (let received: Answer = input; ; ) {
      let result: IteratorResult<Effect, T>
      try {
        result = this.#protocol.next(received)
      } catch (error) {
        this.#fail(error)
        return out
      }
      if (result.done === true) {
        this.#state = 'done'
        this.#result = { value: result.value }
        this.#wipeInbox()
        return out
      }
      const effect = result.value
      received = NOTHING
      if ('send' in effect) {
        out.push(effect.send)
      } else if ('attest' in effect) {
        this.#state = 'attesting'
        this.#attest = effect.attest
        return out
      } else if ('take' in effect) {
        this.#state = 'taking'
        this.#take = effect.take
        return out
      } else {
        this.#collecting = effect.collect
        this.#from = effect.from ?? this.peers
        if (this.waitingFor.length > 0) return out
        received = this.#full(effect.collect)
      }
    }
  }
}
