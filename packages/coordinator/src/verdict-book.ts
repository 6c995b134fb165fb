import { type Clock, codeOf, messageOf, type PartyId, TransportError, toHex } from '@conclave/core'
import type { Span } from '@conclave/telemetry'
import type { Propose, Verdict } from '@conclave/wire'
import type { Logger } from 'pino'
import type { ClusterView } from './cluster-view.ts'
import { type NodeCalls, NodeFailure, safeCode } from './node-calls.ts'
import type { NodeVerdict } from './problem.ts'
import { Pulse, waitForAny } from './wait.ts'

/** Once enough nodes allow, how long the slower ones are waited for. */
export const VERDICT_GRACE_MS = 250
const VERDICT_TIMEOUT_MS = 10_000
const RETRY_MS = 1000
/** How often nodes that wait for people are asked at least. */
const PEOPLE_MS_MAX = 15_000
/** Half of what a node answers at once: the rest is for the requests that sign. */
const OPEN_CALLS_MAX = 128

export interface VerdictBookOptions {
  readonly view: ClusterView
  readonly calls: NodeCalls
  readonly clock: Clock
  readonly logger: Logger
  /** Of the request. */
  readonly span: Span
  readonly propose: Propose
  /** As this coordinator decoded them, in the order of the items. */
  readonly digests: readonly string[]
  /** As it is now: a reshare changes it. */
  committee(): { readonly parties: readonly PartyId[]; readonly threshold: number }
  /** From before a restart: they count as denials, but nobody signs on them. */
  readonly known: readonly NodeVerdict[]
}

/** The code of a node that waits for people. */
export const PENDING = 'PENDING_APPROVAL'

interface Entry {
  /** Hex, of its statement. */
  statement: string
  verdict: NodeVerdict | undefined
  /** Of the link that the verdict came over. */
  generation: number
  asking: boolean
  notBeforeMs: number
}

/** What each party of the key says to one request. */
export class VerdictBook {
  readonly #options: VerdictBookOptions
  readonly #entries = new Map<PartyId, Entry>()
  readonly #answered = new Pulse()
  #graceEndsMs: number | undefined

  constructor(options: VerdictBookOptions) {
    this.#options = options
  }

  verdicts(): readonly NodeVerdict[] {
    return this.#parties.map((party) => this.#entry(party).verdict).filter((v) => v !== undefined)
  }

  /** Connected nodes that have allowed the request over their present link; of those that made different statements of it, the most. */
  allowing(): readonly PartyId[] {
    const able = this.#parties.filter((p) => this.#isCurrent(p) && this.#entry(p).verdict?.allowed === true)
    const groups = Map.groupBy(able, (p) => this.#entry(p).statement)
    return [...groups.values()].reduce((a, b) => (b.length > a.length ? b : a), [])
  }

  /** Whether so many parties deny that fewer than the threshold could ever allow. */
  isDenied(): boolean {
    const denials = this.verdicts().filter((v) => !v.allowed && v.code !== PENDING).length
    const { parties, threshold } = this.#options.committee()
    return parties.length - denials < threshold
  }

  /** Whether it lacks nothing but approvals: with those, enough parties would allow. */
  isPending(): boolean {
    return !this.isDenied() && this.verdicts().some((v) => v.code === PENDING)
  }

  /** Whether an approver's no is among the denials. */
  isRejected(): boolean {
    return this.verdicts().some((v) => v.code === 'REJECTED')
  }

  /** What a party says now; undefined while it has said nothing. */
  verdictOf(party: PartyId): NodeVerdict | undefined {
    return this.#entry(party).verdict
  }

  /** The node has to be asked again before it signs, for example because it says that it does not know the request. */
  forget(party: PartyId): void {
    this.#entry(party).generation = -1
  }

  /**
   * Sends the proposal to those of `parties` that have not answered it, before this returns, and waits for nobody. One that has begun to
   * leave gets it too: the attempt is on its way, and a node ends what was on its way to it.
   */
  propose(parties: readonly PartyId[], signal: AbortSignal): void {
    const { view } = this.#options
    for (const party of parties) {
      const isAsked = this.#entry(party).asking
      if (this.#isDue(party) || (view.isLeaving(party) && !isAsked)) void this.#ask(party, signal)
    }
  }

  /** Asks every connected party that has not answered yet; resolves when all have, or enough allow and the slow ones had their time. */
  async gather(signal: AbortSignal): Promise<void> {
    const { clock, committee } = this.#options
    for (const party of this.#parties) if (this.#isDue(party)) void this.#ask(party, signal)
    while (!signal.aborted && [...this.#entries.values()].some((e) => e.asking)) {
      const enough = this.allowing().length >= committee().threshold
      if (enough) this.#graceEndsMs ??= clock.nowMs() + VERDICT_GRACE_MS
      const leftMs = enough ? (this.#graceEndsMs as number) - clock.nowMs() : VERDICT_TIMEOUT_MS
      if (leftMs <= 0) return
      await waitForAny({ clock, signal, ms: leftMs, pulses: [this.#answered] })
    }
  }

  /** Until an approval is heard of, or may have been given at a node: the longer it takes, the less often that is asked. */
  async waitForPeople({ sinceMs, signal, pulse }: { sinceMs: number; signal: AbortSignal; pulse: Pulse }): Promise<void> {
    const { clock } = this.#options
    const ms = Math.min(PEOPLE_MS_MAX, Math.max(RETRY_MS, (clock.nowMs() - sinceMs) / 10))
    await waitForAny({ clock, signal, ms, pulses: [pulse] })
    for (const party of this.#parties) if (this.#entry(party).verdict?.code === PENDING) this.forget(party)
  }

  get #parties(): readonly PartyId[] {
    return this.#options.committee().parties
  }

  #entry(party: PartyId): Entry {
    const found = this.#entries.get(party)
    if (found !== undefined) return found
    const verdict = this.#options.known.find((v) => v.node === party)
    const entry: Entry = { statement: '', verdict, generation: -1, asking: false, notBeforeMs: 0 }
    this.#entries.set(party, entry)
    return entry
  }

  #isCurrent(party: PartyId): boolean {
    const { view } = this.#options
    return view.isUp(party) && this.#entry(party).generation === view.generation(party)
  }

  #isDue(party: PartyId): boolean {
    const { view, calls, clock } = this.#options
    const entry = this.#entry(party)
    if (entry.asking || !view.isUp(party) || this.#isCurrent(party)) return false
    return clock.nowMs() >= entry.notBeforeMs && calls.openTowards(view.node(party)) < OPEN_CALLS_MAX
  }

  async #ask(party: PartyId, signal: AbortSignal): Promise<void> {
    const { view, calls, clock, logger, propose, span } = this.#options
    const entry = this.#entry(party)
    const node = view.node(party)
    const generation = view.generation(party)
    const part = span.child(`propose ${node.name}`)
    let code: string | undefined
    entry.asking = true
    try {
      const answer = await calls.call(node, { propose }, 'verdict', { timeoutMs: VERDICT_TIMEOUT_MS, signal, span: part })
      entry.verdict = this.#judge(party, answer)
      entry.statement = toHex(answer.statement)
      entry.generation = generation
    } catch (error) {
      code = codeOf(error)
      entry.notBeforeMs = clock.nowMs() + RETRY_MS
      logger.info({ node: node.name, code, reason: messageOf(error) }, 'no verdict')
      if (error instanceof NodeFailure && !error.retriable) {
        // It answered, and says that asking again will not help: for this request that is a no.
        entry.verdict = { node: party, allowed: false, code: error.code, reason: error.message, rule: '' }
        entry.generation = generation
      }
    } finally {
      part.end(code ?? (entry.verdict?.allowed === false ? entry.verdict.code : undefined))
      entry.asking = false
      this.#answered.fire()
    }
  }

  #judge(party: PartyId, { requestId, allowed, code, reason, rule, digests }: Verdict): NodeVerdict {
    if (toHex(requestId) !== toHex(this.#options.propose.requestId)) {
      throw new TransportError('BAD_ANSWER', 'the verdict is about another request', { retriable: true })
    }
    if (allowed && digests.map(toHex).join() !== this.#options.digests.join()) {
      return { node: party, allowed: false, code: 'DIGEST_MISMATCH', reason: 'the node derived another digest from the payload', rule }
    }
    return { node: party, allowed, code: safeCode(code), reason, rule }
  }
}
