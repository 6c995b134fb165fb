/** What a platform signed: `signRequest` makes it. */
export interface SignedTerms {
  readonly requester: string
  /** 32 bytes, hex. */
  readonly nonce: string
  readonly notBeforeMs: number
  readonly expiresAtMs: number
  /** 64 bytes, hex. */
  readonly signature: string
}

/** What somebody says of the statement of a request (docs/spec/approvals.md). Bytes are hex. */
export interface GiveApproval {
  readonly statement: string
  readonly decision: 'approve' | 'reject'
  readonly approver: string
  readonly atMs: number
  readonly signature: string
  /** Of a passkey, with `clientData`. */
  readonly authenticatorData?: string
  readonly clientData?: string
  /** ML-DSA-65, where the policy names such a key for the approver. */
  readonly pq?: string
}

/** What each node said to an approval: TAKEN, or why not. */
export interface ApprovalAnswers {
  readonly nodes: readonly { readonly node: number; readonly code: string }[]
}
