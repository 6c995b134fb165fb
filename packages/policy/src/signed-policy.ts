import { hash } from 'node:crypto'
import { ConclaveError, equalBytes, isSignedBy, type PolicyAuthors, type PolicyWord } from '@conclave/core'
import { type Policy, policyHash } from './policy.ts'
import { parsePolicy } from './policy-file.ts'

export interface PolicySignature {
  /** Name in the cluster lock. */
  readonly author: string
  /** 64 bytes of Ed25519. */
  readonly signature: Uint8Array
}

/** A policy file as its author wrote it, and who has signed it. */
export interface SignedPolicy {
  readonly sequence: number
  /** 32 bytes: the meaning of `text`. */
  readonly policyHash: Uint8Array
  /** The file's bytes. */
  readonly text: Uint8Array
  readonly signatures: readonly PolicySignature[]
}

/** Whose policies count. */
export interface PolicyCourt {
  /** 32 bytes. */
  readonly clusterId: Uint8Array
  readonly authors: PolicyAuthors
}

const refuse = (code: string, message: string): never => {
  throw new ConclaveError(code, `policy: ${message}`)
}

/** What authors sign of a policy file. */
export function policyWord(clusterId: Uint8Array, { sequence, policyHash: meaning, text }: Omit<SignedPolicy, 'signatures'>): PolicyWord {
  return { clusterId, sequence, policyHash: meaning, textHash: new Uint8Array(hash('sha256', text, 'buffer')) }
}

/** The text of a policy file. @throws {ConclaveError} BAD_POLICY when it is not UTF-8. */
export function policyText(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return refuse('BAD_POLICY', 'the file is not UTF-8')
  }
}

/**
 * The policy that enough authors have signed, each once. Signatures come first: nothing of a file that the authors did not sign is parsed.
 *
 * @throws {ConclaveError} POLICY_AUTHOR_TWICE, POLICY_UNKNOWN_AUTHOR, POLICY_SIGNATURE, POLICY_TOO_FEW_AUTHORS, POLICY_SEQUENCE,
 * POLICY_HASH; {ConfigError} BAD_POLICY.
 */
export function openSignedPolicy(signed: SignedPolicy, { clusterId, authors }: PolicyCourt): Policy {
  const word = policyWord(clusterId, signed)
  const names = signed.signatures.map((s) => s.author)
  for (const [i, { author, signature }] of signed.signatures.entries()) {
    if (names.indexOf(author) !== i) refuse('POLICY_AUTHOR_TWICE', `${author} has signed it twice`)
    const known = authors.keys.find((a) => a.name === author) ?? refuse('POLICY_UNKNOWN_AUTHOR', 'it is signed by who is no author')
    if (!isSignedBy(known, word, signature)) refuse('POLICY_SIGNATURE', `${author} did not sign it for this cluster`)
  }
  if (names.length < authors.required) refuse('POLICY_TOO_FEW_AUTHORS', `${names.length} of ${authors.required} authors have signed it`)
  const policy = parsePolicy(policyText(signed.text))
  if (policy.sequence !== signed.sequence)
    refuse('POLICY_SEQUENCE', `its text says sequence ${policy.sequence}, its signatures ${signed.sequence}`)
  if (!equalBytes(policyHash(policy), signed.policyHash)) refuse('POLICY_HASH', 'its text means something else than what was signed')
  return policy
}
