import { ConclaveError, InvalidArgument, type PartyId } from '@conclave/core'
import { decode } from '@conclave/wire'
import type { Attest, Effect, Outgoing, Protocol, Received, Round } from './protocol.ts'

export interface SessionOptions<T> {
  readonly self: PartyId
  readonly peers: readonly PartyId[]
  readonly rounds: readonly Round[]
  readonly protocol: Protocol<T>
}

export type SessionState = 'idle' | 'running' | 'attesting' | 'done' | 'aborted'

/** Why a message was not taken. None of these aborts a run or blames anybody (section 6). */
export type DropReason = 'unknown-party' | 'unknown-round' | 'duplicate' | 'malformed' | 'not-running'

const NOTHING: Received = new Map()

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
  readonly #inbox = new Map<number, Map<PartyId, Uint8Array>>()
  readonly #protocol: Protocol<T>
  #state: SessionState = 'idle'
  #collecting: number | undefined
  #from: readonly PartyId[]
  #attest: Attest | undefined
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
    try {
      decode(declared.message, body)
    } catch {
      // Only WireError comes out of decode; a malformed body leaves the slot free for a well-formed one.
      return refuse('malformed')
    }
    slots.set(from, Uint8Array.from(body))
    return this.#state === 'running' && this.#collecting === round && this.waitingFor.length === 0 ? this.#advance(this.#take(round)) : []
  }

  /** The node identity has signed `attest.hash` and `attest.pending` is on disk. */
  attested(signature: Uint8Array): readonly Outgoing[] {
    if (this.#state !== 'attesting') throw new ConclaveError('ASSERTION', 'nothing to attest')
    this.#state = 'running'
    this.#attest = undefined
    return this.#advance(new Map([[this.self, signature]]))
  }

  /** Ends the run from outside; every `using` and `finally` of the protocol has run when this returns. */
  abort(error: ConclaveError): void {
    if (this.#state === 'done' || this.#state === 'aborted') return
    this.#fail(error)
    this.#protocol.return(undefined as never)
  }

  /** The full round, in the order of parties whatever the order of arrival: a run must not depend on it. */
  #take(round: number): Received {
    const slots = this.#inbox.get(round) as Map<PartyId, Uint8Array>
    this.#collecting = undefined
    return new Map(this.#from.map((j) => [j, slots.get(j) as Uint8Array]))
  }

  /** Some bodies hold secrets: subshares, seeds. */
  #wipeInbox(): void {
    for (const slots of this.#inbox.values()) for (const body of slots.values()) body.fill(0)
    this.#inbox.clear()
  }

  #fail(error: unknown): void {
    this.#state = 'aborted'
    this.#collecting = undefined
    this.#attest = undefined
    this.#error =
      error instanceof ConclaveError ? error : new ConclaveError('INTERNAL', 'a protocol run failed on our side', { cause: error })
    this.#wipeInbox()
  }

  #advance(input: Received): readonly Outgoing[] {
    const out: Outgoing[] = []
    for (let received = input; ; ) {
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
      } else {
        this.#collecting = effect.collect
        this.#from = effect.from ?? this.peers
        if (this.waitingFor.length > 0) return out
        received = this.#take(effect.collect)
      }
    }
  }
}
