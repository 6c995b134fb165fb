import { ML_DSA_65_SIGNATURE_BYTES, PATH_INDEX_MAX } from '@conclave/core'
import { DIGESTS_MAX } from '@conclave/wire'
import { type Static, Type } from 'typebox'
import { OPERATION_KINDS } from './records.ts'
import { DEADLINE_MS_MAX, DEADLINE_MS_MIN } from './settings.ts'

/** Longest time that a GET waits for a terminal state. */
export const WAIT_MS_MAX = 30_000
export const PAGE_MAX = 200
export const PAGE_DEFAULT = 50
/** Derived keys in one answer. */
export const DERIVED_MAX = 1000
export const DERIVED_DEFAULT = 100
const PATH_CHARS_MAX = 256

/** Bodies and queries are closed: a field that is not known is refused, because it may be a misspelt one. */
const closed = { additionalProperties: false }
export const hexBytes = (bytes: number) => Type.String({ pattern: `^[0-9a-f]{${2 * bytes}}$` })

export const KeyPath = Type.Object({ keyId: Type.String({ maxLength: 64 }) })
export const OperationPath = Type.Object({ operationId: Type.String({ maxLength: 64 }) })
export const SigningPath = Type.Object({ requestId: Type.String({ maxLength: 64 }) })

export const NodePath = Type.Object({ index: Type.String({ maxLength: 2 }) })

export const NoQuery = Type.Object({}, closed)
export const WaitQuery = Type.Object({ waitMs: Type.Optional(Type.Integer({ minimum: 0, maximum: WAIT_MS_MAX })) }, closed)
export const PageQuery = Type.Object(
  {
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: PAGE_MAX, default: PAGE_DEFAULT })),
    cursor: Type.Optional(Type.String({ maxLength: 64 })),
  },
  closed,
)

export const CreateKeyBody = Type.Object(
  {
    keyId: Type.String({ maxLength: 256 }),
    quorum: Type.Optional(Type.Object({ required: Type.Integer(), of: Type.Integer() }, closed)),
  },
  closed,
)
export type CreateKeyBody = Static<typeof CreateKeyBody>

export const OperationsQuery = Type.Object(
  {
    keyId: Type.Optional(Type.String({ maxLength: 64 })),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: PAGE_MAX, default: PAGE_DEFAULT })),
    cursor: Type.Optional(Type.String({ maxLength: 64 })),
  },
  closed,
)

/** A POST without a body is null here. */
export const RefreshKeyBody = Type.Union([Type.Object({}, closed), Type.Null()])
export const ReshareKeyBody = Type.Union([
  Type.Object({ quorum: Type.Optional(Type.Object({ required: Type.Integer() }, closed)) }, closed),
  Type.Null(),
])
export type ReshareKeyBody = Static<typeof ReshareKeyBody>

export const REFRESH_DAYS_MAX = 3650
export const ChangeKeyBody = Type.Object(
  { refreshEveryDays: Type.Union([Type.Integer({ minimum: 1, maximum: REFRESH_DAYS_MAX }), Type.Null()]) },
  closed,
)

const PayloadBody = Type.Object({ type: Type.String({ maxLength: 64 }), bytes: Type.String() }, closed)
const DerivationPathBody = Type.String({ maxLength: PATH_CHARS_MAX })
/** What the platform signed: the id of the request that these terms make (docs/spec/statement.md). */
const SignedTerms = Type.Object(
  {
    requester: Type.String({ pattern: '^[a-z0-9][a-z0-9-]{0,62}$' }),
    nonce: hexBytes(32),
    notBeforeMs: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
    expiresAtMs: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
    signature: hexBytes(64),
  },
  closed,
)
/** Either `payload`, with or without a path, or `items`. */
export const CreateSigningBody = Type.Object(
  {
    keyId: Type.String({ maxLength: 256 }),
    derivationPath: Type.Optional(DerivationPathBody),
    payload: Type.Optional(PayloadBody),
    items: Type.Optional(
      Type.Array(Type.Object({ payload: PayloadBody, derivationPath: Type.Optional(DerivationPathBody) }, closed), {
        minItems: 1,
        maxItems: DIGESTS_MAX,
      }),
    ),
    deadlineMs: Type.Optional(Type.Integer({ minimum: DEADLINE_MS_MIN, maximum: DEADLINE_MS_MAX })),
    signed: Type.Optional(SignedTerms),
  },
  closed,
)
export type CreateSigningBody = Static<typeof CreateSigningBody>

const hexUpTo = (bytes: number) => Type.String({ pattern: `^([0-9a-f]{2}){1,${bytes}}$` })
/** As `conclave approve` and an authenticator sign it: `authenticatorData` and `clientData` are an authenticator's, `pq` is an ML-DSA-65 signature. */
export const CreateApprovalBody = Type.Object(
  {
    statement: hexBytes(32),
    decision: Type.Enum(['approve', 'reject']),
    approver: Type.String({ pattern: '^[a-z0-9][a-z0-9-]{0,62}$' }),
    atMs: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
    signature: hexUpTo(72),
    authenticatorData: Type.Optional(hexUpTo(512)),
    clientData: Type.Optional(hexUpTo(1024)),
    pq: Type.Optional(hexBytes(ML_DSA_65_SIGNATURE_BYTES)),
  },
  closed,
)
export type CreateApprovalBody = Static<typeof CreateApprovalBody>
/** What each node said: TAKEN, or why not. */
export const ApprovalAnswersBody = Type.Object({ nodes: Type.Array(Type.Object({ node: Type.Integer(), code: Type.String() })) })
export type ApprovalAnswersBody = Static<typeof ApprovalAnswersBody>

const NodeVerdict = Type.Object({
  node: Type.Integer(),
  allowed: Type.Boolean(),
  code: Type.String(),
  reason: Type.String(),
  rule: Type.String(),
})

export const ProblemBody = Type.Object({
  type: Type.String(),
  title: Type.String(),
  status: Type.Integer(),
  code: Type.String(),
  detail: Type.String(),
  retriable: Type.Boolean(),
  requestId: Type.String(),
  nodeVerdicts: Type.Optional(Type.Array(NodeVerdict)),
})

export const OrNull = <T extends Parameters<typeof Type.Union>[0][number]>(type: T) => Type.Union([type, Type.Null()])
export const Time = Type.String({ description: 'ISO 8601, UTC' })

/** Of one key, in the network of the settings. */
const BitcoinBody = Type.Object({ p2pkh: Type.String(), p2shP2wpkh: Type.String(), p2wpkh: Type.String() })

export const KeyBody = Type.Object({
  keyId: Type.String(),
  publicKey: hexBytes(33),
  chainCode: hexBytes(32),
  xpub: Type.String({ description: 'BIP32, with this key as the root' }),
  address: Type.String({ description: 'EVM address, EIP-55' }),
  bitcoin: BitcoinBody,
  threshold: Type.Integer(),
  parties: Type.Array(Type.Integer()),
  /** Of each node; below `epoch`, or null, its share is in no backup. */
  backups: Type.Array(Type.Object({ node: Type.Integer(), lastBackupEpoch: OrNull(Type.Integer()) })),
  epoch: Type.Integer(),
  state: Type.String(),
  /** Nodes whose operators have made something else of it than active: provisioned, suspended, archived, destroyed. */
  phases: Type.Array(Type.Object({ node: Type.Integer(), phase: Type.String() })),
  /** Who has proved that it erased its share; null while nobody has. Backups that were made before may still hold shares. */
  erasure: OrNull(
    Type.Object({
      erasedBy: Type.Array(Type.Integer()),
      sharesLeftMax: Type.Integer(),
      belowThreshold: Type.Boolean({ description: 'fewer shares than a signature needs can still exist' }),
    }),
  ),
  refreshEveryDays: OrNull(Type.Integer()),
  /** When the present epoch was first seen: by creation, refresh or reshare. */
  refreshedAt: OrNull(Time),
  nextRefreshAt: OrNull(Time),
})
export type KeyBody = Static<typeof KeyBody>
export const KeyListBody = Type.Object({ items: Type.Array(KeyBody) })

/** Either `path`, or any of the others. */
export const DerivedQuery = Type.Object(
  {
    path: Type.Optional(Type.String({ maxLength: PATH_CHARS_MAX })),
    prefix: Type.Optional(Type.String({ maxLength: PATH_CHARS_MAX })),
    from: Type.Optional(Type.Integer({ minimum: 0, maximum: PATH_INDEX_MAX })),
    count: Type.Optional(Type.Integer({ minimum: 1, maximum: DERIVED_MAX })),
  },
  closed,
)
export const DerivedKeyBody = Type.Object({ path: Type.String(), publicKey: hexBytes(33), address: Type.String(), bitcoin: BitcoinBody })
export type DerivedKeyBody = Static<typeof DerivedKeyBody>
export const DerivedBody = Type.Union([DerivedKeyBody, Type.Object({ items: Type.Array(DerivedKeyBody) })])

export const OperationAcceptedBody = Type.Object({ operationId: hexBytes(16) })
export const OperationBody = Type.Object({
  operationId: hexBytes(16),
  kind: Type.Enum([...OPERATION_KINDS]),
  keyId: Type.String(),
  /** The API key that asked, or `schedule`. */
  requestedBy: Type.String(),
  state: Type.Enum(['pending', 'running', 'succeeded', 'failed']),
  result: OrNull(KeyBody),
  error: OrNull(ProblemBody),
  createdAt: Time,
  endedAt: OrNull(Time),
})
export type OperationBody = Static<typeof OperationBody>
export const OperationListBody = Type.Object({ items: Type.Array(OperationBody), nextCursor: OrNull(Type.String()) })

const Summary = Type.Array(Type.Object({ label: Type.String(), value: Type.String() }))
const SigningStateBody = Type.Enum([
  'created',
  'decoded',
  'pending_approval',
  'queued',
  'signing',
  'signed',
  'denied',
  'rejected',
  'expired',
  'failed',
  'cancelled',
])

const AttemptBody = Type.Object({
  attempt: Type.Integer(),
  signers: Type.Array(Type.Integer()),
  outcome: Type.Enum(['running', 'signed', 'failed', 'interrupted']),
  code: OrNull(Type.String()),
  culprits: Type.Array(Type.Integer()),
  waitingFor: Type.Array(Type.Integer()),
  refusedBy: Type.Array(Type.Integer()),
  bytesOnWire: Type.Integer(),
  startedAt: Time,
  endedAt: OrNull(Time),
})

/** What stands at the top is that of the only item; null when there are several. */
export const SigningAcceptedBody = Type.Object({
  requestId: hexBytes(32),
  state: SigningStateBody,
  digest: OrNull(hexBytes(32)),
  summary: OrNull(Summary),
  items: Type.Array(Type.Object({ digest: OrNull(hexBytes(32)), summary: Summary })),
})
export type SigningAcceptedBody = Static<typeof SigningAcceptedBody>
const SignatureBody = Type.Object({
  derivationPath: Type.String(),
  /** Of the child key that signs. */
  publicKey: hexBytes(33),
  digest: hexBytes(32),
  signature: OrNull(hexBytes(64)),
  recovery: OrNull(Type.Integer()),
})
/** Digest, signature and recovery are those of the only signature; with several they are null there. */
const SigningItemBody = Type.Object({
  derivationPath: Type.String(),
  /** Of the child key at that path, and the EVM address that belongs to it. */
  publicKey: hexBytes(33),
  from: OrNull(Type.String()),
  payload: Type.Object({ type: Type.String(), bytes: Type.String() }),
  digest: OrNull(hexBytes(32)),
  summary: Summary,
  signature: OrNull(hexBytes(64)),
  recovery: OrNull(Type.Integer()),
  signatures: Type.Array(SignatureBody),
  signedTransaction: OrNull(Type.String()),
  signedPsbt: OrNull(Type.String()),
})
export type SigningItemBody = Static<typeof SigningItemBody>
/** What an item has stands also at the top when there is only one; with several it is null there. */
export const SigningBody = Type.Object({
  requestId: hexBytes(32),
  keyId: Type.String(),
  items: Type.Array(SigningItemBody),
  derivationPath: OrNull(SigningItemBody.properties.derivationPath),
  publicKey: OrNull(SigningItemBody.properties.publicKey),
  from: SigningItemBody.properties.from,
  payload: OrNull(SigningItemBody.properties.payload),
  digest: SigningItemBody.properties.digest,
  summary: OrNull(Summary),
  signature: SigningItemBody.properties.signature,
  recovery: SigningItemBody.properties.recovery,
  signatures: OrNull(SigningItemBody.properties.signatures),
  signedTransaction: SigningItemBody.properties.signedTransaction,
  signedPsbt: SigningItemBody.properties.signedPsbt,
  state: SigningStateBody,
  cancelRequested: Type.Boolean(),
  requester: Type.String(),
  nodeVerdicts: Type.Array(NodeVerdict),
  attempts: Type.Array(AttemptBody),
  signers: OrNull(Type.Array(Type.Integer())),
  error: OrNull(ProblemBody),
  createdAt: Time,
  deadlineAt: Time,
  endedAt: OrNull(Time),
})
export type SigningBody = Static<typeof SigningBody>
/** The request itself when the POST waited for it. */
export const SigningCreatedBody = Type.Union([SigningBody, SigningAcceptedBody])
export const SigningListBody = Type.Object({ items: Type.Array(SigningBody), nextCursor: OrNull(Type.String()) })

export const HealthBody = Type.Object({ status: Type.Literal('ok') })
export const ReadyBody = Type.Object({ status: Type.Literal('ready'), nodesUp: Type.Integer(), nodesNeeded: Type.Integer() })
