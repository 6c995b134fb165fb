import type { VaultCode } from '../codes.ts'

/** What the agent answers instead of a result; becomes a {VaultError} on the other side. Message and details are never secret. */
export class AgentFault extends Error {
  readonly code: VaultCode
  readonly details: Readonly<Record<string, string | number>>

  constructor(code: VaultCode, message: string, details: Readonly<Record<string, string | number>> = {}) {
    super(message)
    this.code = code
    this.details = details
  }
}
