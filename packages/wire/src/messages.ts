import { ERASURE_BYTES_MAX, PARTIES_MAX } from '@conclave/core'
import { Approval, ApprovalGossip, ApprovalTaken } from './approval-messages.ts'
import { Cosign, Cosigned } from './audit-messages.ts'
import { FreezeGossip } from './freeze-messages.ts'
import { HSMS_MAX, HsmStatus } from './hsm-messages.ts'
import { Look, Looked } from './look-messages.ts'
import { PolicyGossip } from './policy-messages.ts'
import { CorrelateAccept, CorrelateOffer, PoolStatus } from './pool-messages.ts'
import { ReceiptPart, ReceiptRequest } from './receipt-messages.ts'
import { DIGESTS_MAX, Propose, Sign, Signed, Verdict } from './request-messages.ts'
import { bytes, bytesBetween, bytesOrEmpty, flag, list, message, number, oneOf, text, type ValueOf } from './schema.ts'
import { TRACEPARENT_CHARS_MAX } from './sizes.ts'

export * from './approval-messages.ts'
export * from './audit-messages.ts'
export * from './freeze-messages.ts'
export * from './hsm-messages.ts'
export * from './ledger-messages.ts'
export * from './look-messages.ts'
export * from './policy-messages.ts'
export * from './pool-messages.ts'
export * from './receipt-messages.ts'
export * from './request-messages.ts'
export * from './round-messages.ts'

/** Keys that a node holds. */
export const KEYS_MAX = 4096
/** The longest: the late OT and VOLE messages of {@link DIGESTS_MAX} signatures in one. */
export const ROUND_BODY_BYTES_MAX = 2816 * 1024

const HASH = bytes(32)
const POINT = bytes(33)
const INDEX = number(PARTIES_MAX)
const KEY_ID = text(63)
const CODE = text(64)
const LINE = text(512)

// link.proto
export const Hello = message('Hello', { clusterId: HASH, lockHash: HASH, protocol: number(), version: text(32), nonce: bytesOrEmpty(32) })
export const Proof = message('Proof', { signature: bytesBetween(0, 72), consent: flag })

// the public half of a key, on the wire and in the store
export const Attestation = message('Attestation', { party: INDEX, signature: bytesBetween(1, 72) })
export const KeyPublic = message('KeyPublic', {
  keyId: KEY_ID,
  epoch: number(),
  threshold: INDEX,
  parties: list(INDEX, PARTIES_MAX),
  publicKey: POINT,
  chainCode: HASH,
  publicShares: list(POINT, PARTIES_MAX),
  nonce: HASH,
  sidParts: list(HASH, PARTIES_MAX),
  transcript: HASH,
  clusterContext: HASH,
  origin: text(16),
  previous: bytesOrEmpty(32),
  previousEpoch: number(),
  dealers: list(INDEX, PARTIES_MAX),
})
export const KeyCertificate = message('KeyCertificate', { key: KeyPublic, attestations: list(Attestation, PARTIES_MAX) })

// control.proto
export const Failure = message('Failure', {
  code: CODE,
  message: LINE,
  retriable: flag,
  culprits: list(INDEX, PARTIES_MAX),
  waitingFor: list(INDEX, PARTIES_MAX),
})
export const KeyStatus = message('KeyStatus', {
  keyId: KEY_ID,
  epoch: number(),
  publicKey: POINT,
  threshold: INDEX,
  parties: list(INDEX, PARTIES_MAX),
  state: CODE,
  prepared: number(),
  chainCode: HASH,
  backedUp: flag,
  backupEpoch: number(),
  phase: CODE,
})
export const PairStatus = message('PairStatus', {
  peer: INDEX,
  pairEpoch: number(),
  state: CODE,
  pairId: bytesOrEmpty(32),
  code: CODE,
  stock: number(),
})
/** The newest of a node that its status has room for. */
export const ERASURES_MAX = 512
export const StatusRequest = message('StatusRequest', {})
export const NodeStatus = message('NodeStatus', {
  index: INDEX,
  name: text(32),
  version: text(32),
  keys: list(KeyStatus, KEYS_MAX),
  pairs: list(PairStatus, PARTIES_MAX),
  hsmOk: flag,
  sent: bytes(8),
  received: bytes(8),
  loopP99Us: number(),
  loopMaxUs: number(),
  cpuMs: number(),
  pool: PoolStatus,
  hsms: list(HsmStatus, HSMS_MAX),
  erasures: list(bytesBetween(1, ERASURE_BYTES_MAX), ERASURES_MAX),
  auditCode: CODE,
  clock: bytes(8),
  freezes: number(),
  policySequence: number(),
  auditEntries: number(),
  checkpointEntries: number(),
  cosigners: number(PARTIES_MAX),
})
export const CreateKey = message('CreateKey', { keyId: KEY_ID, nonce: HASH, threshold: INDEX, parties: list(INDEX, PARTIES_MAX) })
export const RenewKey = message('RenewKey', {
  keyId: KEY_ID,
  nonce: HASH,
  kind: CODE,
  fromEpoch: number(),
  epoch: number(),
  threshold: INDEX,
  parties: list(INDEX, PARTIES_MAX),
  dealers: list(INDEX, PARTIES_MAX),
})
export const KeyCreated = message('KeyCreated', { keyId: KEY_ID, publicKey: POINT, chainCode: HASH, epoch: number() })
/** Locks that a certificate may be behind the present one. */
export const LOCKS_MAX = 16
export const LOCK_BYTES_MAX = 32 * 1024
export const CertificateRequest = message('CertificateRequest', { keyId: KEY_ID, epoch: number() })
export const CertificateAnswer = message('CertificateAnswer', {
  certificate: KeyCertificate,
  locks: list(bytesBetween(1, LOCK_BYTES_MAX), LOCKS_MAX),
})
export const PairOffer = message('PairOffer', {
  pairEpoch: number(),
  nonce: HASH,
  current: bytesOrEmpty(32),
  renewal: bytesOrEmpty(32),
})
export const PairAccept = message('PairAccept', { pairEpoch: number(), agreed: flag })
export const PeerReportRequest = message('PeerReportRequest', {})
export const PeerReport = message('PeerReport', { clock: bytes(8), heldMs: number(), version: text(32), hsms: list(HASH, 8) })
export const Request = message('Request', {
  id: number(),
  body: oneOf({
    status: StatusRequest,
    createKey: CreateKey,
    propose: Propose,
    sign: Sign,
    pairOffer: PairOffer,
    renewKey: RenewKey,
    certificate: CertificateRequest,
    correlateOffer: CorrelateOffer,
    peerReport: PeerReportRequest,
    approval: Approval,
    cosign: Cosign,
    look: Look,
    receipt: ReceiptRequest,
  }),
  traceparent: text(TRACEPARENT_CHARS_MAX),
})
export const Response = message('Response', {
  id: number(),
  body: oneOf({
    failure: Failure,
    status: NodeStatus,
    keyCreated: KeyCreated,
    verdict: Verdict,
    signed: Signed,
    pairAccept: PairAccept,
    certificate: CertificateAnswer,
    correlateAccept: CorrelateAccept,
    peerReport: PeerReport,
    approvalTaken: ApprovalTaken,
    cosigned: Cosigned,
    looked: Looked,
    receipt: ReceiptPart,
  }),
})

// frame.proto
export const SessionMessage = message('SessionMessage', {
  sessionId: HASH,
  from: INDEX,
  round: number(16),
  body: bytesBetween(1, ROUND_BODY_BYTES_MAX),
})
export const SessionEnd = message('SessionEnd', { sessionId: HASH, from: INDEX, code: CODE })
export const Leaving = message('Leaving', {})
/** Epochs of one key that a node may have prepared and not settled. */
export const EPOCHS_MAX = 16
export const EpochWord = message('EpochWord', {
  epoch: number(),
  certificateHash: HASH,
  attestations: list(Attestation, PARTIES_MAX),
})
export const KeyWord = message('KeyWord', {
  keyId: KEY_ID,
  active: flag,
  epoch: number(),
  proved: flag,
  epochs: list(EpochWord, EPOCHS_MAX + 1),
})
export const KeyGossip = message('KeyGossip', { keys: list(KeyWord, 256), asks: flag })
export const Frame = message('Frame', {
  body: oneOf({
    session: SessionMessage,
    end: SessionEnd,
    request: Request,
    response: Response,
    gossip: KeyGossip,
    approvals: ApprovalGossip,
    freezes: FreezeGossip,
    policies: PolicyGossip,
    leaving: Leaving,
  }),
})

export type Hello = ValueOf<typeof Hello>
export type Proof = ValueOf<typeof Proof>
export type Failure = ValueOf<typeof Failure>
export type NodeStatus = ValueOf<typeof NodeStatus>
export type CreateKey = ValueOf<typeof CreateKey>
export type RenewKey = ValueOf<typeof RenewKey>
export type CertificateRequest = ValueOf<typeof CertificateRequest>
export type CertificateAnswer = ValueOf<typeof CertificateAnswer>
export type KeyCreated = ValueOf<typeof KeyCreated>
export type PairOffer = ValueOf<typeof PairOffer>
export type PeerReport = ValueOf<typeof PeerReport>
export type PairAccept = ValueOf<typeof PairAccept>
export type Request = ValueOf<typeof Request>
export type Response = ValueOf<typeof Response>
export type SessionMessage = ValueOf<typeof SessionMessage>
export type SessionEnd = ValueOf<typeof SessionEnd>
export type EpochWord = ValueOf<typeof EpochWord>
export type KeyWord = ValueOf<typeof KeyWord>
export type KeyGossip = ValueOf<typeof KeyGossip>
export type Frame = ValueOf<typeof Frame>
export type Attestation = ValueOf<typeof Attestation>
export type KeyPublic = ValueOf<typeof KeyPublic>
export type KeyCertificate = ValueOf<typeof KeyCertificate>
