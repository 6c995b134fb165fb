import { randomBytes } from 'node:crypto'
import { u32 } from './bytes.ts'
import { tagged, taggedExpand } from './hash.ts'

/** A source of random bytes: the operating system, an HSM mix, or a seed in tests. */
export interface Random {
  bytes(length: number): Uint8Array
}

export const systemRandom: Random = { bytes: (length) => new Uint8Array(randomBytes(length)) }

/**
 * A generator that is a pure function of its seed: block n is `T("drbg-out", state_n)` and the state is replaced by
 * `T("drbg-next", state_n)` after every call, so earlier output cannot be recomputed from a later state.
 */
export function seededRandom(seed: Uint8Array): Random {
  let state = tagged('drbg-seed', seed)
  let calls = 0
  return {
    bytes(length) {
      const out = taggedExpand('drbg-out', length, state)
      const next = tagged('drbg-next', state, u32(calls++))
      state.fill(0)
      state = next
      return out
    },
  }
}
