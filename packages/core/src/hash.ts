import { sha256 } from '@noble/hashes/sha2.js'
import { u32, utf8 } from './bytes.ts'

/** A SHA-256 state that has absorbed a prefix and can be cloned. */
export type HashState = ReturnType<typeof sha256.create>

const DOMAIN = 'conclave/v1/'

function absorb(state: HashState, part: Uint8Array): void {
  const length = new Uint8Array(8)
  new DataView(length.buffer).setUint32(4, part.length)
  state.update(length).update(part)
}

/** `T` with its state left open, so that a hot loop absorbs a common prefix once. */
export class TaggedState {
  readonly #state: HashState

  constructor(label: string, parts: readonly Uint8Array[] = [], state?: HashState) {
    this.#state = state ?? sha256.create().update(utf8(DOMAIN + label))
    for (const p of parts) absorb(this.#state, p)
  }

  /** Digest of the prefix and `parts`; this state is unchanged. */
  digest(...parts: readonly Uint8Array[]): Uint8Array {
    const state = this.#state.clone()
    for (const p of parts) absorb(state, p)
    return state.digest()
  }

  /** `length` bytes in counter mode: block b appends the 32-bit b as a last part. */
  expand(length: number, ...parts: readonly Uint8Array[]): Uint8Array {
    const prefix = this.#state.clone()
    for (const p of parts) absorb(prefix, p)
    const out = new Uint8Array(length)
    for (let block = 0, at = 0; at < length; block++, at += 32) {
      const state = prefix.clone()
      absorb(state, u32(block))
      out.set(state.digest().subarray(0, Math.min(32, length - at)), at)
    }
    return out
  }
}

/**
 * The specification's `T`: SHA-256 of `conclave/v1/` + label, then every part prefixed with its 64-bit big-endian length.
 *
 * Labels are constants without NUL, and a length begins with NUL bytes, so two different (label, parts) never hash the same
 * bytes (CVE-2022-47931 is what happens without this).
 *
 * @returns 32 bytes.
 */
export function tagged(label: string, ...parts: readonly Uint8Array[]): Uint8Array {
  return new TaggedState(label).digest(...parts)
}

/** `T` in counter mode: `length` bytes. */
export function taggedExpand(label: string, length: number, ...parts: readonly Uint8Array[]): Uint8Array {
  return new TaggedState(label).expand(length, ...parts)
}
