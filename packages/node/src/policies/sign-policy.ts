import { readFile, rename, writeFile } from 'node:fs/promises'
import { ConfigError, equalBytes, fromHex, isSignedBy, messageOf, policyFileHash, toHex, YAML_CHARS_MAX } from '@conclave/core'
import {
  formatPolicySignatures,
  type Policy,
  type PolicySignatures,
  parsePolicy,
  parsePolicySignatures,
  policyHash,
  policyText,
  policyWord,
  type SignedPolicy,
} from '@conclave/policy'
import { approverSigner } from '../approvals/approver-key.ts'
import { readLock } from '../daemon.ts'

export interface PolicyFile {
  readonly policy: Policy
  readonly bytes: Uint8Array
}

/** Where the signatures of a policy file are gathered unless another file is named. */
export const signaturesFileOf = (file: string): string => `${file}.sig.json`

/** @throws {ConfigError} POLICY_UNREADABLE, BAD_POLICY. */
export async function readPolicyFile(file: string): Promise<PolicyFile> {
  let bytes: Uint8Array
  try {
    bytes = new Uint8Array(await readFile(file))
  } catch (cause) {
    throw new ConfigError('POLICY_UNREADABLE', `cannot read the policy ${file}: ${messageOf(cause)}`, { file }, cause)
  }
  if (bytes.length > YAML_CHARS_MAX) throw new ConfigError('BAD_POLICY', `${file} has more than ${YAML_CHARS_MAX} bytes`, { file })
  return { bytes, policy: parsePolicy(policyText(bytes), file) }
}

/** Undefined when there is none. @throws {ConfigError} POLICY_SIGNATURES_UNREADABLE, BAD_POLICY_SIGNATURES. */
async function readSignatures(file: string): Promise<PolicySignatures | undefined> {
  try {
    return parsePolicySignatures(await readFile(file, 'utf8'), file)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    if (cause instanceof ConfigError) throw cause
    throw new ConfigError('POLICY_SIGNATURES_UNREADABLE', `cannot read ${file}: ${messageOf(cause)}`, { file }, cause)
  }
}

const isSame = (a: Omit<PolicySignatures, 'signatures'>, b: Omit<PolicySignatures, 'signatures'>) =>
  a.sequence === b.sequence && (['clusterId', 'policyHash', 'textHash'] as const).every((field) => equalBytes(a[field], b[field]))

export interface PolicySigning {
  readonly file: string
  /** Hex, of the policy that was shown. */
  readonly hash: string
  readonly signaturesFile: string
  readonly lockFile: string
  /** An author's Ed25519 key, as `conclave approver keygen` makes it. */
  readonly keyFile: string
}

export interface PolicySigned {
  readonly author: string
  /** Names. */
  readonly signedBy: readonly string[]
  readonly required: number
}

/**
 * Adds one author's signature to those of a policy file. Who has signed it before stays; a signature of another text stops it.
 *
 * @throws {ConfigError} POLICY_UNREADABLE, BAD_POLICY, POLICY_CHANGED, NO_POLICY_AUTHORS, NOT_AN_AUTHOR, POLICY_SIGNATURES_OTHER, what `readLock` and
 * `approverSigner` throw.
 */
export async function signPolicyFile({ file, hash, signaturesFile, lockFile, keyFile }: PolicySigning): Promise<PolicySigned> {
  const { clusterId, authors } = await readLock(lockFile)
  if (authors === undefined) throw new ConfigError('NO_POLICY_AUTHORS', `${lockFile} names no policy authors: nothing was signed`)
  const { policy, bytes } = await readPolicyFile(file)
  if (toHex(policyHash(policy)) !== hash)
    throw new ConfigError('POLICY_CHANGED', `${file} has changed since it was shown: nothing was signed`)
  const word = policyWord(fromHex(clusterId), { sequence: policy.sequence, policyHash: policyHash(policy), text: bytes })
  const known = await readSignatures(signaturesFile)
  if (known !== undefined && !isSame(known, word))
    throw new ConfigError('POLICY_SIGNATURES_OTHER', `${signaturesFile} is of another text, sequence or cluster: nothing was signed`)
  const signature = (await approverSigner(keyFile))(policyFileHash(word))
  const author = authors.keys.find((a) => isSignedBy(a, word, signature))
  if (author === undefined) throw new ConfigError('NOT_AN_AUTHOR', `${keyFile} is the key of no policy author of the cluster lock`)
  const others = (known?.signatures ?? []).filter((s) => s.author !== author.name)
  const signatures = [...others, { author: author.name, signature }]
  await writeFile(`${signaturesFile}.next`, formatPolicySignatures({ ...word, signatures }))
  await rename(`${signaturesFile}.next`, signaturesFile)
  return { author: author.name, signedBy: signatures.map((s) => s.author), required: authors.required }
}

/**
 * A policy file with its signatures, as a node takes it; the node judges them.
 *
 * @throws {ConfigError} POLICY_UNREADABLE, BAD_POLICY, POLICY_UNSIGNED, POLICY_SIGNATURES_OTHER, BAD_POLICY_SIGNATURES.
 */
export async function readSignedPolicy(file: string, signaturesFile: string): Promise<SignedPolicy> {
  const { policy, bytes } = await readPolicyFile(file)
  const known = await readSignatures(signaturesFile)
  if (known === undefined) throw new ConfigError('POLICY_UNSIGNED', `there is no ${signaturesFile}: run "conclave policy sign" first`)
  const signed = { sequence: policy.sequence, policyHash: policyHash(policy), text: bytes }
  if (!isSame(known, policyWord(known.clusterId, signed)))
    throw new ConfigError('POLICY_SIGNATURES_OTHER', `${signaturesFile} is of another text than ${file}`)
  return { ...signed, signatures: known.signatures }
}
