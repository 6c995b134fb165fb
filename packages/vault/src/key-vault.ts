import type { IdentitySigner, SecretBytes } from '@conclave/core'
import type { KekReport } from './hsm.ts'
import type { DestroyedKek, KekRotation, Rewrapped } from './kek-rotation.ts'
import type { RecordShelf } from './record-shelf.ts'

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
}

/** The KEKs of one HSM, or why it does not say. */
export type HsmKeks =
  | ({ readonly name: string; readonly ok: true } & KekReport)
  | { readonly name: string; readonly ok: false; readonly code: string }

export interface RotationOptions {
  /** Names of HSMs that are dead for good. All others have to be up. */
  readonly without?: readonly string[]
}

/**
 * A node's HSMs, in order of priority, behind one interface. Implementations: PKCS#11 (one agent process per HSM) and memory.
 *
 * Every operation throws {VaultError} with a code of docs/hsm.md: TAMPER, ROLLBACK, KEY_MISSING, KEY_AMBIGUOUS, PIN_INCORRECT,
 * KEK_DESTROYED, LAST_RECIPIENT, IDENTITY_HELD, PIN_LOCKED, PIN_SOURCE, SESSION_LOST, TOKEN_LOST, BUSY, TIMEOUT, AGENT_DIED, UNSUPPORTED, MODULE_MISSING, CLOSED.
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
  /** The KEK generations of every HSM, in their order. */
  keks(): Promise<readonly HsmKeks[]>
  /**
   * Wraps the data keys of all records to the newest KEK of every HSM of the node, and to no other; bodies stay as they are. Each new
   * record has been opened through each of its recipients before it takes the place of the old one.
   *
   * @throws {VaultError} BUSY while another rewrap or rotation runs.
   */
  rewrap(shelf: RecordShelf, options?: RotationOptions): Promise<Rewrapped>
  /**
   * Makes the next KEK generation in every HSM, rewraps all records, and only then destroys what is older: from then on no copy of a
   * record from before opens any more. May break off anywhere: the next call completes it. Opening and sealing go on meanwhile.
   *
   * @param shelf - every record that was sealed by this node: what is missing there is lost.
   * @throws {VaultError} BUSY while another rewrap or rotation runs.
   */
  rotateKek(shelf: RecordShelf, options?: RotationOptions): Promise<KekRotation>
  /**
   * Destroys every KEK of one HSM, once every record has been opened without it.
   *
   * @throws {VaultError} LAST_RECIPIENT when a record needs it; IDENTITY_HELD when it holds the identity of the node.
   */
  destroyKeks(hsm: string, shelf: RecordShelf): Promise<readonly DestroyedKek[]>
  /** Drains what is in flight, logs out, ends the agents. Safe to call twice. */
  close(): Promise<void>
}
