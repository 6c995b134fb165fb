import { join } from 'node:path'
import { toHex } from '@conclave/core'
import { type Policy, parsePolicy, policyChanges, policyHash, policyLines, policyText, type SignedPolicy } from '@conclave/policy'
import { askAdmin } from '../admin-client.ts'
import { SETTINGS_FILE } from '../init.ts'
import { readSettings } from '../settings.ts'
import type { AdminPolicy } from './policy-keeper.ts'
import { readPolicyFile } from './sign-policy.ts'

const settingsOf = (dir: string) => readSettings(join(dir, SETTINGS_FILE))

/** The lock file that the node of this directory runs under. */
export const lockFileOf = (dir: string): string => settingsOf(dir).lockFile

/** Which policy is in force at the node of this directory, and at its peers. */
export async function readPolicyStatus(dir: string): Promise<AdminPolicy> {
  return (await askAdmin(settingsOf(dir).adminSocket, '/v1/policy')) as AdminPolicy
}

/** The signed policy that a node obeys; undefined when it has none. */
async function readPolicyInForce(dir: string): Promise<Policy | undefined> {
  const { text } = (await askAdmin(settingsOf(dir).adminSocket, '/v1/policy/text')) as { text: string | null }
  return text === null ? undefined : parsePolicy(policyText(new Uint8Array(Buffer.from(text, 'base64'))))
}

/** Hands a policy to the own node, which hands it on. @throws {ConclaveError} what {@link PolicyKeeper.submit} throws. */
export async function submitPolicy(
  dir: string,
  { sequence, policyHash, text, signatures }: SignedPolicy,
): Promise<{ readonly isNew: boolean; readonly status: AdminPolicy }> {
  const body = {
    ...{ sequence, policyHash: toHex(policyHash), text: Buffer.from(text).toString('base64') },
    signatures: signatures.map((s) => ({ author: s.author, signature: toHex(s.signature) })),
  }
  return (await askAdmin(settingsOf(dir).adminSocket, '/v1/policy:submit', body)) as { isNew: boolean; status: AdminPolicy }
}

/** What a person looks at before he signs a policy, or after. */
export interface PolicyPage {
  readonly sequence: number
  /** Hex. */
  readonly hash: string
  /** Sequence of the policy that it is compared with; null without one. */
  readonly against: number | null
  /** What it says; compared with another, what it changes. */
  readonly lines: readonly string[]
}

/**
 * @param against - another file; with `dir` instead, the signed policy of that node.
 * @throws {ConfigError} POLICY_UNREADABLE, BAD_POLICY; what the node answers.
 */
export async function policyPage(file: string, { against, dir }: { against?: string; dir?: string }): Promise<PolicyPage> {
  const { policy } = await readPolicyFile(file)
  const named = against === undefined ? undefined : (await readPolicyFile(against)).policy
  const before = named ?? (dir === undefined ? undefined : await readPolicyInForce(dir))
  const lines = before === undefined ? policyLines(policy) : policyChanges(before, policy)
  return { sequence: policy.sequence, hash: toHex(policyHash(policy)), against: before?.sequence ?? null, lines }
}
