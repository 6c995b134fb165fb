import type { IdentityKey } from '@conclave/core'

// Types only: shared with the process that inspects.

/** One key of ours on a token; null is what the token does not tell. */
export interface InspectedKey {
  readonly kind: 'kek' | 'mac' | 'identity' | 'checkpoint'
  /** Of a KEK and its HMAC key; null for the others. */
  readonly generation: number | null
  /** CKA_ID, hex. */
  readonly id: string
  readonly extractable: boolean | null
  readonly sensitive: boolean | null
  /** Whether it could be extracted at no time since it was made. */
  readonly neverExtractable: boolean | null
  /** Made inside this token, not brought to it. */
  readonly local: boolean | null
  readonly copyable: boolean | null
  readonly wrapWithTrusted: boolean | null
  /** What it may be used for, e.g. `encrypt`. */
  readonly uses: readonly string[]
}

export interface InspectedToken {
  readonly label: string
  readonly serial: string
  readonly initialised: boolean
  /** Whether its user PIN was ever set. */
  readonly hasPin: boolean
  /** Somebody gave a wrong PIN since the last login. */
  readonly countLow: boolean
  readonly finalTry: boolean
  readonly locked: boolean
}

/** What can be said of a PIN without saying it. */
export interface InspectedPin {
  /** One that vendors ship or manuals print, or a run of one character or of neighbours. */
  readonly isDefault: boolean
  readonly isShort: boolean
  /** Digits only, or letters of one case only, and not long enough to make up for it. */
  readonly isOneClass: boolean
  /** Undefined when no PIN of the security officer is at hand. */
  readonly isSoPin: boolean | undefined
  /** Slow hash under the salt of this inspection: equal for equal PINs, and of no use to anybody later. Hex. */
  readonly fingerprint: string
  /** Those of the given files that hold the PIN. */
  readonly heldBy: readonly string[]
  /** Why the agent would not take it from its source, if it would not. */
  readonly refusal: string | undefined
}

export interface InspectedModule {
  readonly description: string
  readonly version: { readonly major: number; readonly minor: number }
}

/** Something that was found out, or why it was not. */
export type Found<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly code: string; readonly why: string }

/** What an HSM looks like from outside, and with one login. Nothing in it is secret; serials are for the operator only. */
export interface HsmInspection {
  /** Codes: MODULE_MISSING, TOKEN_LOST (it does not initialise), AGENT_DIED, TIMEOUT. */
  readonly module: Found<InspectedModule>
  /** Every token that the module shows. */
  readonly tokens: readonly InspectedToken[]
  /** Codes: PIN_SOURCE, PIN_ELSEWHERE when only the node itself can read it. */
  readonly pin: Found<InspectedPin>
  /** After the one login. Codes: those of the vault, and NOT_TRIED when there was no login. */
  readonly keys: Found<readonly InspectedKey[]>
  /** The public half of the node identity on this token; codes as for `keys`, and KEY_MISSING when it holds none. */
  readonly identity: Found<IdentityKey>
  /** The ways in which a key that must not leave the token came out; codes as for `keys`, and NOT_TESTABLE. */
  readonly leaks: Found<readonly string[]>
}
