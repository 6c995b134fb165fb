import type { IdentityKey, PartyId } from '@conclave/core'
import type { EcdsaSignature, Outgoing, SignRequest } from '@conclave/mpc'
import type { Attestation, KeyPublic } from '@conclave/wire'
import type { StockEntry } from '../pool/shelf.ts'

/** One protocol run, as it crosses to a worker thread. Buffers with secrets are transferred, not copied. */
export type Job = DealJob | PairJob | CorrelateJob | SignJob

export interface DealJob {
  readonly kind: 'deal'
  readonly self: PartyId
  readonly parties: readonly PartyId[]
  readonly threshold: number
  readonly epoch: number
  readonly clusterContext: Uint8Array
  readonly keyId: string
  readonly nonce: Uint8Array
  readonly identities: ReadonlyMap<PartyId, IdentityKey>
  readonly dealing: DealSource
}

/** Where new shares come from; `previous` is an encoded KeyPublic whose certificate has been verified. */
export type DealSource =
  | { readonly kind: 'create' }
  | { readonly kind: 'refresh'; readonly previous: Uint8Array; readonly share: OpenedRecord }
  | {
      readonly kind: 'reshare'
      readonly previous: Uint8Array
      readonly dealers: readonly PartyId[]
      /** Of the dealers only. */
      readonly share?: OpenedRecord | undefined
    }

export interface PairJob {
  readonly kind: 'pair'
  readonly self: PartyId
  readonly peer: PartyId
  readonly clusterContext: Uint8Array
  readonly pairEpoch: number
  readonly nonce: Uint8Array
}

/** A public record and the opened secret that belongs to it. */
export interface OpenedRecord {
  readonly public: Uint8Array
  readonly secret: Uint8Array
}

export interface SignJob {
  readonly kind: 'sign'
  readonly self: PartyId
  readonly clusterContext: Uint8Array
  readonly share: OpenedRecord
  readonly pairs: ReadonlyMap<PartyId, OpenedRecord>
  readonly request: SignRequest
  /** For higher peers, and no longer in the stock. */
  readonly offers: ReadonlyMap<PartyId, readonly StockEntry[]>
  /** Lower peers of whom an offer is expected. */
  readonly stocked: ReadonlySet<PartyId>
}

/** Makes correlations ahead of need. */
export interface CorrelateJob {
  readonly kind: 'correlate'
  readonly self: PartyId
  readonly peer: PartyId
  readonly pair: OpenedRecord
  readonly nonce: Uint8Array
  readonly count: number
}

/** Signatures of one session that counts as short. */
export const SHORT_ITEMS_MAX = 2

/**
 * Whether no step of it takes longer than about a millisecond, as far as one can know beforehand: a signing of few items for which there are
 * correlations with every peer. A peer that does not hold what it is offered makes its steps longer, by what so few items need.
 */
export function isShort(job: Job): boolean {
  if (job.kind !== 'sign' || job.request.items.length > SHORT_ITEMS_MAX) return false
  return job.request.signers.every((j) => j === job.self || job.offers.has(j) || job.stocked.has(j))
}

export interface JobResults {
  readonly deal: { readonly public: KeyPublic; readonly attestations: readonly Attestation[] }
  /** `secret` is the pair state's secret half, now the receiver's to seal and wipe. */
  readonly pair: OpenedRecord
  /** The secrets are the receiver's. */
  readonly correlate: readonly StockEntry[]
  /** By item of the request. */
  readonly sign: readonly EcdsaSignature[]
}

/** Every buffer of a job that must not stay behind where it has been. */
export function secretsOf(job: Job): readonly Uint8Array[] {
  switch (job.kind) {
    case 'deal':
      return job.dealing.kind === 'create' || job.dealing.share === undefined ? [] : [job.dealing.share.secret]
    case 'pair':
      return []
    case 'correlate':
      return [job.pair.secret]
    case 'sign':
      return [job.share.secret, ...[...job.pairs.values()].map((p) => p.secret), ...secretsIn(job.offers)]
  }
}

/** The secrets of entries, by peer. */
export const secretsIn = (entries: ReadonlyMap<PartyId, readonly StockEntry[]>): readonly Uint8Array[] =>
  [...entries.values()].flatMap((of) => of.map((entry) => entry.secret))

export type ResultOf<J extends Job> = JobResults[J['kind']]

/** An error on its way between threads: everything that a person or a caller needs, nothing secret. */
export interface PlainError {
  readonly code: string
  readonly message: string
  readonly retriable: boolean
  readonly check: string | undefined
  readonly culprits: readonly PartyId[]
}

export type ToWorker =
  | { readonly type: 'start'; readonly id: string; readonly job: Job; readonly seed: Uint8Array }
  | { readonly type: 'receive'; readonly id: string; readonly from: PartyId; readonly round: number; readonly body: Uint8Array }
  | { readonly type: 'attested'; readonly id: string; readonly signature: Uint8Array }
  | { readonly type: 'taken'; readonly id: string; readonly found: ReadonlyMap<PartyId, readonly StockEntry[]> }
  | { readonly type: 'abort'; readonly id: string }

export type FromWorker =
  | { readonly type: 'send'; readonly id: string; readonly messages: readonly Outgoing[] }
  | { readonly type: 'waiting'; readonly id: string; readonly round: number; readonly peers: readonly PartyId[] }
  | { readonly type: 'attest'; readonly id: string; readonly hash: Uint8Array; readonly share: OpenedRecord }
  /** Names that lower peers offered: to be taken out of the stock. */
  | { readonly type: 'take'; readonly id: string; readonly names: ReadonlyMap<PartyId, readonly Uint8Array[]> }
  | { readonly type: 'done'; readonly id: string; readonly result: JobResults[keyof JobResults] }
  | { readonly type: 'failed'; readonly id: string; readonly error: PlainError }
  /** The answer to `abort` of a session that had not ended by itself. */
  | { readonly type: 'stopped'; readonly id: string }
