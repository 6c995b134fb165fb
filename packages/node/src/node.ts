import { codeOf, type Journal, lockHash, type Member, type NodeMember, type PartyId, toHex } from '@conclave/core'
import type { Readiness } from '@conclave/telemetry'
import { decode, Frame, type NodeStatus } from '@conclave/wire'
import { memberOf } from './adopt-lock.ts'
import type { ApprovalDesk } from './approvals/approval-desk.ts'
import { NodeAudit } from './audit/node-audit.ts'
import { noteEvent } from './audit/note-event.ts'
import { BackupKeeper } from './backup/backup-keeper.ts'
import { Calls } from './calls.ts'
import { Certificates } from './certificates.ts'
import { HsmDrills } from './drill/hsm-drill.ts'
import { EpochKeeper } from './epoch-keeper.ts'
import type { FreezeKeeper } from './freeze/freeze-keeper.ts'
import { recordHsmEvents } from './hsm-journal.ts'
import { KeyMaker } from './key-maker.ts'
import type { ClockGuard } from './ledger/clock-guard.ts'
import type { NodeAdmin } from './node-admin.ts'
import { type NodeFront, nodeFront } from './node-front.ts'
import type { NodeParts } from './node-parts.ts'
import { VERSION } from './node-status.ts'
import { type NodeStores, openStores } from './node-stores.ts'
import { Outbox } from './outbox.ts'
import { PairKeeper } from './pair-keeper.ts'
import type { PolicyKeeper } from './policies/policy-keeper.ts'
import type { PolicyTrials } from './policies/policy-trials.ts'
import { CorrelationPool } from './pool/correlation-pool.ts'
import type { ReceiptDesk } from './receipts/receipt-desk.ts'
import { RequestDesk } from './request-desk.ts'
import { answerRequest } from './request-routes.ts'
import { requestSide } from './request-side.ts'
import { SessionHub } from './sessions/session-hub.ts'
import { Signer } from './signer.ts'

const GOSSIP_EVERY_MS = 15_000

/**
 * An approver node: answers the coordinators of its lock, runs sessions with the other nodes, keeps its share sealed.
 *
 * Nothing that a peer sends makes it throw: what is malformed is dropped and counted, what is refused is answered with a code.
 */
export class ApproverNode {
  /** What the operator of this node may ask of it. */
  readonly admin: NodeAdmin
  readonly backups: BackupKeeper
  readonly approvals: ApprovalDesk
  readonly freezes: FreezeKeeper
  readonly receipts: ReceiptDesk
  readonly policies: PolicyKeeper
  readonly trials: PolicyTrials
  /** Exercises with its HSMs. */
  readonly drills: HsmDrills
  readonly #p: NodeParts
  readonly #hub: SessionHub
  readonly #calls: Calls
  readonly #certificates: Certificates
  readonly #epochs: EpochKeeper
  readonly #pairKeeper: PairKeeper
  readonly #correlations: CorrelationPool
  readonly #signer: Signer
  readonly #desk: RequestDesk
  readonly #journal: Journal
  readonly #audit: NodeAudit
  readonly #clockGuard: ClockGuard
  readonly #front: NodeFront
  #malformed = 0
  #stopped = false
  #stopGossip: () => void = () => undefined
  #stopHsmEvents: () => void = () => undefined

  private constructor(parts: NodeParts, self: NodeMember, stores: NodeStores) {
    const { scope, keys, pairs, shelf, marks, lives, journal } = stores
    this.#p = parts
    this.#journal = journal
    const { clock, log, vault, pool, lock, transport } = parts
    const seed = () => vault.random(32)
    const outbox = new Outbox({ lock, transport, log })
    const isLinkUp = (peer: PartyId) => outbox.isUp(peer)
    this.#hub = new SessionHub({
      ...{ self: self.index, pool, clock, silenceTimeoutMs: parts.silenceTimeoutMs, seed },
      send: (to, session) => outbox.send(to, { session }),
      sendEnd: (to, end) => outbox.send(to, { end }),
      idle: () => this.#correlations.stir(),
      ended: (kind, ms, code) => parts.metrics?.session(kind, ms, code),
    })
    this.#calls = new Calls(clock, (to, request) => outbox.sendOrThrow(to, { request }))
    this.#audit = new NodeAudit({
      ...{ self, lock, locks: scope.locks, store: parts.store, signer: vault.checkpointSigner },
      ...{ journal, outbox, calls: this.#calls, clock, log, own: parts.audit },
    })
    this.#pairKeeper = new PairKeeper({
      ...{ self: self.index, scope, store: pairs, hub: this.#hub, calls: this.#calls, clock, log },
      ...{ isLinkUp, nonce: seed },
      changed: (peer) => this.#correlations.pairChanged(peer),
    })
    this.#correlations = new CorrelationPool({
      ...{ self: self.index, marks: parts.waterMarks, pairs, pairKeeper: this.#pairKeeper, hub: this.#hub, calls: this.#calls },
      ...{ clock, log, journal, nonce: seed },
      isSigning: () => this.#signer.isSigning,
      isLeaving: () => this.#front.leaving.hasBegun,
    })
    this.#certificates = new Certificates({ scope, keys, calls: this.#calls })
    const epochs = new EpochKeeper({
      ...{ self: self.index, keys, lives, journal, clock, log, certificates: this.#certificates, identity: vault.identity },
      gossip: (to, gossip) => outbox.send(to, { gossip }),
      peersUp: () => outbox.peersUp(),
    })
    this.#epochs = epochs
    const keyMaker = new KeyMaker({
      ...{ self: self.index, lock, scope, keys, lives, journal, epochs, certificates: this.#certificates, clock, log },
      ...{ pairs: this.#pairKeeper, hub: this.#hub, identity: vault.identity },
    })
    const [frozen, stale] = [() => this.#signer.stopFrozen(), () => this.#signer.stopStale()]
    const sideParts = { self: self.index, parts, stores, outbox, calls: this.#calls, journal, gate: this.#audit.gate, frozen, stale }
    const { requests, proposals, approvals, freezes, policies, trials, clockGuard, reports, receipts } = requestSide(sideParts)
    ;[this.approvals, this.freezes, this.policies, this.trials, this.receipts] = [approvals, freezes, policies, trials, receipts]
    this.#clockGuard = clockGuard
    this.#signer = new Signer({
      ...{ self: self.index, scope, keys, lives, epochs, pairs, clock, log, requests, proposals },
      ...{ pairKeeper: this.#pairKeeper, correlations: this.#correlations, hub: this.#hub },
      ...{ maxConcurrent: parts.maxConcurrent, journal, gate: this.#audit.gate, seed },
      leaving: () => this.#front.leaving.refusal(),
      signed: (signature) => this.drills.signed(signature),
    })
    this.drills = new HsmDrills({ self, lock, vault, keys, shelf, journal, clock, log })
    this.backups = new BackupKeeper({ ...parts, self, scope, marks, keys, epochs, pairs, journal, certificates: this.#certificates })
    this.#front = nodeFront({
      ...{ parts, self, scope, keys, lives, epochs, pairs, shelf, journal, keyMaker, isLinkUp },
      ...{ backups: this.backups, audit: this.#audit, reports, certificates: this.#certificates },
      ...{ pairKeeper: this.#pairKeeper, correlations: this.#correlations, signer: this.#signer, approvals, proposals, freezes },
      ...{ ledger: stores.ledger, clockGuard, policies, policyBook: stores.policies, hub: this.#hub, receipts },
    })
    const { admin, routes } = this.#front
    this.admin = admin
    const send = (to: Member, frame: Uint8Array) => transport.send(to, frame)
    this.#desk = new RequestDesk({ log, send, handle: (from, request) => answerRequest(routes, from, request) })
  }

  /**
   * Adopts the lock, opens the stores and joins the cluster. Nothing is done under a new lock before it is on the disk.
   *
   * @throws {ConfigError} NOT_A_MEMBER, WRONG_IDENTITY, and what `adoptLock` throws; {VaultError} KEK_DESTROYED; {StoreError};
   * {TransportError}.
   */
  static async start(parts: NodeParts): Promise<ApproverNode> {
    const { lock, name, vault } = parts
    const self = memberOf(lock, name, vault.identity.key)
    const node = new ApproverNode(parts, self, await openStores(parts))
    try {
      await node.#join()
    } catch (error) {
      // The parts stay the caller's, but a transport that half started would keep the process.
      node.#halt()
      await Promise.allSettled([node.#audit.stop(), node.drills.close(), parts.transport.stop()])
      throw error
    }
    return node
  }

  /** What this node says of itself. */
  status(): Promise<NodeStatus> {
    return this.#front.report.status()
  }

  /** Whether this node takes part in signatures now. */
  readiness(): Promise<Readiness> {
    return this.#front.measured.readiness()
  }

  /** Tells everybody that this node leaves; resolves when what is in hand is finished, at the latest after `withinMs`. */
  async drain(withinMs: number): Promise<void> {
    if (this.#front.leaving.hasBegun || this.#stopped) return
    await noteEvent(this.#journal, this.#p.log, { kind: 'node.draining', details: { withinMs } })
    await this.#front.leaving.run(withinMs)
  }

  /** Sets the pairs with `peers` up anew, under a name of 32 bytes; see {@link PairKeeper.renew}. */
  renewPairs(peers: readonly PartyId[], name: Uint8Array, timeoutMs: number): Promise<void> {
    return this.#pairKeeper.renew(peers, name, timeoutMs)
  }

  /** Ends every session and link; the shares stay sealed on the disk. Safe to call twice. */
  async stop(): Promise<void> {
    const { transport, pool, store, vault, log } = this.#p
    const isAgain = this.#stopped
    this.#stopped = true
    this.#halt()
    if (!isAgain) await noteEvent(this.#journal, log, { kind: 'node.stopped', details: {} })
    await this.#audit.stop()
    // What fails to close must not keep the rest open.
    const failures: unknown[] = []
    for (const part of [() => this.drills.close(), () => transport.stop(), () => pool.close(), () => store.close(), () => vault.close()]) {
      await part().catch((error: unknown) => failures.push(error))
    }
    if (failures.length > 0) throw failures[0]
  }

  /** Nothing begins here any more. */
  #halt(): void {
    this.#stopGossip()
    this.#stopHsmEvents()
    this.#pairKeeper.close()
    this.#correlations.close()
    this.#clockGuard.stop()
    this.receipts.stop()
    this.policies.close()
    this.#front.measured.stop()
    this.#p.meter.stop()
  }

  async #join(): Promise<void> {
    const { vault, log, lock } = this.#p
    const { sequence, hash } = this.policies.status().inForce
    const details = {
      version: VERSION,
      lockVersion: lock.version,
      lockHash: toHex(lockHash(lock)),
      policySequence: sequence,
      policyHash: hash,
    }
    await noteEvent(this.#journal, log, { kind: 'node.started', details })
    this.#stopHsmEvents = await recordHsmEvents({ vault, journal: this.#journal, log })
    await this.#audit.start()
    await this.#epochs.resume()
    await this.backups.announce()
    this.#p.meter.start()
    await this.#p.transport.start({
      frame: (from, bytes) => this.#heard(from, bytes),
      linkUp: (member) => {
        if (member.kind !== 'node') return
        this.policies.greet(member.index)
        this.freezes.greet(member.index)
        this.#audit.linkUp(member.index)
        this.#pairKeeper.linkUp(member.index)
        this.#epochs.greet(member.index)
        this.approvals.greet(member.index)
      },
      linkDown: (member, reason) => {
        if (member.kind !== 'node') return
        this.#pairKeeper.linkDown(member.index)
        this.#calls.peerLost(member.index)
        this.#hub.stopWith(member.index, 'PEER_LOST', `the link to party ${member.index} went down (${reason})`)
      },
      unproved: (member) => this.#unproved(member),
    })
    this.#clockGuard.start()
    this.receipts.start()
    this.#gossipLater()
  }

  /** It has happened: that it cannot be written down changes nothing in it. */
  #unproved({ name, peerId }: Member): void {
    const event = { kind: 'identity.unproved', details: { member: name, peerId } }
    this.#journal
      .record(event)
      .catch((error: unknown) => this.#p.log.error({ ...event.details, code: codeOf(error) }, 'event not recorded'))
  }

  #gossipLater(): void {
    if (this.#stopped) return
    this.#stopGossip = this.#p.clock.after(GOSSIP_EVERY_MS, () => {
      this.#epochs.remind()
      this.#gossipLater()
    })
  }

  #heard(from: Member, bytes: Uint8Array): void {
    let frame: Frame
    try {
      frame = decode(Frame, bytes)
    } catch {
      // Only WireError: section 6 says dropped and counted, no blame.
      this.#malformed++
      this.#p.log.warn({ from: from.name, malformed: this.#malformed }, 'malformed frame dropped')
      return
    }
    const { body } = frame
    if ('request' in body) void this.#desk.answer(from, body.request)
    else if ('leaving' in body) this.#p.log.info({ from: from.name }, 'a member is leaving')
    else if (from.kind !== 'node') this.#p.log.warn({ from: from.name }, 'a coordinator sent what only nodes may send: dropped')
    else if ('session' in body) this.#hub.receive(from.index, body.session)
    else if ('end' in body) this.#hub.peerEnded(from.index, body.end)
    else if ('response' in body) this.#calls.answered(from.index, body.response)
    else if ('policies' in body) this.policies.heard(from.index, body.policies)
    else if ('freezes' in body) this.freezes.heard(from.index, body.freezes)
    else if ('approvals' in body) void this.approvals.heard(from.index, body.approvals)
    else this.#epochs.heard(from.index, body.gossip).catch((error: unknown) => this.#p.log.error({ err: error }, 'key gossip failed'))
  }
}
