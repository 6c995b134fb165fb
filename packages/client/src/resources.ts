import type { SignedTerms } from './approval-resources.ts'
import type { NodeStanding } from './node-standing.ts'
import type { NodeVerdict, Problem } from './problem.ts'

export interface CreateKey {
  readonly keyId: string
  /** Default: that of the cluster lock. */
  readonly quorum?: { readonly required: number; readonly of: number }
}

/** In the network of the coordinator's settings. */
export interface BitcoinAddresses {
  readonly p2pkh: string
  readonly p2shP2wpkh: string
  readonly p2wpkh: string
}

export interface Key {
  readonly keyId: string
  /** 33 bytes, hex. */
  readonly publicKey: string
  /** 32 bytes, hex. */
  readonly chainCode: string
  /** BIP32, with this key as the root: derive addresses from it offline. */
  readonly xpub: string
  /** EIP-55. */
  readonly address: string
  readonly bitcoin: BitcoinAddresses
  readonly threshold: number
  readonly parties: readonly number[]
  /** Of each node; below `epoch`, or null, its share is in no backup. */
  readonly backups: readonly { readonly node: number; readonly lastBackupEpoch: number | null }[]
  readonly epoch: number
  readonly state: string
  /** Nodes whose operators have made something else of it than active: provisioned, suspended, archived, destroyed. */
  readonly phases: readonly { readonly node: number; readonly phase: string }[]
  /** Nodes that have proved that they erased their shares; null while none has. */
  readonly erasure: {
    readonly erasedBy: readonly number[]
    readonly sharesLeftMax: number
    /** Fewer shares than a signature needs can still exist, backups aside. */
    readonly belowThreshold: boolean
  } | null
  /** Null without a schedule. */
  readonly refreshEveryDays: number | null
  /** When the present epoch was first seen: by creation, refresh or reshare. */
  readonly refreshedAt: string | null
  readonly nextRefreshAt: string | null
}

/** For whom a key is reshared: the nodes of the present cluster lock. */
export interface ReshareKey {
  readonly keyId: string
  /** Default: that of the cluster lock. */
  readonly quorum?: { readonly required: number }
}

/** A child of a key. */
export interface DerivedKey {
  /** e.g. `m/0/5`. */
  readonly path: string
  /** 33 bytes, hex. */
  readonly publicKey: string
  /** EIP-55. */
  readonly address: string
  readonly bitcoin: BitcoinAddresses
}

export interface DerivedRange {
  /** Whose children are wanted. Default `m`. */
  readonly prefix?: string
  /** The first index. Default 0. */
  readonly from?: number
  /** At most 1000. Default 100. */
  readonly count?: number
}

export interface Operation {
  readonly operationId: string
  readonly kind: 'key.create' | 'key.refresh' | 'key.reshare'
  readonly keyId: string
  /** The API key that asked, or `schedule`. */
  readonly requestedBy: string
  readonly state: 'pending' | 'running' | 'succeeded' | 'failed'
  readonly result: Key | null
  readonly error: Problem | null
  readonly createdAt: string
  readonly endedAt: string | null
}

export interface Payload {
  /** `evm.tx`, `eip712`, `btc.psbt` or `raw`. */
  readonly type: string
  /** 0x-prefixed hex: the exact bytes that every node decodes. */
  readonly bytes: string
}

/** One payload whose signature is asked for. */
export interface SignatureItem {
  /** BIP32, not hardened, e.g. `m/0/5`. Default `m`, the key itself; so for a PSBT, which names the paths of its inputs. */
  readonly derivationPath?: string
  readonly payload: Payload
}

/** A request for one signature, or for several: `items`, 1 to 32 of one payload type. All are signed, in one session, or none. */
export type RequestSignature = { readonly keyId: string; readonly deadlineMs?: number; readonly signed?: SignedTerms } & (
  | SignatureItem
  | { readonly items: readonly SignatureItem[] }
)

export type SigningState =
  | 'created'
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

/** What the coordinator read in one payload. */
export interface DecodedItem {
  /** 32 bytes, hex; null when it has several. */
  readonly digest: string | null
  readonly summary: readonly { readonly label: string; readonly value: string }[]
}

/** What each of several items has is null at the top: look into `items`. */
type OfOnlyItem<T> = { readonly [K in keyof T]: T[K] | null }

export interface SigningAccepted extends OfOnlyItem<DecodedItem> {
  readonly requestId: string
  readonly state: SigningState
  /** In the order in which they were asked for. */
  readonly items: readonly DecodedItem[]
}

/** One signature of an item. */
export interface Signature {
  /** Of the child that signs. */
  readonly derivationPath: string
  /** Of that child, 33 bytes, hex; the signature verifies under it. */
  readonly publicKey: string
  /** 32 bytes, hex. */
  readonly digest: string
  /** r || s, 64 bytes, hex; null until signed. */
  readonly signature: string | null
  readonly recovery: number | null
}

/** Digest, signature and recovery are those of the only signature; with several, look into `signatures`. */
export interface SignedItem extends DecodedItem {
  readonly derivationPath: string
  /** Of the key at that path, 33 bytes, hex. */
  readonly publicKey: string
  /** Its address, EIP-55; null for a PSBT. */
  readonly from: string | null
  readonly payload: Payload
  /** r || s, 64 bytes, hex; null until signed, like whatever follows. */
  readonly signature: string | null
  readonly recovery: number | null
  /** One, or one for each input of a PSBT. */
  readonly signatures: readonly Signature[]
  /** 0x and the raw transaction, where it needs no other signatures. */
  readonly signedTransaction: string | null
  /** 0x and the PSBT with the signatures in it. */
  readonly signedPsbt: string | null
}

export interface Attempt {
  readonly attempt: number
  readonly signers: readonly number[]
  readonly outcome: 'running' | 'signed' | 'failed' | 'interrupted'
  readonly code: string | null
  readonly culprits: readonly number[]
  readonly waitingFor: readonly number[]
  readonly refusedBy: readonly number[]
  readonly bytesOnWire: number
  readonly startedAt: string
  readonly endedAt: string | null
}

export interface SigningRequest extends OfOnlyItem<SignedItem> {
  readonly requestId: string
  readonly keyId: string
  readonly state: SigningState
  /** In the order in which they were asked for. */
  readonly items: readonly SignedItem[]
  readonly cancelRequested: boolean
  readonly requester: string
  readonly nodeVerdicts: readonly NodeVerdict[]
  readonly attempts: readonly Attempt[]
  /** Null until signed. */
  readonly signers: readonly number[] | null
  readonly error: Problem | null
  readonly createdAt: string
  readonly deadlineAt: string
  readonly endedAt: string | null
}

export type AvailabilityCode =
  | 'LINK_DOWN'
  | 'LEAVING'
  | 'NO_REPORT'
  | 'HSM_DOWN'
  | 'HSM_DEGRADED'
  | 'PAIR_BURNED'
  | 'PAIR_MISSING'
  | 'NO_SHARE'
  | 'KEY_STALE'
  | 'SHORT'

export interface Node {
  readonly index: number
  readonly name: string
  readonly peerId: string
  readonly link: {
    readonly up: boolean
    readonly bytesSent: number
    readonly bytesReceived: number
    readonly reconnects: number
    readonly roundTripMs: number | null
  }
  readonly availability: {
    /** Whether there is a quorum with this node in it; of one key at least, where it holds keys. */
    readonly able: boolean
    /** All that stands in its way, also where enough is left. */
    readonly reasons: readonly { readonly code: AvailabilityCode; readonly detail: string }[]
  }
  /** What the node last said of itself; null before the first time. */
  readonly status:
    | ({
        readonly version: string
        readonly hsmOk: boolean
        /** In order of priority. */
        readonly hsms: readonly {
          readonly name: string
          /** `refused`: it waits for a person, e.g. for its PIN; `out`: its operator took it out of service. */
          readonly state: 'up' | 'down' | 'refused' | 'out'
          readonly since: string
          /** Of its last failure, however long ago. */
          readonly lastCode: string | null
          readonly failures: number
          /** Median of its last answers. */
          readonly latencyMs: number
          /** Records sealed without it since the node started. */
          readonly missed: number
          /** Records of the node that it cannot open, because it is no recipient. */
          readonly short: number
        }[]
        readonly bytesSent: number
        readonly bytesReceived: number
        /** Delay of the node's event loop since it was last asked, in microseconds. */
        readonly loopP99Us: number
        readonly loopMaxUs: number
        readonly cpuMs: number
        readonly keys: readonly {
          readonly keyId: string
          readonly epoch: number
          readonly publicKey: string
          readonly state: string
          /** Null without a backup; other than `epoch`, the present share is in none. */
          readonly lastBackupEpoch: number | null
        }[]
        readonly pairs: readonly {
          readonly peer: number
          readonly pairEpoch: number
          readonly state: 'ready' | 'missing' | 'burned'
          /** The failed check, when burned. */
          readonly code: string | null
          /** Correlations that are ready for signing. */
          readonly stock: number
        }[]
        /** What has become of correlations since the node started, all peers together. */
        readonly pool: {
          readonly made: number
          readonly used: number
          /** Wanted for a signature, and not there: that pair went through the full protocol. */
          readonly missed: number
          /** Named by a peer, and not held by the node. */
          readonly mismatched: number
          /** Wiped without having been used. */
          readonly dropped: number
          /** Sessions that made some. */
          readonly refills: number
          readonly declined: number
          readonly failed: number
        }
        readonly reportedAt: string
      } & NodeStanding)
    | null
}

export interface Page<T> {
  readonly items: readonly T[]
  readonly nextCursor: string | null
}
