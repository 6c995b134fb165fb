import { PATH_INDEX_MAX } from '@conclave/core'
import { type Static, Type } from 'typebox'
import { PageFields } from './access-schemas.ts'
import { CHILD_STATES } from './child-key-store.ts'
import { BitcoinBody, Label, Tags } from './key-schemas.ts'
import { closed, hexBytes, OrNull, PATH_CHARS_MAX, Time } from './schemas.ts'

/** In one call. */
export const CHILDREN_AT_ONCE_MAX = 10_000
/** Of one key. */
export const CHILDREN_MAX = 1_000_000

const Path = Type.String({ maxLength: PATH_CHARS_MAX })
const State = Type.Enum([...CHILD_STATES])

/** Either `items`, or a range: `count` children from `from` on of the key at `prefix`. */
export const AddChildrenBody = Type.Object(
  {
    prefix: Type.Optional(Path),
    from: Type.Optional(Type.Integer({ minimum: 0, maximum: PATH_INDEX_MAX })),
    count: Type.Optional(Type.Integer({ minimum: 1, maximum: CHILDREN_AT_ONCE_MAX })),
    label: Type.Optional(Label),
    tags: Type.Optional(Tags),
    items: Type.Optional(
      Type.Array(Type.Object({ path: Path, label: Type.Optional(Label), tags: Type.Optional(Tags) }, closed), {
        minItems: 1,
        maxItems: CHILDREN_AT_ONCE_MAX,
      }),
    ),
  },
  { ...closed, title: 'AddChildren' },
)
export type AddChildrenBody = Static<typeof AddChildrenBody>
export const ChildrenAddedBody = Type.Object(
  { added: Type.Integer(), known: Type.Integer({ description: 'That were there before, and are as they were' }) },
  { title: 'ChildrenAdded' },
)

export const ChildPath = Type.Object({ keyId: Type.String({ maxLength: 64 }), path: Type.String({ maxLength: PATH_CHARS_MAX }) })
export const ChildBody = Type.Object(
  {
    path: Type.String(),
    publicKey: hexBytes(33),
    address: Type.String(),
    bitcoin: BitcoinBody,
    label: OrNull(Type.String()),
    tags: Type.Array(Type.String()),
    state: State,
    addedAt: Time,
  },
  { title: 'ChildKey' },
)
export type ChildBody = Static<typeof ChildBody>
export const ChildListBody = Type.Object({ items: Type.Array(ChildBody), nextCursor: OrNull(Type.String()) }, { title: 'ChildKeyList' })
export const ChildrenQuery = Type.Object(
  {
    ...PageFields,
    tag: Type.Optional(Type.String({ maxLength: 64 })),
    state: Type.Optional(State),
    address: Type.Optional(Type.String({ maxLength: 42 })),
  },
  closed,
)
export const ChangeChildBody = Type.Object(
  { label: Type.Optional(OrNull(Label)), tags: Type.Optional(Tags), state: Type.Optional(State) },
  { ...closed, minProperties: 1, title: 'ChangeChild' },
)
