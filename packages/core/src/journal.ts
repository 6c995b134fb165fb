/** What the details of an event are made of: never a secret, and no number that is not a safe integer. */
export type EventValue = string | number | boolean | null | readonly (string | number)[]

/** Something that happened at a node and has to be provable afterwards. */
export interface AuditEvent {
  /** `noun.verb` in lower case, e.g. `hsm.failed`, `kek.rotated`, `key.archived`, `backup.created`, `request.denied`. */
  readonly kind: string
  readonly details: Readonly<Record<string, EventValue>>
}

/** Where a node writes down what it does. */
export interface Journal {
  /** Resolves when the event is durable. Rejects when it cannot be: the caller does not do what it was about to do. */
  record(event: AuditEvent): Promise<void>
}
