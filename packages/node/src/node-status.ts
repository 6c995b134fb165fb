import { type Clock, type ClusterLock, type NodeMember, type PartyId, utf8 } from '@conclave/core'
import type { Transport } from '@conclave/transport'
import type { KeyVault, RecordShelf } from '@conclave/vault'
import { ERASURES_MAX, type NodeStatus } from '@conclave/wire'
import type { NodeAudit } from './audit/node-audit.ts'
import type { BackupKeeper } from './backup/backup-keeper.ts'
import type { EpochKeeper } from './epoch-keeper.ts'
import type { FreezeKeeper } from './freeze/freeze-keeper.ts'
import { hsmReport, hsmStatus } from './hsm-report.ts'
import type { PairKeeper } from './pair-keeper.ts'
import type { CorrelationPool } from './pool/correlation-pool.ts'
import type { ProcessMeter } from './process-meter.ts'
import type { KeyLives } from './store/key-lives.ts'
import type { KeyStore } from './store/key-store.ts'
import type { PairStore } from './store/pair-store.ts'

export const VERSION = '0.1.0'

export interface StatusParts {
  readonly self: NodeMember
  readonly lock: ClusterLock
  readonly vault: KeyVault
  readonly transport: Transport
  readonly keys: KeyStore
  readonly lives: KeyLives
  readonly epochs: EpochKeeper
  readonly pairs: PairStore
  readonly pairKeeper: PairKeeper
  readonly correlations: CorrelationPool
  readonly backups: BackupKeeper
  readonly meter: ProcessMeter
  readonly shelf: RecordShelf
  readonly audit: NodeAudit
  readonly clock: Clock
  /** Of the policy in force. */
  policySequence(): number
  readonly freezes: FreezeKeeper
}

const eight = (n: number): Uint8Array => {
  const out = new Uint8Array(8)
  new DataView(out.buffer).setBigUint64(0, BigInt(n))
  return out
}

/** What a node says of itself. */
export class StatusReport {
  readonly #p: StatusParts

  constructor(parts: StatusParts) {
    this.#p = parts
  }

  async status(): Promise<NodeStatus> {
    const { self, lock, transport, keys, lives, epochs, correlations, meter, backups, audit, policySequence, freezes } = this.#p
    const links = transport.links()
    const hsms = await hsmReport(this.#p)
    return {
      index: self.index,
      name: self.name,
      version: VERSION,
      keys: keys.active().map((k) => ({
        keyId: k.keyId,
        epoch: k.epoch,
        publicKey: k.publicKey,
        threshold: k.threshold,
        parties: k.parties,
        state: epochs.isStale(k.keyId) ? 'stale' : 'active',
        prepared: keys.prepared(k.keyId) ?? k.epoch,
        chainCode: k.chainCode,
        backedUp: backups.lastOf(k.keyId) !== null,
        backupEpoch: backups.lastOf(k.keyId)?.epoch ?? 0,
        phase: lives.of(k.keyId).phase,
      })),
      pairs: othersOf(lock.nodes, self.index).map((peer) => this.#pair(peer)),
      hsmOk: hsms.some((h) => h.ok),
      hsms: hsms.map(hsmStatus),
      sent: eight(links.reduce((sum, l) => sum + l.bytesSent, 0)),
      received: eight(links.reduce((sum, l) => sum + l.bytesReceived, 0)),
      ...meter.read(),
      pool: correlations.metrics(),
      erasures: lives
        .erasures()
        .slice(-ERASURES_MAX)
        .map((e) => utf8(JSON.stringify(e))),
      auditCode: audit.signingCode,
      ...this.#logHead(),
      freezes: freezes.list().filter((f) => f.isActive).length,
      policySequence: policySequence(),
      // Last: whoever asks compares it with the moment of the answer.
      clock: eight(Math.round(this.#p.clock.nowMs())),
    }
  }

  #logHead(): Pick<NodeStatus, 'auditEntries' | 'checkpointEntries' | 'cosigners'> {
    const { size = 0, checkpoint } = this.#p.audit.state() ?? {}
    return { auditEntries: size, checkpointEntries: checkpoint?.size ?? 0, cosigners: checkpoint?.cosigners.length ?? 0 }
  }

  #pair(peer: PartyId): NodeStatus['pairs'][number] {
    const { pairs, pairKeeper, correlations } = this.#p
    const state = pairKeeper.stateOf(peer)
    const current = pairs.current(peer)
    const pairId = state === 'ready' && current !== undefined ? current.id : new Uint8Array(0)
    const [code, stock] = [pairs.burned(peer)?.code ?? '', correlations.stockOf(peer)]
    return { peer, pairEpoch: current?.pairEpoch ?? 0, state, pairId, code, stock }
  }
}

/** Parties other than `self`, in order. */
export const othersOf = (nodes: readonly NodeMember[], self: PartyId): readonly PartyId[] =>
  nodes.map((n) => n.index).filter((j) => j !== self)
