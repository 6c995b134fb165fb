import { concat, equalBytes, InvalidArgument, type PartyId, parsePartyId, SecretBytes, tagged, u32 } from '@conclave/core'
import { decode, encode, PairPublic } from '@conclave/wire'
import { KAPPA, SEED_BYTES } from './constants.ts'

export type { PairPublic } from '@conclave/wire'

const SEEDS = KAPPA * SEED_BYTES
const SECRET_BYTES = KAPPA / 8 + 3 * SEEDS + 32
const HASH_BYTES = 32

/**
 * What two nodes share after pair setup, as one of them holds it. It belongs to the pair, not to a key.
 *
 * As multiplication sender (Alice) this node has `delta` and one seed per column; as receiver (Bob) it has both seeds.
 */
export interface PairState {
  readonly public: PairPublic
  /** `delta` 16 | Alice's seeds 128 x 32 | Bob's seeds0 | Bob's seeds1 | zero-share seed 32. */
  readonly secret: SecretBytes
}

export interface PairSecrets {
  readonly delta: Uint8Array
  readonly aliceSeeds: Uint8Array
  readonly bobSeeds0: Uint8Array
  readonly bobSeeds1: Uint8Array
  readonly zeroSeed: Uint8Array
}

/** Joins the parts; the caller wipes its own copies. */
export function joinSecrets(s: PairSecrets): SecretBytes {
  return new SecretBytes(concat(s.delta, s.aliceSeeds, s.bobSeeds0, s.bobSeeds1, s.zeroSeed))
}

/** Views into the secret of a pair state: valid until it is disposed. */
export function secretsOf(pair: PairState): PairSecrets {
  const b = pair.secret.bytes
  const cut = (from: number, size: number) => b.subarray(from, from + size)
  const start = KAPPA / 8
  return {
    delta: cut(0, start),
    aliceSeeds: cut(start, SEEDS),
    bobSeeds0: cut(start + SEEDS, SEEDS),
    bobSeeds1: cut(start + 2 * SEEDS, SEEDS),
    zeroSeed: cut(start + 3 * SEEDS, 32),
  }
}

const publicHash = (publicBytes: Uint8Array): Uint8Array => tagged('pair-public', publicBytes)

/** The bytes that are sealed: the secret, and the hash of the public half that it belongs to. Secret. */
export function encodePairSecret(pair: PairState): SecretBytes {
  return new SecretBytes(concat(pair.secret.bytes, publicHash(encode(PairPublic, pair.public))))
}

/**
 * The only way from stored bytes to a pair state. Guarantees that the two halves were sealed together.
 *
 * @param opened - the opened secret; stays the caller's.
 * @throws {InvalidArgument} BAD_PAIR_STATE; WireError on malformed public bytes.
 */
export function parsePairState(publicBytes: Uint8Array, opened: Uint8Array): PairState {
  const state = decode(PairPublic, publicBytes)
  parsePartyId(state.self)
  parsePartyId(state.peer)
  const bound = equalBytes(opened.subarray(SECRET_BYTES), publicHash(publicBytes))
  if (opened.length !== SECRET_BYTES + HASH_BYTES || !bound || state.self === state.peer)
    throw new InvalidArgument('BAD_PAIR_STATE', 'the sealed pair state is not well formed')
  return { public: state, secret: new SecretBytes(opened.slice(0, SECRET_BYTES)) }
}

/** `pairCtx(send, recv)`, `send` being the multiplication sender (Alice). Binds the cluster context of the pair's own setup. */
export function pairContext(pair: PairPublic, sender: PartyId, receiver: PartyId): Uint8Array {
  return tagged('pair', pair.clusterContext, u32(pair.pairEpoch), u32(sender), u32(receiver), pair.transcript)
}

/** Names the pair state; the same at both ends. */
export function pairId(pair: PairPublic): Uint8Array {
  const low = Math.min(pair.self, pair.peer)
  return tagged('pair-id', pair.clusterContext, u32(pair.pairEpoch), u32(low), u32(pair.self + pair.peer - low), pair.transcript)
}
