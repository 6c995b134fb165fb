/** What a node says of its own log. */
export interface AuditState {
  readonly size: number
  /** Empty, or why this node does not sign. */
  readonly code: string
  readonly reason: string
  readonly checkpoint: { readonly size: number; readonly root: string; readonly cosigners: readonly string[] } | null
  /** When that was signed (ISO 8601, UTC); null when it is from before the start. */
  readonly signedAt: string | null
  /** Names of those who have agreed with this log since the start. */
  readonly confirmed: readonly string[]
  readonly required: number
}

/** Names of logs and cosigners end with that of their node; see `originOf`. */
export function nodeNameIn(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1)
}
