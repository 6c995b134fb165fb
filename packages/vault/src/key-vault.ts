import type { IdentitySigner, SecretBytes } from '@conclave/core'

/** Everything that a sealed record is bound to; all of it is authenticated (AAD), none of it is secret. */
export interface SealContext {
  /** 32 bytes, hex. */
  readonly clusterId: string
  readonly nodeId: string
  /** e.g. `key-share`, `pair-state`, `store-key`. */
  readonly recordType: string
  readonly keyId: string
  readonly epoch: number
  readonly version: number
}

export interface HsmHealth {
  readonly name: string
  readonly ok: boolean
  /** Error code of the last failure when not ok. */
  readonly code: string | undefined
  readonly latencyMs: number | undefined
  /** Records sealed since the start without this HSM as a recipient, because it was down: they need sealing again. */
  readonly missedSeals: number
  /** Which key seals, known once the HSM has answered: it says whether two HSMs are one. Undefined for an HSM that is not ok. */
  readonly key: { readonly tokenSerial: string; readonly kekId: string } | undefined
}

/**
 * A node's HSMs, in order of priority, behind one interface. Implementations: PKCS#11 (one agent process per HSM) and memory.
 *
 * Every operation throws {VaultError} with a code of docs/hsm.md: TAMPER, ROLLBACK, KEY_MISSING, KEY_AMBIGUOUS, PIN_INCORRECT,
 * PIN_LOCKED, PIN_SOURCE, SESSION_LOST, TOKEN_LOST, BUSY, TIMEOUT, AGENT_DIED, UNSUPPORTED, MODULE_MISSING, CLOSED.
 */
export interface KeyVault {
  /**
   * Seals to every HSM of the node that is available, at least one; each wrap is unwrapped and compared before this resolves.
   * An HSM that is down is counted in its `missedSeals`. `secret` (1 byte to 16 MiB) stays the caller's.
   */
  seal(context: SealContext, secret: Uint8Array): Promise<Uint8Array>
  /**
   * Opens with the first HSM that can.
   *
   * @param expected - what the record must be bound to, `version` being the minimum accepted.
   * @throws {VaultError} TAMPER when the record is not exactly this one; ROLLBACK when its version is lower.
   */
  open(expected: SealContext, record: Uint8Array): Promise<SecretBytes>
  /** The node identity, generated inside the HSM and not extractable. */
  readonly identity: IdentitySigner
  /** HSM randomness mixed with the operating system's (HKDF over both). At most 1,024 bytes. */
  random(length: number): Promise<Uint8Array>
  health(): Promise<readonly HsmHealth[]>
  /** Drains what is in flight, logs out, ends the agents. Safe to call twice. */
  close(): Promise<void>
}
