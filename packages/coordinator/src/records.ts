import type { SummaryLine } from '@conclave/policy'
import type { NodeVerdict, Problem } from './problem.ts'
import type { TermsRecord } from './request-terms.ts'

/** Requests and operations that may be open at once; past it new ones are answered 429. */
export const OPEN_MAX = 10_000

export type OperationState = 'pending' | 'running' | 'succeeded' | 'failed'

export const OPERATION_KINDS = ['key.create', 'key.refresh', 'key.reshare'] as const
export type OperationKind = (typeof OPERATION_KINDS)[number]

/** Epochs that a renewal has asked the nodes for; on disk before anything is sent. */
export interface RenewalEpochs {
  readonly first: number
  readonly last: number
}

/** The creation or the renewal of a key. Times are milliseconds since the epoch, keys and hashes lower-case hex. */
export interface OperationRecord {
  readonly operationId: string
  /** Who may see it. */
  readonly tenant: string
  readonly kind: OperationKind
  readonly keyId: string
  /** The API key that asked, or `schedule`. */
  readonly requestedBy: string
  /** What the key is to have when the operation has succeeded, and so has `parties`. */
  readonly threshold: number
  readonly parties: readonly number[]
  readonly state: OperationState
  /** Null for a creation, and for a renewal that has sent nothing yet. */
  readonly epochs: RenewalEpochs | null
  readonly createdAtMs: number
  readonly endedAtMs: number | null
  readonly error: Problem | null
}

/** A key that enough nodes have confirmed; kept, so that it is known while nodes are down. */
export interface KeyRecord {
  readonly keyId: string
  readonly publicKey: string
  readonly chainCode: string
  readonly threshold: number
  readonly parties: readonly number[]
  readonly epoch: number
  readonly state: string
}

export type SigningState =
  | 'decoded'
  | 'pending_approval'
  | 'queued'
  | 'signing'
  | 'signed'
  | 'denied'
  | 'rejected'
  | 'expired'
  | 'failed'
  | 'cancelled'

export interface AttemptRecord {
  readonly attempt: number
  readonly signers: readonly number[]
  /** `interrupted`: the coordinator stopped before it knew. */
  readonly outcome: 'running' | 'signed' | 'failed' | 'interrupted'
  readonly code: string | null
  readonly culprits: readonly number[]
  readonly waitingFor: readonly number[]
  /** Signers that answered a failure and named nobody for it. */
  readonly refusedBy: readonly number[]
  readonly bytesOnWire: number
  readonly startedAtMs: number
  readonly endedAtMs: number | null
}

/** One digest of an item: whose signature is asked for. */
export interface DigestRecord {
  readonly derivationPath: string
  /** Of the child at that path: what the signature verifies under. */
  readonly publicKey: string
  readonly digest: string
}

/** One payload that is asked for. */
export interface SigningItem {
  readonly derivationPath: string
  /** Of the child at that path. */
  readonly publicKey: string
  readonly payload: { readonly type: string; readonly bytes: string }
  /** One, or those of the inputs of a PSBT, on the paths that it names. */
  readonly digests: readonly DigestRecord[]
  readonly summary: readonly SummaryLine[]
}

export interface DigestSignature {
  /** r || s. */
  readonly signature: string
  readonly recovery: number
}

export interface ItemResult {
  /** One for each digest, in their order. */
  readonly signatures: readonly DigestSignature[]
  /** 0x and the raw transaction, where the signatures are all that it needs. */
  readonly signedTransaction: string | null
  /** 0x and the PSBT with the signatures. */
  readonly signedPsbt: string | null
}

export interface SigningResult {
  /** One for each item, in their order. */
  readonly signatures: readonly ItemResult[]
  readonly signers: readonly number[]
}

export interface SigningRecord {
  readonly requestId: string
  /** Who may see it. */
  readonly tenant: string
  readonly keyId: string
  /** 1 to DIGESTS_MAX: all are signed or none. */
  readonly items: readonly SigningItem[]
  readonly requester: string
  readonly terms: TermsRecord
  readonly state: SigningState
  readonly cancelRequested: boolean
  readonly nodeVerdicts: readonly NodeVerdict[]
  /** Numbers only grow; each is stored before anything is sent under it. */
  readonly attempts: readonly AttemptRecord[]
  readonly result: SigningResult | null
  readonly error: Problem | null
  readonly createdAtMs: number
  readonly deadlineAtMs: number
  readonly endedAtMs: number | null
}

/** Every digest of a request, in the order in which they are signed. */
export function digestsOf({ items }: Pick<SigningRecord, 'items'>): readonly DigestRecord[] {
  return items.flatMap((item) => item.digests)
}

/** The answer that a repeated POST gets. */
export interface IdempotencyRecord {
  readonly bodyHash: string
  readonly status: number
  readonly body: unknown
}

export interface Page<R> {
  readonly items: readonly R[]
  readonly nextCursor: string | null
}

export function isOver(record: OperationRecord | SigningRecord): boolean {
  return record.endedAtMs !== null
}
