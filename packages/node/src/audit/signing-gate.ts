/** Whether this node may sign, as far as its log is concerned. */
export interface SigningGate {
  /** @throws {ConclaveError} AUDIT_UNAVAILABLE (retriable), AUDIT_ROLLED_BACK, AUDIT_FORKED. */
  check(): void
  /**
   * Waits, for a short time, until enough others have seen that this node's log goes on from what they know.
   *
   * @throws {ConclaveError} AUDIT_UNCONFIRMED (retriable), and what {@link check} throws.
   */
  confirmed(): Promise<void>
}

/** Of a node without a log of its own: a simulation. */
export const openGate: SigningGate = { check: () => undefined, confirmed: () => Promise.resolve() }
