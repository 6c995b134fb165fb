/** What a node says of its clock, its rules and its log. */
export interface NodeStanding {
  /** How far its clock was ahead of that of the coordinator. */
  readonly clockOffsetMs: number
  /** In effect there. */
  readonly freezes: number
  /** Of the policy in force there. */
  readonly policySequence: number
  /** Of its log; `checkpointEntries` are those that the last checkpoint covers, `cosigners` the other nodes that have cosigned it. */
  readonly audit: { readonly entries: number; readonly checkpointEntries: number; readonly cosigners: number }
}
