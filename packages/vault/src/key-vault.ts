import type { IdentityKey, IdentitySigner, SecretBytes } from '@conclave/core'
import type { KekReport } from './hsm.ts'
import type { DestroyedKek, KekRotation, Rewrapped } from './kek-rotation.ts'
import type { RecordShelf } from './record-shelf.ts'
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
  /** Requests of every day's work that it has answered since start. */
  readonly operations: number
  /** Median of its last answers. */
  readonly latencyMs: number | undefined
  /** Records sealed since the start without this HSM as a recipient, because it was not available: they need sealing again. */
  readonly missedSeals: number
  /** Which key seals, known once the HSM has answered: it says whether two HSMs are one. Undefined for an HSM that is not ok. */
  readonly key: { readonly tokenSerial: string; readonly kekId: string } | undefined
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
 * Signs the checkpoints of the node's log. Every HSM has a key of its own for it, so that one of them being down stops nothing;
 * who verifies takes a signature by any of the keys that the cluster lock lists for the node.
 */
export interface CheckpointSigner {
  /** Those that may sign, in order of the HSMs: of the settings, otherwise what the HSMs held that were up at the start. */
  readonly keys: readonly IdentityKey[]
  /** Signs with the first HSM that is up and holds one of the keys. @throws {VaultError} KEY_MISSING when none does. */
  sign(message: Uint8Array): Promise<{ readonly key: IdentityKey; readonly signature: Uint8Array }>
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
 * KEK_DESTROYED, LAST_RECIPIENT, IDENTITY_HELD, PIN_LOCKED, PIN_FINAL_TRY, PIN_NEEDED, PIN_SOURCE, SESSION_LOST, TOKEN_LOST, BUSY, TIMEOUT,
 * AGENT_DIED, TAKEN_OUT, UNSUPPORTED, MODULE_MISSING, CLOSED.
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
  /** The node identity, generated inside one HSM and not extractable. While that HSM is down, `sign` is retriable. */
  readonly identity: IdentitySigner
  readonly checkpointSigner: CheckpointSigner
  /**
   * HSM randomness mixed with the operating system's (HKDF over both). At most 1,024 bytes.
   *
   * @throws {VaultError} BAD_RANDOM when no HSM gives random bytes.
   */
  random(length: number): Promise<Uint8Array>
  /** Asks every HSM that may answer; one that let a request time out is not waited for. */
  health(): Promise<readonly HsmHealth[]>
  /** Tells what happens to the HSMs from now on, until the function that is returned is called. */
  watch(listener: (event: VaultEvent) => void): () => void
  /** The HSMs of this node, by name, that are not recipients of this record. @throws {VaultError} TAMPER when it is no record. */
  missingFrom(record: Uint8Array): readonly string[]
  /** What an operator does with one HSM. @throws {InvalidArgument} UNKNOWN_HSM. */
  hsm(name: string): HsmControl
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
