import { u32, utf8 } from './bytes.ts'
import { tagged } from './hash.ts'
import { type IdentityKey, verifyIdentity } from './identity.ts'

/** Of one cluster. */
export const AUTHORS_MAX = 16

/** Who may write policies, by an Ed25519 key. */
export interface PolicyAuthor {
  readonly name: string
  readonly key: IdentityKey
}

/** A policy is in force at every node when `required` of `keys` have signed it. Names and keys are unique. */
export interface PolicyAuthors {
  readonly required: number
  readonly keys: readonly PolicyAuthor[]
}

/** The part of a lock hash that names the authors: 32 bytes. */
export function authorsHash({ required, keys }: PolicyAuthors): Uint8Array {
  const author = ({ name, key }: PolicyAuthor) => tagged('lock-author', utf8(name), utf8(key.type), key.publicKey)
  return tagged('lock-authors', u32(required), ...keys.map(author))
}

/** What an author signs of a policy: 32 bytes that bind the cluster, the place in the order, the meaning and the exact text. */
export interface PolicyWord {
  /** 32 bytes. */
  readonly clusterId: Uint8Array
  readonly sequence: number
  /** 32 bytes. */
  readonly policyHash: Uint8Array
  /** SHA-256 of the file's bytes. */
  readonly textHash: Uint8Array
}

export function policyFileHash({ clusterId, sequence, policyHash, textHash }: PolicyWord): Uint8Array {
  return tagged('policy-file', clusterId, u32(sequence), policyHash, textHash)
}

/** Whether this author signed it. Malformed signatures are `false`. */
export function isSignedBy({ key }: PolicyAuthor, word: PolicyWord, signature: Uint8Array): boolean {
  return verifyIdentity(key, policyFileHash(word), signature)
}
