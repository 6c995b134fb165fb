import { type Static, Type } from 'typebox'
import { closed, hexBytes, NodeVerdictBody, OrNull, Time } from './schemas.ts'

const NODES_MAX = 9
const Name = Type.String({ maxLength: 64 })
const Text = Type.String({ maxLength: 1024 })
const NodeIndex = Type.Integer({ minimum: 1, maximum: NODES_MAX })
const Names = (max: number) => Type.Array(Name, { maxItems: max })
/** Why a node shows nothing; null when it does. */
const Code = OrNull(Type.String({ pattern: '^[A-Z][A-Z0-9_]{0,63}$' }))

const ApproverFields = { id: Name, groups: Names(64), keys: Type.Array(Type.Enum(['identity', 'webauthn']), { maxItems: 64 }) }

/** What a node says of its policy. */
export const ShownPolicy = Type.Object(
  {
    sequence: Type.Integer({ minimum: 0 }),
    hash: hexBytes(32),
    rules: Type.Array(Type.Object({ name: Type.String({ maxLength: 256 }), effect: Name }), { maxItems: 4096 }),
    requesters: OrNull(Names(1024)),
    approvers: Type.Array(Type.Object(ApproverFields), { maxItems: 1024 }),
  },
  { title: 'Policy' },
)
export const PolicyListBody = Type.Object(
  { items: Type.Array(Type.Object({ node: NodeIndex, policy: OrNull(ShownPolicy), code: Code })) },
  { title: 'PolicyList', description: 'The policy in force at each connected node: they judge by their own' },
)

export const ApproverListBody = Type.Object(
  { items: Type.Array(Type.Object({ ...ApproverFields, nodes: Type.Array(NodeIndex) }, { title: 'Approver' })) },
  {
    title: 'ApproverList',
    description: 'Who may approve, and at which nodes: of an approver that nodes know differently there are several',
  },
)

export const SimulationBody = Type.Object({ items: Type.Array(NodeVerdictBody) }, { title: 'Simulation' })
export type SimulationBody = Static<typeof SimulationBody>
export const ShownVerdict = Type.Object({ allowed: Type.Boolean(), code: Type.String({ maxLength: 64 }), reason: Text, rule: Text })

const StatementFields = {
  statement: Type.String({ pattern: '^([0-9a-f]{2}){1,65536}$', description: 'Its exact bytes (docs/spec/statement.md)' }),
  statementHash: hexBytes(32),
  requester: Name,
  notBefore: Type.String({ maxLength: 32 }),
  expiresAt: Type.String({ maxLength: 32 }),
  reason: Text,
  approvedBy: Names(64),
  rejectedBy: Names(64),
}
export const ShownStatement = Type.Object({ requestId: hexBytes(32), code: Type.String({ maxLength: 64 }), ...StatementFields })
const NodeStatement = Type.Object({ ...StatementFields, verdict: Type.String() }, { title: 'NodeStatement' })
export const StatementListBody = Type.Object(
  { items: Type.Array(Type.Object({ node: NodeIndex, statement: OrNull(NodeStatement), code: Code })) },
  { title: 'StatementList', description: 'What each connected node of the key made of the request: what approvers sign' },
)

const FreezeFields = {
  id: hexBytes(32),
  scope: Type.String({ maxLength: 256 }),
  reason: Text,
  by: Type.String({ maxLength: 128 }),
  at: Time,
  isActive: Type.Boolean(),
  thawedBy: Names(NODES_MAX),
  thawsRequired: Type.Integer(),
}
export const ShownFreezes = Type.Object({ freezes: Type.Array(Type.Object(FreezeFields), { maxItems: 4096 }) })
export const FreezeBody = Type.Object({ ...FreezeFields, nodes: Type.Array(NodeIndex) }, { title: 'Freeze' })
export type FreezeBody = Static<typeof FreezeBody>
export const FreezeListBody = Type.Object({ items: Type.Array(FreezeBody) }, { title: 'FreezeList' })
export const FreezesQuery = Type.Object({ active: Type.Optional(Type.Boolean()) }, closed)
