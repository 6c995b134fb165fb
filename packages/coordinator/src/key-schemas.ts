import { PATH_INDEX_MAX } from '@conclave/core'
import { type Static, Type } from 'typebox'
import { NAME_PATTERN, PageFields, TimeQuery } from './access-schemas.ts'
import { OPERATION_KINDS } from './records.ts'
import { closed, hexBytes, OrNull, PATH_CHARS_MAX, ProblemBody, Time } from './schemas.ts'

/** Derived keys in one answer. */
export const DERIVED_MAX = 1000
export const DERIVED_DEFAULT = 100

export const CreateKeyBody = Type.Object(
  {
    keyId: Type.String({ maxLength: 256 }),
    quorum: Type.Optional(Type.Object({ required: Type.Integer(), of: Type.Integer() }, closed)),
  },
  { ...closed, title: 'CreateKey' },
)
export type CreateKeyBody = Static<typeof CreateKeyBody>

/** A POST without a body is null here. */
export const RefreshKeyBody = Type.Union([Type.Object({}, closed), Type.Null()])
export const ReshareKeyBody = Type.Union([
  Type.Object({ quorum: Type.Optional(Type.Object({ required: Type.Integer() }, closed)) }, closed),
  Type.Null(),
])
export type ReshareKeyBody = Static<typeof ReshareKeyBody>

export const REFRESH_DAYS_MAX = 3650
/** As people call something. */
export const Label = Type.String({ minLength: 1, maxLength: 128 })
const Tag = Type.String({ pattern: '^[a-z0-9][a-z0-9:._-]{0,62}$' })
export const Tags = Type.Array(Tag, { maxItems: 16 })
export const KeysQuery = Type.Object(
  { ...PageFields, tag: Type.Optional(Tag), role: Type.Optional(Type.String({ pattern: NAME_PATTERN })) },
  closed,
)

export const ChangeKeyBody = Type.Object(
  {
    refreshEveryDays: Type.Optional(Type.Union([Type.Integer({ minimum: 1, maximum: REFRESH_DAYS_MAX }), Type.Null()])),
    role: Type.Optional(
      OrNull(Type.String({ pattern: NAME_PATTERN, description: 'deposit, withdrawal, treasury, ...: for people, no node goes by it' })),
    ),
    label: Type.Optional(OrNull(Label)),
    tags: Type.Optional(Tags),
  },
  { ...closed, minProperties: 1, title: 'ChangeKey' },
)

const OperationState = Type.Enum(['pending', 'running', 'succeeded', 'failed'])
export const OperationsQuery = Type.Object(
  {
    ...PageFields,
    ...TimeQuery,
    keyId: Type.Optional(Type.String({ maxLength: 64 })),
    state: Type.Optional(OperationState),
    requestedBy: Type.Optional(Type.String({ maxLength: 64 })),
  },
  closed,
)

/** Of one key, in the network of the settings. */
export const BitcoinBody = Type.Object(
  { p2pkh: Type.String(), p2shP2wpkh: Type.String(), p2wpkh: Type.String() },
  { title: 'BitcoinAddresses' },
)

export const KeyBody = Type.Object(
  {
    keyId: Type.String(),
    tenant: Type.String(),
    role: OrNull(Type.String()),
    label: OrNull(Type.String()),
    tags: Type.Array(Type.String()),
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
  },
  { title: 'Key' },
)
export type KeyBody = Static<typeof KeyBody>
export const KeyListBody = Type.Object({ items: Type.Array(KeyBody), nextCursor: OrNull(Type.String()) }, { title: 'KeyList' })

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
export const DerivedKeyBody = Type.Object(
  { path: Type.String(), publicKey: hexBytes(33), address: Type.String(), bitcoin: BitcoinBody },
  { title: 'DerivedKey' },
)
export type DerivedKeyBody = Static<typeof DerivedKeyBody>
export const DerivedBody = Type.Union([DerivedKeyBody, Type.Object({ items: Type.Array(DerivedKeyBody) })])

export const OperationAcceptedBody = Type.Object({ operationId: hexBytes(16) }, { title: 'OperationAccepted' })
export const OperationBody = Type.Object(
  {
    operationId: hexBytes(16),
    kind: Type.Enum([...OPERATION_KINDS]),
    keyId: Type.String(),
    /** The API key that asked, or `schedule`. */
    requestedBy: Type.String(),
    state: OperationState,
    result: OrNull(KeyBody),
    error: OrNull(ProblemBody),
    createdAt: Time,
    endedAt: OrNull(Time),
  },
  { title: 'Operation' },
)
export type OperationBody = Static<typeof OperationBody>
export const OperationListBody = Type.Object(
  { items: Type.Array(OperationBody), nextCursor: OrNull(Type.String()) },
  { title: 'OperationList' },
)
