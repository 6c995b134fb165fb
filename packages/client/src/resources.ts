import type { components, operations } from './generated/api.ts'

type Schemas = components['schemas']

export type CreateKey = Schemas['CreateKey']
export type Key = Schemas['Key']
/** A child of a key. */
export type DerivedKey = Schemas['DerivedKey']
/** Child keys to take into use: `from`, `from + 1`, ... below `prefix`, or those named in `items`. */
export type AddChildren = Schemas['AddChildren']
export type ChildrenAdded = Schemas['ChildrenAdded']
/** A child that was taken into use. */
export type ChildKey = Schemas['ChildKey']
export type ChangeChild = Schemas['ChangeChild']
export type Operation = Schemas['Operation']
export type Node = Schemas['Node']
export type Payload = Schemas['Payload']
export type SigningState = Schemas['SigningState']
export type SigningRequest = Schemas['SigningRequest']
/** Answer to a request that nobody waited for. */
export type SigningAccepted = Schemas['SigningRequestAccepted']
export type SignedTerms = Schemas['SignedTerms']
/** What somebody says of the statement of a request (docs/spec/approvals.md). Bytes are hex. */
export type GiveApproval = Schemas['CreateApproval']
/** What each node said to an approval: TAKEN, or why not. */
export type ApprovalAnswers = Schemas['ApprovalAnswers']
export type ApiKey = Schemas['ApiKey']
export type CreateApiKey = Schemas['CreateApiKey']
export type NewApiKey = Schemas['NewApiKey']
export type NodeVerdict = Schemas['NodeVerdict']
export type Approver = Schemas['Approver']
export type Freeze = Schemas['Freeze']
/** A node, and its policy or why it said none. */
export type NodePolicy = Schemas['PolicyList']['items'][number]
/** A node, and its statement of a request or why it said none. */
export type NodeStatement = Schemas['StatementList']['items'][number]
/** A request of which one wants to know what the nodes would say. */
export type Simulate = Schemas['Simulate']
/** RFC 9457 problem details, as the coordinator answers them. */
export type Problem = Schemas['Problem']

/** For whom a key is reshared: the nodes of the present cluster lock. */
export type ReshareKey = NonNullable<operations['reshareKey']['requestBody']>['content']['application/json'] & { readonly keyId: string }

/** Children `from`, `from + 1`, ... of the key at `prefix`; by default the first hundred of the key itself. */
export type DerivedRange = Omit<NonNullable<operations['deriveKeys']['parameters']['query']>, 'path'>

/** How a list is read: `cursor` is the `nextCursor` of the page before. */
export type PageOf<O extends 'listOperations' | 'listSigningRequests' | 'listChildren' | 'listApiKeys'> = NonNullable<
  operations[O]['parameters']['query']
>

type AskForSignature = Schemas['CreateSigningRequest']

/** One payload whose signature is asked for, at a path like `m/0/5`: default `m`, the key itself; so for a PSBT, which names the paths of its inputs. */
export type SignatureItem = NonNullable<AskForSignature['items']>[number]

/** A request for one signature, or for several: `items`, 1 to 32 of one payload type. All are signed, in one session, or none. */
export type RequestSignature = Pick<AskForSignature, 'keyId' | 'deadlineMs' | 'signed'> &
  (SignatureItem | { readonly items: readonly SignatureItem[] })

export interface Page<T> {
  readonly items: readonly T[]
  readonly nextCursor: string | null
}
