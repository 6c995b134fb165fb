import { type Clock, type ClusterLock, type NodeMember, nodeOf, type PartyId } from '@conclave/core'
import type { Transport } from '@conclave/transport'
import type { HsmHealth, KeyVault } from '@conclave/vault'
import type { NodeAudit } from '../audit/node-audit.ts'
import type { BackupKeeper } from '../backup/backup-keeper.ts'
import { unbackedKeys } from '../backup/unbacked.ts'
import type { EpochKeeper } from '../epoch-keeper.ts'
import type { FreezeKeeper } from '../freeze/freeze-keeper.ts'
import type { ClockGuard } from '../ledger/clock-guard.ts'
import type { SpendingLedger } from '../ledger/spending-ledger.ts'
import { othersOf } from '../node-status.ts'
import type { PairKeeper } from '../pair-keeper.ts'
import type { CorrelationPool } from '../pool/correlation-pool.ts'
import type { SessionHub } from '../sessions/session-hub.ts'
import type { KeyLives } from '../store/key-lives.ts'
import type { KeyStore } from '../store/key-store.ts'
import type { NodeMetrics, Sample } from './node-metrics.ts'

const HSM_STATES = ['up', 'down', 'refused', 'out'] as const

export interface GaugeSources {
  readonly self: NodeMember
  readonly lock: ClusterLock
  readonly clock: Clock
  readonly vault: KeyVault
  readonly transport: Transport
  readonly keys: KeyStore
  readonly lives: KeyLives
  readonly epochs: EpochKeeper
  readonly pairKeeper: PairKeeper
  readonly correlations: CorrelationPool
  readonly backups: BackupKeeper
  readonly audit: NodeAudit
  readonly freezes: FreezeKeeper
  readonly ledger: SpendingLedger
  readonly clockGuard: ClockGuard
  readonly hub: SessionHub
  policySequence(): number
  isDraining(): boolean
}

const one = (value: number | undefined): readonly Sample[] => (value === undefined ? [] : [{ labels: {}, value }])
const flag = (value: boolean): readonly Sample[] => one(value ? 1 : 0)

/** Adds everything that is read when somebody asks for it. */
export function addGauges(metrics: NodeMetrics, sources: GaugeSources): void {
  addLinkGauges(metrics, sources)
  addPoolGauges(metrics, sources)
  addHsmGauges(metrics, sources)
  addLogGauges(metrics, sources)
  addKeyGauges(metrics, sources)
  addRuleGauges(metrics, sources)
}

function addLinkGauges(metrics: NodeMetrics, { transport, isDraining, hub }: GaugeSources): void {
  metrics.gauge('conclave_node_draining', '1 from the moment on at which the node was told to stop.', [], () => flag(isDraining()))
  metrics.gauge('conclave_node_sessions_running', 'Protocol sessions under way.', [], () => one(hub.running))
  metrics.gauge('conclave_node_link_up', '1 while the link to that member of the cluster lock is up.', ['member'], () =>
    transport.links().map(({ member, up }) => ({ labels: { member: member.name }, value: up ? 1 : 0 })),
  )
  metrics.gauge('conclave_node_link_round_trip_seconds', 'Of the last ping to that member.', ['member'], () =>
    transport
      .links()
      .flatMap(({ member, up, roundTripMs }) =>
        up && roundTripMs !== undefined ? [{ labels: { member: member.name }, value: roundTripMs / 1000 }] : [],
      ),
  )
}

function addPoolGauges(metrics: NodeMetrics, { self, lock, pairKeeper, correlations }: GaugeSources): void {
  const eachPeer = (read: (peer: PartyId) => number): readonly Sample[] =>
    othersOf(lock.nodes, self.index).map((peer) => ({ labels: { peer: nodeOf(lock, peer)?.name ?? '' }, value: read(peer) }))
  metrics.gauge('conclave_node_pair_ready', '1 while the pair state with that node is ready.', ['peer'], () =>
    eachPeer((peer) => (pairKeeper.stateOf(peer) === 'ready' ? 1 : 0)),
  )
  metrics.gauge('conclave_node_pair_burned', '1 while this node bans that one.', ['peer'], () =>
    eachPeer((peer) => (pairKeeper.stateOf(peer) === 'burned' ? 1 : 0)),
  )
  metrics.gauge('conclave_node_pool_stock', 'Correlations with that node that are ready for signing.', ['peer'], () =>
    eachPeer((peer) => correlations.stockOf(peer)),
  )
  metrics.counter('conclave_node_pool_made_total', 'Correlations with that node that were put into the stock.', ['peer'], () =>
    eachPeer((peer) => correlations.turnoverOf(peer).made),
  )
  metrics.counter('conclave_node_pool_used_total', 'Correlations with that node that a signature has taken.', ['peer'], () =>
    eachPeer((peer) => correlations.turnoverOf(peer).used),
  )
  metrics.counter(
    'conclave_node_pool_events_total',
    'What else has become of correlations and refills, all peers together.',
    ['event'],
    () => {
      const { made: _made, used: _used, ...events } = correlations.metrics()
      return Object.entries(events).map(([event, value]) => ({ labels: { event }, value }))
    },
  )
}

function addHsmGauges(metrics: NodeMetrics, { vault }: GaugeSources): void {
  // The gauges of one scrape ask at once: each HSM answers one question then.
  let asking: Promise<readonly HsmHealth[]> | undefined
  const health = (): Promise<readonly HsmHealth[]> => {
    asking ??= vault.health().finally(() => {
      asking = undefined
    })
    return asking
  }
  const eachHsm = async (read: (hsm: HsmHealth) => number | undefined): Promise<readonly Sample[]> =>
    (await health()).flatMap((hsm) => {
      const value = read(hsm)
      return value === undefined ? [] : [{ labels: { hsm: hsm.name }, value }]
    })
  metrics.gauge('conclave_node_hsm_state', '1 for the state that the HSM is in.', ['hsm', 'state'], async () =>
    (await health()).flatMap(({ name, state }) =>
      HSM_STATES.map((known) => ({ labels: { hsm: name, state: known }, value: known === state ? 1 : 0 })),
    ),
  )
  metrics.gauge('conclave_node_hsm_latency_seconds', 'Median of the last answers of the HSM.', ['hsm'], () =>
    eachHsm(({ latencyMs }) => (latencyMs === undefined ? undefined : latencyMs / 1000)),
  )
  metrics.counter('conclave_node_hsm_operations_total', 'Requests that the HSM has answered.', ['hsm'], () => eachHsm((h) => h.operations))
  metrics.counter('conclave_node_hsm_failures_total', 'Requests that the HSM has failed.', ['hsm'], () => eachHsm((h) => h.failures))
  metrics.counter('conclave_node_hsm_missed_seals_total', 'Records that were sealed without the HSM.', ['hsm'], () =>
    eachHsm((h) => h.missedSeals),
  )
}

function addLogGauges(metrics: NodeMetrics, { audit, lock, clock }: GaugeSources): void {
  const others = lock.nodes.length - 1
  metrics.gauge('conclave_node_audit_entries', 'Entries of the audit log.', [], () => one(audit.state()?.size))
  metrics.gauge('conclave_node_audit_checkpoint_entries', 'Entries that the last checkpoint covers.', [], () =>
    one(audit.state()?.checkpoint?.size),
  )
  metrics.gauge(
    'conclave_node_audit_checkpoint_age_seconds',
    'Since the last checkpoint was signed; none before the first since the start.',
    [],
    () => {
      const at = audit.state()?.signedAt ?? null
      return one(at === null ? undefined : Math.max(0, clock.nowMs() - Date.parse(at)) / 1000)
    },
  )
  metrics.gauge('conclave_node_audit_cosignatures_missing', 'Other nodes that have not cosigned the last checkpoint.', [], () => {
    const state = audit.state()
    return one(state === undefined ? undefined : others - (state.checkpoint?.cosigners.length ?? 0))
  })
  metrics.gauge('conclave_node_audit_blocked', '1 while the audit log keeps the node from signing.', [], () =>
    flag(audit.signingCode !== ''),
  )
}

function addKeyGauges(metrics: NodeMetrics, { keys, lives, epochs, backups, clock }: GaugeSources): void {
  const present = () => keys.active().filter(({ keyId }) => !epochs.isStale(keyId))
  metrics.gauge('conclave_node_keys', 'Keys of which the node holds a share, by what its operator has made of them.', ['phase'], () => {
    const groups = Map.groupBy(keys.active(), ({ keyId }) => lives.of(keyId).phase)
    return [...groups].map(([phase, list]) => ({ labels: { phase }, value: list.length }))
  })
  metrics.gauge('conclave_node_keys_stale', 'Keys of which the share was replaced while the node was away.', [], () =>
    one(keys.active().filter(({ keyId }) => epochs.isStale(keyId)).length),
  )
  metrics.gauge('conclave_node_keys_unbacked', 'Keys whose present epoch is in no backup of this node.', [], () =>
    one(unbackedKeys(present().map(({ keyId, epoch }) => ({ keyId, epoch, state: 'active', lastBackup: backups.lastOf(keyId) }))).length),
  )
  metrics.gauge('conclave_node_backup_age_seconds', 'Of the oldest among the last backups of every key; none without a backup.', [], () => {
    const times = present().flatMap(({ keyId }) => backups.lastOf(keyId)?.at ?? [])
    return one(times.length === 0 ? undefined : Math.max(...times.map((at) => clock.nowMs() - Date.parse(at))) / 1000)
  })
}

function addRuleGauges(metrics: NodeMetrics, { policySequence, ledger, freezes, clockGuard, lock }: GaugeSources): void {
  metrics.gauge('conclave_node_policy_sequence', 'Of the policy in force.', [], () => one(policySequence()))
  metrics.gauge('conclave_node_ledger_requests', 'Requests that the spending ledger counts.', [], () => one(ledger.size))
  metrics.gauge('conclave_node_freezes', 'Freezes in effect.', [], () => one(freezes.list().filter((f) => f.isActive).length))
  metrics.gauge('conclave_node_clock_sure', '1 while the time that rules go by is sure.', [], () => flag(clockGuard.nowMs() !== undefined))
  metrics.gauge(
    'conclave_node_clock_offset_seconds',
    'How far the clock of that node was ahead of this one, when it was last asked.',
    ['peer'],
    () => clockGuard.offsets().map(({ peer, offsetMs }) => ({ labels: { peer: nodeOf(lock, peer)?.name ?? '' }, value: offsetMs / 1000 })),
  )
}
