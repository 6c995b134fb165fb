import type { ProfileName } from './profile.ts'

// No other imports: shared with the agent process.

/** What one profile came to on one token. */
export interface ProfileFinding {
  readonly profile: ProfileName
  /** The mechanism that works; undefined when none does. */
  readonly mechanism: number | undefined
  /** Why it does not work. */
  readonly reason: string | undefined
}

/** What a token really does, tried and not asked; nothing in it is secret. */
export interface TokenProbe {
  readonly token: string
  readonly tokenSerial: string
  /** All profiles, in order of preference, tried with keys that lived for the probe only, or with the KEK when it makes none such. */
  readonly profiles: readonly ProfileFinding[]
  readonly triedWith: 'session-keys' | 'kek' | 'nothing'
  /** The profile that seals: of the settings, otherwise the first that the KEK can do; without a KEK, the first that works. */
  readonly chosen: ProfileName | undefined
  /** Whether AES-GCM takes an empty IV, which SoftHSM turns into sixteen zero bytes. We never send one. */
  readonly emptyIv: 'refused' | 'accepted' | 'not-testable'
  /** Whether a key that must not leave the token was in fact kept in. */
  readonly extractability: 'enforced' | 'not-enforced' | 'not-testable'
  /** The ways in which it came out. */
  readonly leaks: readonly string[]
  /** Curves for which the token made a key pair for a session and signed. A token may refuse those and make keys that stay (TPM 2.0). */
  readonly identities: readonly ('ed25519' | 'secp256k1' | 'p256')[]
}
