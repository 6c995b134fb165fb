import { type Clock, type ClusterLock, ConclaveError, codeOf, equalBytes, fromHex, type Journal, type PartyId, toHex } from '@conclave/core'
import { type Approver, openSignedPolicy, type Policy, policyHash, preparePolicy, type SignedPolicy } from '@conclave/policy'
import type { Logger } from '@conclave/transport'
import type { PolicyGossip } from '@conclave/wire'
import { noteEvent } from '../audit/note-event.ts'
import type { PolicyInForce } from './in-force.ts'
import type { PolicyBook } from './policy-book.ts'

/** After a policy could not be written down. */
const RETRY_MS = 1_000

export interface PolicyKeeperOptions {
  readonly lock: ClusterLock
  readonly book: PolicyBook
  readonly clock: Clock
  readonly log: Logger
  readonly journal: Journal
  gossip(peer: PartyId, gossip: PolicyGossip): void
  peersUp(): readonly PartyId[]
  /** What runs under the policy of before ends, now. */
  stale(): void
  /** Another policy is in force. */
  switched(): void
}

/** Which policy is where; sequence 0 is that of a cluster whose authors have signed none. Hashes are hex. */
export interface PolicyWordOf {
  readonly sequence: number
  readonly hash: string
}

export interface AdminPolicy {
  readonly inForce: PolicyWordOf & { readonly rules: number; readonly signedBy: readonly string[]; readonly since: string | null }
  /** `authors`, or `file` where the lock names none. */
  readonly from: 'authors' | 'file'
  readonly authors: { readonly required: number; readonly names: readonly string[] } | null
  /** Signed and known, and not in force yet. */
  readonly waiting: PolicyWordOf | null
  /** Another policy of the sequence in force, which authors have signed, too. */
  readonly fork: PolicyWordOf | null
  /** Hash and rules of this node's own overlay. */
  readonly overlay: { readonly hash: string; readonly rules: number } | null
  /** As each peer said last. */
  readonly peers: readonly (PolicyWordOf & { readonly name: string; readonly isLinkUp: boolean })[]
}

interface Coming {
  readonly signed: SignedPolicy
  readonly policy: Policy
}

const wordOf = ({ sequence, policyHash }: SignedPolicy): PolicyWordOf => ({ sequence, hash: toHex(policyHash) })

/**
 * Takes up policies that the authors have signed, from whoever brings them, and passes them on.
 *
 * From the turn on in which a newer policy is heard, nothing is signed under the one before; it is in force when it is on the disk. A node
 * that has taken one up says so on every link before anything else, so nobody makes a signature with it under an older one.
 */
export class PolicyKeeper {
  readonly #o: PolicyKeeperOptions
  readonly #clusterId: Uint8Array
  readonly #peers = new Map<PartyId, PolicyWordOf>()
  #coming: Coming | undefined
  #adopting: Promise<void> | undefined
  #cancelRetry: () => void = () => undefined
  #closed = false

  constructor(options: PolicyKeeperOptions) {
    this.#o = options
    this.#clusterId = fromHex(options.lock.clusterId)
  }

  /** Why nothing is signed for now; undefined when the newest policy that this node has heard of is in force. */
  refusal(): ConclaveError | undefined {
    if (this.#coming === undefined) return undefined
    const { sequence } = this.#coming.signed
    return new ConclaveError('POLICY_STALE', `policy ${sequence} is being taken up`, { retriable: true })
  }

  /**
   * Takes up a policy; in force here when it resolves, and on its way to the peers.
   *
   * @returns whether it is new.
   * @throws {ConclaveError} NO_POLICY_AUTHORS, POLICY_ROLLED_BACK, POLICY_FORKED, POLICY_NOT_STORED (retriable), what
   * `openSignedPolicy` throws.
   */
  async submit(signed: SignedPolicy): Promise<boolean> {
    const isNew = this.#take(signed)
    await this.#adopting
    const waiting = this.#coming?.signed.sequence
    if (waiting !== undefined && waiting >= signed.sequence)
      throw new ConclaveError('POLICY_NOT_STORED', 'the policy holds, but could not be written down yet; it is tried again', {
        retriable: true,
      })
    return isNew
  }

  /** Has to be said before anything that a session says on that link. */
  greet(peer: PartyId): void {
    this.#o.gossip(peer, this.#said())
  }

  /** In force here. */
  get present(): PolicyInForce {
    return this.#o.book.present
  }

  /** From this turn on nothing is signed under an older policy than the peer has shown. */
  heard(peer: PartyId, { sequence, hash, policies }: PolicyGossip): void {
    this.#peers.set(peer, { sequence, hash: toHex(hash) })
    for (const signed of policies) {
      try {
        this.#take(signed)
      } catch (error) {
        const code = codeOf(error)
        const details = { peer, sequence: signed.sequence, code }
        // A peer that lags behind is told; that is all.
        if (code !== 'POLICY_ROLLED_BACK' && code !== 'NO_POLICY_AUTHORS') this.#o.log.warn(details, 'policy of a peer not taken')
      }
    }
  }

  /** Of the policy in force, and of the one that is on its way to that. */
  approvers(): readonly Approver[] {
    return [...(this.#coming?.policy.approvers ?? []), ...(this.#o.book.present.policy.approvers ?? [])]
  }

  status(): AdminPolicy {
    const { book, lock } = this.#o
    const { policy, overlay } = book.present
    const { newest, fork } = book
    const up = this.#o.peersUp()
    const signedBy = book.hasAuthors ? (newest?.signatures.map((s) => s.author) ?? []) : []
    const since = book.hasAuthors && book.sinceMs !== undefined ? new Date(book.sinceMs).toISOString() : null
    return {
      inForce: { ...this.#inForce(), rules: policy.rules.length, signedBy, since },
      from: book.hasAuthors ? 'authors' : 'file',
      authors: lock.authors === undefined ? null : { required: lock.authors.required, names: lock.authors.keys.map((a) => a.name) },
      waiting: this.#coming === undefined ? null : wordOf(this.#coming.signed),
      fork: fork === undefined || fork.sequence !== newest?.sequence ? null : wordOf(fork),
      overlay: overlay === undefined ? null : { hash: toHex(policyHash(overlay)), rules: overlay.rules.length },
      peers: lock.nodes.flatMap(({ index, name }) => {
        const word = this.#peers.get(index)
        return word === undefined ? [] : [{ name, ...word, isLinkUp: up.includes(index) }]
      }),
    }
  }

  /** The newest signed file, in Base64; null where there is none. */
  text(): { readonly text: string | null } {
    const { newest } = this.#o.book
    return { text: newest === undefined ? null : Buffer.from(newest.text).toString('base64') }
  }

  close(): void {
    this.#closed = true
    this.#cancelRetry()
  }

  /** The newest that this node knows, in force or on its way to that. */
  get #newest(): SignedPolicy | undefined {
    return this.#coming?.signed ?? this.#o.book.newest
  }

  #said(): PolicyGossip {
    const { book } = this.#o
    const newest = book.hasAuthors ? this.#newest : undefined
    return { sequence: this.#inForce().sequence, hash: book.present.hash, policies: newest === undefined ? [] : [newest] }
  }

  #inForce(): PolicyWordOf {
    const { book } = this.#o
    const { policy, hash } = book.present
    return { sequence: book.hasAuthors ? (book.newest?.sequence ?? 0) : policy.sequence, hash: toHex(hash) }
  }

  /** @returns whether it is new. */
  #take(signed: SignedPolicy): boolean {
    const { authors } = this.#o.lock
    if (authors === undefined) throw new ConclaveError('NO_POLICY_AUTHORS', 'the cluster lock names no policy authors')
    const newest = this.#newest
    if (newest?.sequence === signed.sequence && equalBytes(newest.policyHash, signed.policyHash)) return false
    if (newest !== undefined && signed.sequence < newest.sequence)
      throw new ConclaveError(
        'POLICY_ROLLED_BACK',
        `policy ${signed.sequence} is older than policy ${newest.sequence}, which this node knows`,
      )
    const policy = openSignedPolicy(signed, { clusterId: this.#clusterId, authors })
    // What the engine cannot read is in force nowhere.
    preparePolicy(policy)
    if (newest?.sequence === signed.sequence) throw this.#forked(signed, newest)
    this.#coming = { signed, policy }
    this.#o.stale()
    for (const peer of this.#o.peersUp()) this.greet(peer)
    this.#adopting ??= this.#adopt().finally(() => {
      this.#adopting = undefined
    })
    return true
  }

  #forked(signed: SignedPolicy, newest: SignedPolicy): ConclaveError {
    const { book, journal, log, clock } = this.#o
    const { sequence } = signed
    if (book.fork === undefined || book.fork.sequence !== sequence || !equalBytes(book.fork.policyHash, signed.policyHash)) {
      const details = {
        sequence,
        inForce: toHex(newest.policyHash),
        other: toHex(signed.policyHash),
        signedBy: signed.signatures.map((s) => s.author),
      }
      log.error(details, 'the authors have signed two policies of one sequence')
      void noteEvent(journal, log, { kind: 'policy.forked', details })
      book.keepFork(signed, clock.nowMs()).catch((error: unknown) => log.error({ err: error }, 'a forked policy could not be kept'))
    }
    return new ConclaveError('POLICY_FORKED', `another policy ${sequence} is known here: the authors have signed two`)
  }

  /** Never rejects: what cannot be written down is tried again, and nothing is signed meanwhile. */
  async #adopt(): Promise<void> {
    const { book, journal, log, clock } = this.#o
    while (this.#coming !== undefined && !this.#closed) {
      const { signed, policy } = this.#coming
      const details = { ...wordOf(signed), before: this.#inForce().sequence, signedBy: signed.signatures.map((s) => s.author) }
      try {
        await journal.record({ kind: 'policy.adopted', details })
        await book.adopt(signed, policy, clock.nowMs())
      } catch (error) {
        log.error({ ...details, err: error }, 'policy not written down')
        this.#cancelRetry()
        this.#cancelRetry = clock.after(RETRY_MS, () => {
          this.#adopting ??= this.#adopt().finally(() => {
            this.#adopting = undefined
          })
        })
        return
      }
      // A still newer one may have come meanwhile.
      if (this.#coming.signed === signed) this.#coming = undefined
      this.#o.switched()
      log.info(details, 'policy in force')
      for (const peer of this.#o.peersUp()) this.#o.gossip(peer, { ...this.#said(), policies: [] })
    }
  }
}
