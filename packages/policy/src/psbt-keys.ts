import { checkPath, type DerivationPath, deriveChild, type ExtendedKey, equalBytes, formatPath } from '@conclave/core'
import { hash160 } from './hash160.ts'
import { undecodable } from './payload-facts.ts'

/** A child of the key, recomputed from the key: never taken from a claim. */
export interface OwnKey {
  readonly path: DerivationPath
  /** 33 bytes. */
  readonly publicKey: Uint8Array
}

/** BIP32 derivation as a PSBT has it: a public key, the fingerprint of its root, and the path below that. */
export type DerivationClaim = readonly [publicKey: Uint8Array, origin: { readonly fingerprint: number; readonly path: readonly number[] }]

/** Steps of derivation that one PSBT may cost: each is a multiplication on the curve. */
export const PSBT_STEPS_MAX = 128

/** BIP32: the first 4 bytes of the hash of the root's public key. */
function fingerprintOf({ publicKey }: ExtendedKey): number {
  return new DataView(hash160(publicKey).buffer).getUint32(0)
}

/** Finds the children of one root key among the claims of a PSBT. */
export class PsbtKeys {
  readonly #fingerprint: number
  /** By path, levels in between too. */
  readonly #known: Map<string, ExtendedKey>
  #steps = 0

  constructor(root: ExtendedKey) {
    this.#fingerprint = fingerprintOf(root)
    this.#known = new Map([['m', root]])
  }

  /**
   * Whoever among `claims` says to be a child of the root, proved by deriving it; undefined when nobody does.
   *
   * @param place - for messages.
   * @throws {InvalidArgument} PAYLOAD_UNDECODABLE when a claim is not true, or two are; BAD_PATH.
   */
  ownAmong(claims: readonly DerivationClaim[], place: string): OwnKey | undefined {
    const ours = claims.filter(([, { fingerprint }]) => fingerprint === this.#fingerprint)
    const [claim] = ours
    if (claim === undefined) return undefined
    if (ours.length > 1) undecodable('btc.psbt', `${place} names this key twice`)
    const [publicKey, { path }] = claim
    checkPath(path)
    const child = this.#derive(path)
    if (!equalBytes(child.publicKey, publicKey))
      undecodable('btc.psbt', `${place} claims another key at ${formatPath(path)} than is derived there`)
    return { path: [...path], publicKey: child.publicKey }
  }

  #derive(path: DerivationPath): ExtendedKey {
    const name = formatPath(path)
    const known = this.#known.get(name)
    if (known !== undefined) return known
    if (++this.#steps > PSBT_STEPS_MAX) undecodable('btc.psbt', `it names children that take more than ${PSBT_STEPS_MAX} steps to derive`)
    const { publicKey, chainCode } = deriveChild(this.#derive(path.slice(0, -1)), path.slice(-1))
    const child = { publicKey, chainCode }
    this.#known.set(name, child)
    return child
  }
}
