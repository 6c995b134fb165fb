import type { ClusterLock } from '@conclave/core'
import { both, type CheckResult, check, type Finding, finding, type Known } from './finding.ts'

/** A file that was read and parsed, or the code and line that say why not. */
export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly code: string; readonly message: string }

export interface ClusterFacts {
  readonly name: string
  readonly lockFile: string
  readonly lock: Parsed<ClusterLock>
  /** Nodes whose signature is missing or wrong. */
  readonly unsigned: readonly string[]
  readonly policyFile: string
  /** How many rules it has. */
  readonly policy: Parsed<number>
  readonly dir: string
  /** Hex, of the lock file. */
  readonly lockHash: string | undefined
}

/** The node's identity, from where it could be had. */
export interface OwnIdentity {
  /** Hex. */
  readonly publicKey: string
  readonly from: string
}

function lockFindings({ dir, lock, lockFile, name, unsigned }: ClusterFacts): readonly (Finding | undefined)[] {
  const get = `copy the lock that the operators signed to ${lockFile}`
  if (!lock.ok) return [finding(lock.code === 'LOCK_UNREADABLE' ? 'LOCK_MISSING' : 'LOCK_INVALID', lockFile, lock.message, get)]
  const member = lock.value.nodes.some((n) => n.name === name)
  return [
    unsigned.length > 0
      ? finding(
          'LOCK_UNSIGNED',
          lockFile,
          `no valid signature of ${unsigned.join(', ')}`,
          `each of them: conclave cluster sign --dir ${dir} --lock ${lockFile} --hash <compared hash>`,
        )
      : undefined,
    member
      ? undefined
      : finding('NOT_A_MEMBER', lockFile, `"${name}" is not a node of the cluster lock`, `${get}, or correct node.name in node.yaml`),
  ]
}

function policyFindings({ lock, policy, policyFile }: ClusterFacts): readonly (Finding | undefined)[] {
  // The file is not looked at then: policies come signed, and the running node has them.
  if (lock.ok && lock.value.authors !== undefined) return []
  if (!policy.ok) return [finding('POLICY_INVALID', policyFile, policy.message, `correct ${policyFile}`)]
  return [
    policy.value === 0
      ? finding('POLICY_DENIES_ALL', policyFile, 'the policy has no rules, so this node signs nothing', `add rules to ${policyFile}`)
      : undefined,
    lock.ok
      ? finding(
          'POLICY_NO_AUTHORS',
          policyFile,
          'the lock names no policy authors: whoever changes this file changes what this node signs',
          'name them with the next lock: conclave cluster next --author <name>=<key>... --authors-required <count>',
        )
      : undefined,
  ]
}

function identityFindings({ lock, name }: ClusterFacts, own: OwnIdentity): readonly (Finding | undefined)[] {
  const member = lock.ok ? lock.value.nodes.find((n) => n.name === name) : undefined
  if (member === undefined || Buffer.from(member.identity.publicKey).toString('hex') === own.publicKey) return []
  return [
    finding(
      'WRONG_IDENTITY',
      name,
      `the identity of ${own.from} is not that of ${name} in the cluster lock`,
      'connect the token that the card was made with, or put the new card into the next lock (conclave cluster next --replace)',
    ),
  ]
}

/** The lock, the policy, and whether this node is who the lock says. */
export function checkCluster(facts: Known<ClusterFacts>, identity: Known<OwnIdentity>, loadedHash: Known<string>): readonly CheckResult[] {
  return [
    check('cluster lock', facts, lockFindings),
    check('policy', facts, policyFindings),
    check('identity', both(facts, identity), ([f, own]) => identityFindings(f, own)),
    check('lock in force', loadedHash, (hash) => [
      facts.known && facts.value.lockHash !== undefined && facts.value.lockHash !== hash
        ? finding('LOCK_NOT_LOADED', facts.value.lockFile, 'the running node has another lock than the file', 'restart the node')
        : undefined,
    ]),
  ]
}
