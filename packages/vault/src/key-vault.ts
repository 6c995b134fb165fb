import type { IdentitySigner, SecretBytes } from '@conclave/core'
import type { HsmState, VaultEvent } from './vault-events.ts'

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
  /** Whether it is `up`. */
  readonly ok: boolean
  readonly state: HsmState
  /** Since when it is in this state, milliseconds since the Unix epoch. */
  readonly sinceMs: number
  /** Error code of the last failure when not ok. */
  readonly code: string | undefined
  /** The same, also when it has recovered since. */
  readonly lastCode: string | undefined
  /** Requests that it failed since start, those that met it out of service not counted. */
  readonly failures: number
  /** Median of its last answers. */
  readonly latencyMs: number | undefined
  /** Records sealed since the start without this HSM as a recipient, because it was not available: they need sealing again. */
  readonly missedSeals: number
}

/** One HSM of a vault, in the hands of its operator. */
export interface HsmControl {
  /** Where a person may bring its PIN, if that is how it gets one. */
  readonly pinSocket: string | undefined
  /** Takes it out of service as if it were gone, until {@link putBack}. */
  takeOut(): void
  /** Puts it back; it serves as soon as it proves to be well, which it is asked at once. */
  putBack(): Promise<HsmHealth>
  /** Tries again what was refused and remembered, e.g. a PIN: at most one login. */
  retry(): Promise<HsmHealth>
}

/**
 * A node's HSMs, in order of priority, behind one interface. Implementations: PKCS#11 (one agent process per HSM) and memory.
 *
 * Every operation throws {VaultError} with a code of docs/hsm.md: TAMPER, ROLLBACK, KEY_MISSING, KEY_AMBIGUOUS, PIN_INCORRECT,
 * PIN_LOCKED, PIN_FINAL_TRY, PIN_NEEDED, PIN_SOURCE, SESSION_LOST, TOKEN_LOST, BUSY, TIMEOUT, AGENT_DIED, TAKEN_OUT, UNSUPPORTED,
 * MODULE_MISSING, CLOSED.
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
  /** Asks every HSM that may answer; one that let a request time out is not waited for. */
  health(): Promise<readonly HsmHealth[]>
  /** Tells what happens to the HSMs from now on, until the function that is returned is called. */
  watch(listener: (event: VaultEvent) => void): () => void
  /** The HSMs of this node, by name, that are not recipients of this record. @throws {VaultError} TAMPER when it is no record. */
  missingFrom(record: Uint8Array): readonly string[]
  /** What an operator does with one HSM. @throws {InvalidArgument} UNKNOWN_HSM. */
  hsm(name: string): HsmControl
  /** Drains what is in flight, logs out, ends the agents. Safe to call twice. */
  close(): Promise<void>
}
