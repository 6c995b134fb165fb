import {
  type Clock,
  type ClusterLock,
  ConclaveError,
  ConfigError,
  clusterContext,
  identitiesOf,
  type Journal,
  lockHash,
  type Member,
  type NodeMember,
  type PartyId,
  sameIdentity,
  toHex,
} from '@conclave/core'
import type { Policy } from '@conclave/policy'
import type { Logger, Transport } from '@conclave/transport'
import { type KeyVault, type RecordShelf, shelfOf } from '@conclave/vault'
import { decode, Frame, type NodeStatus, type Request, type Response } from '@conclave/wire'
import { Calls } from './calls.ts'
import { Certificates } from './certificates.ts'
import { EpochKeeper } from './epoch-keeper.ts'
import { HsmAdmin, refuseOldRecords } from './hsm-admin.ts'
import { KeyAdmin } from './key-admin.ts'
import { KeyMaker } from './key-maker.ts'
import { logJournal } from './log-journal.ts'
import { NodeAdmin } from './node-admin.ts'
import { StatusReport } from './node-status.ts'
import { Outbox } from './outbox.ts'
import { PairKeeper } from './pair-keeper.ts'
import { CorrelationPool } from './pool/correlation-pool.ts'
import type { WaterMarks } from './pool/refill.ts'
import type { ProcessMeter } from './process-meter.ts'
import { RequestDesk } from './request-desk.ts'
import { SessionHub } from './sessions/session-hub.ts'
import type { SessionPool } from './sessions/session-pool.ts'
import { Signer } from './signer.ts'
import { KeyLives } from './store/key-lives.ts'
import { KeyStore, type NodeScope } from './store/key-store.ts'
import { LockStore } from './store/lock-store.ts'
import { PairStore } from './store/pair-store.ts'
import { RequestStore } from './store/request-store.ts'
import type { Store } from './store/store.ts'

const GOSSIP_EVERY_MS = 15_000

/** Everything that a node is made of; the daemon passes real parts, tests pass the memory twins. */
export interface NodeParts {
  readonly lock: ClusterLock
  readonly name: string
  readonly vault: KeyVault
  readonly transport: Transport
  readonly store: Store
  readonly pool: SessionPool
  readonly policy: Policy
  readonly clock: Clock
  readonly meter: ProcessMeter
  readonly log: Logger
  readonly maxConcurrent: number
  readonly silenceTimeoutMs: number
  /** Of the correlation pool. */
  readonly waterMarks: WaterMarks
  readonly abandonedKeys?: readonly string[]
  /** Sealed records outside the store: what is on no shelf is lost at the next rotation of the KEK. */
  readonly shelves?: readonly RecordShelf[]
  /** New keys sign nothing before their operator activates them. */
  readonly explicitActivation?: boolean
  /** Default: the node's log. */
  readonly journal?: Journal
}

interface Stores {
  readonly keys: KeyStore
  readonly pairs: PairStore
  readonly lives: KeyLives
}

/**
 * An approver node: answers the coordinators of its lock, runs sessions with the other nodes, keeps its share sealed.
 *
 * Nothing that a peer sends makes it throw: what is malformed is dropped and counted, what is refused is answered with a code.
 */
export class ApproverNode {
  /** What the operator of this node may ask of it. */
  readonly admin: NodeAdmin
  readonly #p: NodeParts
  readonly #hub: SessionHub
  readonly #calls: Calls
  readonly #certificates: Certificates
  readonly #epochs: EpochKeeper
  readonly #pairKeeper: PairKeeper
  readonly #correlations: CorrelationPool
  readonly #keyMaker: KeyMaker
  readonly #signer: Signer
  readonly #desk: RequestDesk
  readonly #report: StatusReport
  #malformed = 0
  #stopped = false
  #stopGossip: () => void = () => undefined

  private constructor(parts: NodeParts, self: NodeMember, scope: NodeScope, { keys, pairs, lives }: Stores) {
    this.#p = parts
    const { clock, log, vault, pool, lock, transport } = parts
    const journal = parts.journal ?? logJournal(log)
    const seed = () => vault.random(32)
    const outbox = new Outbox({ lock, transport, log })
    this.#hub = new SessionHub({
      self: self.index,
      pool,
      clock,
      silenceTimeoutMs: parts.silenceTimeoutMs,
      seed,
      send: (to, session) => outbox.send(to, { session }),
      sendEnd: (to, end) => outbox.send(to, { end }),
      idle: () => this.#correlations.stir(),
    })
    this.#calls = new Calls(clock, (to, request) => outbox.sendOrThrow(to, { request }))
    this.#pairKeeper = new PairKeeper({
      self: self.index,
      scope,
      store: pairs,
      hub: this.#hub,
      ...{ calls: this.#calls, clock, log },
      isLinkUp: (peer) => outbox.isUp(peer),
      nonce: seed,
      changed: (peer) => this.#correlations.pairChanged(peer),
    })
    this.#correlations = new CorrelationPool({
      ...{ self: self.index, marks: parts.waterMarks, pairs, pairKeeper: this.#pairKeeper, hub: this.#hub, calls: this.#calls, clock, log },
      nonce: seed,
      isSigning: () => this.#signer.isSigning,
    })
    this.#certificates = new Certificates({ scope, keys, calls: this.#calls })
    const epochs = new EpochKeeper({
      ...{ self: self.index, keys, lives, journal, clock, log, certificates: this.#certificates, identity: vault.identity },
      gossip: (to, gossip) => outbox.send(to, { gossip }),
      peersUp: () => outbox.peersUp(),
    })
    this.#epochs = epochs
    this.#keyMaker = new KeyMaker({
      ...{ self: self.index, lock, scope, keys, lives, journal, epochs, certificates: this.#certificates, clock, log },
      ...{ pairs: this.#pairKeeper, hub: this.#hub, identity: vault.identity },
    })
    this.#signer = new Signer({
      ...{ self: self.index, scope, keys, lives, epochs, pairs, clock, log, policy: parts.policy, maxConcurrent: parts.maxConcurrent },
      ...{ pairKeeper: this.#pairKeeper, correlations: this.#correlations, hub: this.#hub },
      requests: new RequestStore(parts.store),
      seed,
    })
    const shown = { self, lock, vault, keys, lives, epochs, pairs, pairKeeper: this.#pairKeeper, correlations: this.#correlations }
    this.#report = new StatusReport({ ...shown, transport, meter: parts.meter })
    const hsm = new HsmAdmin({ vault, journal, shelf: shelfOf([keys.shelf(), pairs.shelf(), ...(parts.shelves ?? [])]) })
    const key = new KeyAdmin({ scope, keys, lives, vault, hsm, clock, journal })
    this.admin = new NodeAdmin({ ...shown, hsm, key, journal, isLinkUp: (peer) => outbox.isUp(peer) })
    this.#desk = new RequestDesk({
      log,
      handle: (from, request) => this.#handle(from, request),
      send: (to, frame) => transport.send(to, frame),
    })
  }

  /**
   * Adopts the lock, opens the stores and joins the cluster. Nothing is done under a new lock before it is on the disk.
   *
   * @throws {ConfigError} NOT_A_MEMBER, WRONG_IDENTITY, and what {@link LockStore.adopt} throws; {VaultError} KEK_DESTROYED; {StoreError};
   * {TransportError}.
   */
  static async start(parts: NodeParts): Promise<ApproverNode> {
    const { lock, name, store, vault } = parts
    const self = lock.nodes.find((n) => n.name === name)
    if (self === undefined) throw new ConfigError('NOT_A_MEMBER', `"${name}" is not a node of the cluster lock`)
    if (!sameIdentity(self.identity, vault.identity.key))
      throw new ConfigError('WRONG_IDENTITY', `the identity key is not that of ${name} in the cluster lock`)
    const locks = await LockStore.open(store)
    const adopted = await locks.adopt(lock, parts.abandonedKeys)
    if (adopted !== 'same') parts.log.info({ version: lock.version, hash: toHex(lockHash(lock)) }, 'cluster lock adopted')
    const scope: NodeScope = {
      clusterId: lock.clusterId,
      nodeName: name,
      clusterContext: clusterContext(lock),
      identities: identitiesOf(lock),
      peerIds: new Map(lock.nodes.map((n) => [n.index, n.peerId])),
      lockOf: (context) => locks.lockOf(context),
      locks: [...locks.older, lock],
    }
    const lives = await KeyLives.open(store)
    const keys = await KeyStore.open(store, vault, scope, {
      requireShares: (keyId) => lives.requireShares(keyId),
      first: (keyId) => (parts.explicitActivation === true ? lives.provisioned(keyId, parts.clock.nowMs()) : undefined),
    })
    const pairs = await PairStore.open(store, vault, scope)
    await refuseOldRecords(vault, shelfOf([keys.shelf(), pairs.shelf()]))
    const node = new ApproverNode(parts, self, scope, { keys, pairs, lives })
    try {
      await node.#join()
    } catch (error) {
      // The parts stay the caller's, but a transport that half started would keep the process.
      node.#stopGossip()
      node.#pairKeeper.close()
      node.#correlations.close()
      parts.meter.stop()
      await parts.transport.stop()
      throw error
    }
    return node
  }

  /** What this node says of itself. */
  status(): Promise<NodeStatus> {
    return this.#report.status()
  }

  /** Sets the pairs with `peers` up anew, under a name of 32 bytes; see {@link PairKeeper.renew}. */
  renewPairs(peers: readonly PartyId[], name: Uint8Array, timeoutMs: number): Promise<void> {
    return this.#pairKeeper.renew(peers, name, timeoutMs)
  }

  /** Ends every session and link; the shares stay sealed on the disk. Safe to call twice. */
  async stop(): Promise<void> {
    const { transport, pool, store, vault, meter } = this.#p
    this.#stopped = true
    this.#stopGossip()
    this.#pairKeeper.close()
    this.#correlations.close()
    meter.stop()
    // What fails to close must not keep the rest open.
    const failures: unknown[] = []
    for (const part of [() => transport.stop(), () => pool.close(), () => store.close(), () => vault.close()]) {
      await part().catch((error: unknown) => failures.push(error))
    }
    if (failures.length > 0) throw failures[0]
  }

  async #join(): Promise<void> {
    await this.#epochs.resume()
    this.#p.meter.start()
    await this.#p.transport.start({
      frame: (from, bytes) => this.#heard(from, bytes),
      linkUp: (member) => {
        if (member.kind !== 'node') return
        this.#pairKeeper.linkUp(member.index)
        this.#epochs.greet(member.index)
      },
      linkDown: (member, reason) => {
        if (member.kind !== 'node') return
        this.#pairKeeper.linkDown(member.index)
        this.#calls.peerLost(member.index)
        this.#hub.stopWith(member.index, 'PEER_LOST', `the link to party ${member.index} went down (${reason})`)
      },
    })
    this.#gossipLater()
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
    else if (from.kind !== 'node') this.#p.log.warn({ from: from.name }, 'a coordinator sent what only nodes may send: dropped')
    else if ('session' in body) this.#hub.receive(from.index, body.session)
    else if ('end' in body) this.#hub.peerEnded(from.index, body.end)
    else if ('response' in body) this.#calls.answered(from.index, body.response)
    else this.#epochs.heard(from.index, body.gossip).catch((error: unknown) => this.#p.log.error({ err: error }, 'key gossip failed'))
  }

  async #handle(from: Member, { body }: Request): Promise<Response['body']> {
    if (from.kind === 'node') {
      if ('pairOffer' in body) return { pairAccept: await this.#pairKeeper.answer(from.index, body.pairOffer) }
      if ('correlateOffer' in body) return { correlateAccept: await this.#correlations.answer(from.index, body.correlateOffer) }
      if ('certificate' in body) return { certificate: this.#certificates.answer(body.certificate) }
      throw new ConclaveError('NOT_ALLOWED', 'only a coordinator may ask this')
    }
    if ('status' in body) return { status: await this.#report.status() }
    if ('createKey' in body) return { keyCreated: await this.#keyMaker.create(body.createKey, from.name) }
    if ('renewKey' in body) return { keyCreated: await this.#keyMaker.renew(body.renewKey, from.name) }
    if ('propose' in body) return { verdict: await this.#signer.propose(body.propose) }
    if ('sign' in body) return { signed: await this.#signer.sign(body.sign) }
    throw new ConclaveError('NOT_ALLOWED', 'only a node may ask this')
  }
}
