import { ML_DSA_65_SIGNATURE_BYTES } from '@conclave/core'
import { DIGESTS_MAX } from '@conclave/wire'
import { type Static, Type } from 'typebox'
import { PageFields, TimeQuery } from './access-schemas.ts'
import { closed, hexBytes, NodeVerdictBody, OrNull, PATH_CHARS_MAX, ProblemBody, Time } from './schemas.ts'
import { DEADLINE_MS_MAX, DEADLINE_MS_MIN } from './settings.ts'

const PayloadBody = Type.Object({ type: Type.String({ maxLength: 64 }), bytes: Type.String() }, { ...closed, title: 'Payload' })
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
  { ...closed, title: 'SignedTerms' },
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
  { ...closed, title: 'CreateSigningRequest' },
)
export type CreateSigningBody = Static<typeof CreateSigningBody>

const { deadlineMs: _, ...SimulatedFields } = CreateSigningBody.properties
export const SimulateBody = Type.Object(SimulatedFields, { ...closed, title: 'Simulate' })

const hexUpTo = (bytes: number) => Type.String({ pattern: `^([0-9a-f]{2}){1,${bytes}}$` })
/** As `conclave approve` and an authenticator sign it; `authenticatorData` and `clientData` are the authenticator's, `pq` is of an ML-DSA-65 key. */
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
  { ...closed, title: 'CreateApproval' },
)
export type CreateApprovalBody = Static<typeof CreateApprovalBody>
/** What each node said: TAKEN, or why not. */
export const ApprovalAnswersBody = Type.Object(
  { nodes: Type.Array(Type.Object({ node: Type.Integer(), code: Type.String() })) },
  { title: 'ApprovalAnswers' },
)
export type ApprovalAnswersBody = Static<typeof ApprovalAnswersBody>

/** As docs/spec/receipt.md has it: canonical JSON, which is passed on as it is. */
export const ReceiptBody = Type.Object({ format: Type.Literal('conclave-receipt/1') }, { additionalProperties: true, title: 'Receipt' })

const Summary = Type.Array(Type.Object({ label: Type.String(), value: Type.String() }), { title: 'Summary' })
const SigningStateBody = Type.Enum(
  ['created', 'decoded', 'pending_approval', 'queued', 'signing', 'signed', 'denied', 'rejected', 'expired', 'failed', 'cancelled'],
  { title: 'SigningState' },
)

const AttemptBody = Type.Object(
  {
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
  },
  { title: 'Attempt' },
)

export const SigningsQuery = Type.Object(
  {
    ...PageFields,
    ...TimeQuery,
    keyId: Type.Optional(Type.String({ maxLength: 64 })),
    state: Type.Optional(SigningStateBody),
    requester: Type.Optional(Type.String({ maxLength: 64 })),
  },
  closed,
)

export const AttemptListBody = Type.Object({ items: Type.Array(AttemptBody) }, { title: 'AttemptList' })

/** What stands at the top is that of the only item; null when there are several. */
export const SigningAcceptedBody = Type.Object(
  {
    requestId: hexBytes(32),
    state: SigningStateBody,
    digest: OrNull(hexBytes(32)),
    summary: OrNull(Summary),
    items: Type.Array(Type.Object({ digest: OrNull(hexBytes(32)), summary: Summary })),
  },
  { title: 'SigningRequestAccepted' },
)
export type SigningAcceptedBody = Static<typeof SigningAcceptedBody>
const SignatureBody = Type.Object(
  {
    derivationPath: Type.String(),
    /** Of the child key that signs. */
    publicKey: hexBytes(33),
    digest: hexBytes(32),
    signature: OrNull(hexBytes(64)),
    recovery: OrNull(Type.Integer()),
  },
  { title: 'Signature' },
)
/** Digest, signature and recovery are those of the only signature; with several they are null there. */
const SigningItemBody = Type.Object(
  {
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
  },
  { title: 'SigningItem' },
)
export type SigningItemBody = Static<typeof SigningItemBody>
/** What an item has stands also at the top when there is only one; with several it is null there. */
export const SigningBody = Type.Object(
  {
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
    nodeVerdicts: Type.Array(NodeVerdictBody),
    attempts: Type.Array(AttemptBody),
    signers: OrNull(Type.Array(Type.Integer())),
    error: OrNull(ProblemBody),
    createdAt: Time,
    deadlineAt: Time,
    endedAt: OrNull(Time),
  },
  { title: 'SigningRequest' },
)
export type SigningBody = Static<typeof SigningBody>
/** The request itself when the POST waited for it. */
export const SigningCreatedBody = Type.Union([SigningBody, SigningAcceptedBody])
export const SigningListBody = Type.Object(
  { items: Type.Array(SigningBody), nextCursor: OrNull(Type.String()) },
  { title: 'SigningRequestList' },
)
